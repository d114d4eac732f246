import { PlugError } from '../../errors.ts';
import { type JsonObject, numberAt } from '../../protocol/json.ts';
import { answerTo, type PlugTime, readTime } from '../../protocol/replies.ts';
import type { Query } from '../../protocol/requests.ts';
import { indexOfZone, localTime, secondsAhead, zoneOfIndex } from '../../protocol/time-zones.ts';
import { dateText, type Plan, type Preset } from './preset.ts';

/** A clock further off than this was not set by what was just sent. */
const SET_WITHIN_S = 30;

const ASK_CLOCK: Query = { time: { get_time: {}, get_timezone: {} } };

/** The clock of the plug, by which it books energy and follows its schedule. */
export const CLOCK_PRESETS: readonly Preset[] = [
  {
    name: 'time',
    does: 'clock and time zone of the plug',
    parameters: [],
    readOnly: true,
    plan: (_given, { date }) => ({ query: ASK_CLOCK, read: (reply) => readClock(reply, date) }),
  },
  {
    name: 'set-time',
    does: 'set clock and time zone of the plug to those of this machine',
    parameters: [],
    readOnly: false,
    before: () => ({ time: { get_timezone: {} } }),
    plan: (_given, { date, timeZone, before }) => setTimePlan(date, timeZone, before),
  },
];

function readClock(reply: JsonObject, date: number): JsonObject {
  const shown = readTime(answerTo(reply, 'time', 'get_time'));
  const index = numberAt(answerTo(reply, 'time', 'get_timezone'), 'index');
  const zone = index === undefined ? undefined : zoneOfIndex(index);
  return {
    time: timeText(shown),
    timezone_index: index ?? null,
    timezone: zone ?? null,
    ahead: zone === undefined ? null : secondsAhead(shown, zone, date),
  };
}

/**
 * Only `set_timezone` sets a clock, and only with zone and time together. Hardware 1 says that it does and keeps
 * the time it has from the Internet.
 */
function setTimePlan(date: number, timeZone: string, before: JsonObject): Plan {
  const fitting = indexOfZone(timeZone, date);
  const index = fitting ?? numberAt(answerTo(before, 'time', 'get_timezone'), 'index') ?? 0;
  const { year, month, day: mday, hour, minute: min, second: sec } = localTime(timeZone, date);
  return {
    query: { time: { set_timezone: { index, year, month, mday, hour, min, sec }, ...ASK_CLOCK.time } },
    read: (reply) => {
      answerTo(reply, 'time', 'set_timezone');
      const shown = readTime(answerTo(reply, 'time', 'get_time'));
      if (Math.abs(secondsAhead(shown, timeZone, date)) > SET_WITHIN_S)
        throw new PlugError(
          'plug-error',
          `the plug accepted the time but shows ${timeText(shown)}: its hardware takes the time from the Internet only`,
        );
      const { ahead: _, ...clock } = readClock(reply, date);
      return fitting === undefined
        ? { ...clock, note: `no index of the plug fits ${timeZone}: its own was kept` }
        : clock;
    },
  };
}

function timeText({ year, month, day, hour, minute, second }: PlugTime): string {
  const [h, m, s] = [hour, minute, second].map((part) => String(part).padStart(2, '0'));
  return `${dateText(year, month, day)} ${h}:${m}:${s}`;
}
