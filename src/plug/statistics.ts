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
  readonly yesterday: number | undefined;
  readonly month: number | undefined;
  readonly lastMonth: number | undefined;
  /** The days it has booked, of the months that were asked for. */
  readonly days: readonly EnergyRecord[] | undefined;
  /** Of a metered strip: the energy of each of its outlets, by their ids. */
  readonly outlets?: ReadonlyMap<string, EnergyTotals>;
}

export type EnergyTotals = Pick<Statistics, 'today' | 'yesterday' | 'month' | 'lastMonth' | 'days'>;

/** What is known of the energy by day and month where it was not asked for, or not told. */
export const NO_TOTALS: EnergyTotals = {
  today: undefined,
  yesterday: undefined,
  month: undefined,
  lastMonth: undefined,
  days: undefined,
};

/** A month of the plug's calendar. */
export interface Month {
  readonly year: number;
  readonly month: number;
}

/** So many months before this one are asked for at most: commands wait meanwhile. */
const MOST_MONTHS = 3;

/** `time not sync`, which the schedule answers while the clock is not set. */
const TIME_NOT_SET = -11;

/** Reads the answer to GET_CLOCK_AND_CLOUD; a module that refuses leaves its part `undefined`. */
export function readClockAndCloud(reply: JsonObject): Omit<Statistics, keyof EnergyTotals | 'outlets'> {
  const zone = part(() => integerAt(answerTo(reply, 'time', 'get_timezone'), 'index', 0, LAST_ZONE));
  return {
    time: part(() => readTime(answerTo(reply, 'time', 'get_time'))),
    zone,
    clockSet: isClockSet(reply),
    cloud: part(() => readCloud(answerTo(reply, 'cnCloud', 'get_info'))),
  };
}

/**
 * The months whose statistics are to be read, the last one first: this one, the one before where yesterday or last month
 * is in another month or year, and those back to `since`.
 */
export function monthsToRead(now: PlugTime, since: Month | undefined): Month[] {
  const months: Month[] = [now];
  let month = before(now);
  const needed = now.day === 1 || now.month === 1 ? month : now;
  const first = since === undefined || numberOf(needed) < numberOf(since) ? needed : since;
  for (; numberOf(month) >= numberOf(first) && months.length <= MOST_MONTHS; month = before(month))
    months.push(month);
  return months;
}

/** Reads the answers to the questions for these months; open where nothing is booked. */
export function readEnergyTotals(replies: readonly JsonObject[], now: PlugTime): EnergyTotals {
  const days = replies.flatMap(
    (reply) => part(() => readDays(answerTo(reply, 'emeter', 'get_daystat'))) ?? [],
  );
  const months = replies.flatMap(
    (reply) => part(() => readMonths(answerTo(reply, 'emeter', 'get_monthstat'))) ?? [],
  );
  const isIn = (record: EnergyRecord, { year, month }: Month) =>
    record.year === year && record.month === month;
  const dayBefore = new Date(Date.UTC(now.year, now.month - 1, now.day - 1));
  const monthOfYesterday = { year: dayBefore.getUTCFullYear(), month: dayBefore.getUTCMonth() + 1 };
  return {
    today: days.findLast((record) => isIn(record, now) && record.day === now.day)?.energy,
    yesterday: days.findLast(
      (record) => isIn(record, monthOfYesterday) && record.day === dayBefore.getUTCDate(),
    )?.energy,
    month: months.findLast((record) => isIn(record, now))?.energy,
    lastMonth: months.findLast((record) => isIn(record, before(now)))?.energy,
    days,
  };
}

function before({ year, month }: Month): Month {
  return month === 1 ? { year: year - 1, month: 12 } : { year, month: month - 1 };
}

function numberOf({ year, month }: Month): number {
  return year * 12 + month;
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
