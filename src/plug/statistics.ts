import { PlugError, PlugRefusal } from '../errors.ts';
import { type CloudReading, readCloud } from '../protocol/cloud.ts';
import { integerAt, type JsonObject } from '../protocol/json.ts';
import {
  answerTo,
  type EnergyRecord,
  type PlugTime,
  readDays,
  readMonths,
  readTime,
} from '../protocol/replies.ts';
import { LAST_ZONE } from '../protocol/time-zones.ts';

/**
 * What is read of a plug every `poll.statistics`: its clock, its cloud, its energy by day and month. `undefined` is what
 * it did not say.
 */
export interface Statistics {
  /** What its clock shows, in its own zone. */
  readonly time: PlugTime | undefined;
  /** The firmware's index of its time zone. */
  readonly zone: number | undefined;
  /** Whether the clock has been set since the plug booted. */
  readonly clockSet: boolean | undefined;
  readonly cloud: CloudReading | undefined;
  /** kWh, by the plug's own calendar. */
  readonly today: number | undefined;
  readonly month: number | undefined;
}

export const NO_TOTALS = { today: undefined, month: undefined };

/** `time not sync`, which the schedule answers while the clock is not set. */
const TIME_NOT_SET = -11;

/** Reads the answer to GET_CLOCK_AND_CLOUD; a module that refuses leaves its part `undefined`. */
export function readClockAndCloud(reply: JsonObject): Omit<Statistics, 'today' | 'month'> {
  const zone = part(() => integerAt(answerTo(reply, 'time', 'get_timezone'), 'index', 0, LAST_ZONE));
  return {
    time: part(() => readTime(answerTo(reply, 'time', 'get_time'))),
    zone,
    clockSet: isClockSet(reply),
    cloud: part(() => readCloud(answerTo(reply, 'cnCloud', 'get_info'))),
  };
}

/** Reads the energy of the day and the month that the plug's clock shows; open where nothing is booked. */
export function readEnergyTotals(reply: JsonObject, now: PlugTime): Pick<Statistics, 'today' | 'month'> {
  const days = part(() => readDays(answerTo(reply, 'emeter', 'get_daystat'))) ?? [];
  const months = part(() => readMonths(answerTo(reply, 'emeter', 'get_monthstat'))) ?? [];
  const isThisMonth = (record: EnergyRecord) => record.year === now.year && record.month === now.month;
  return {
    today: days.findLast((day) => isThisMonth(day) && day.day === now.day)?.energy,
    month: months.findLast(isThisMonth)?.energy,
  };
}

function isClockSet(reply: JsonObject): boolean | undefined {
  try {
    answerTo(reply, 'schedule', 'get_next_action');
    return true;
  } catch (error) {
    return error instanceof PlugRefusal && error.errCode === TIME_NOT_SET ? false : undefined;
  }
}

/** What one module says, or nothing if it refuses. */
function part<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PlugError) return undefined;
    throw error;
  }
}
