import { isObject, numberAt } from '../protocol/json.ts';
import {
  beginCurve,
  type CurvePoint,
  drawsFrom,
  endStretch,
  type LoadCurve,
  together,
} from '../rules/load-curve.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Round, Write } from './rounds.ts';
import type { Store } from './store.ts';

/** The power of an outlet over a time. */
export interface PowerHistory {
  /** Seconds that a point stands for. */
  readonly resolution: 60 | 900;
  /** In order; what is not known is left out. */
  readonly points: readonly CurvePoint[];
}

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
const DAY_MS = 86_400_000;

/** Minutes are kept for a day and the quarter of an hour that is not written yet, quarters for 90 days. */
const MINUTES_KEPT_MS = DAY_MS + QUARTER_MS;
const QUARTERS_KEPT_MS = 90 * DAY_MS;

/** Rows of one write. */
const ROWS = 20;
/** What is deleted at a time. */
const DELETED_MS = QUARTER_MS;

/** An outlet, and what is not written yet. */
interface Series {
  curve: LoadCurve;
  /** Points of minutes that are over. */
  minutes: CurvePoint[];
}

interface Row extends CurvePoint {
  readonly outlet: string;
}

/**
 * The power of every outlet: mean, least and most of each minute for a day, and of each quarter of an hour for 90 days.
 * Minutes are kept in memory and written four times an hour, by time: so that little is written to an SD card. What is
 * killed has lost at most the last 15 minutes of the curves; energy is counted elsewhere.
 */
export class History {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  #minute: number;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#minute = floor(clock.date(), MINUTE_MS);
  }

  /** From now on the outlet of that key draws that power, in W; `null` is not known. */
  draws(outlet: string, power: number | null): void {
    const now = this.#clock.date();
    const series = this.#series.get(outlet);
    if (series !== undefined) series.curve = drawsFrom(series.curve, now, power);
    else if (power !== null)
      this.#series.set(outlet, { curve: drawsFrom(beginCurve(now), now, power), minutes: [] });
  }

  /** What is to be written in a round; a minute is closed by each. */
  *write({ date, isLast }: Round): Iterable<Write> {
    const minute = floor(date + 1000, MINUTE_MS);
    this.#closeMinute(isLast ? date : minute);
    if (!isLast && minute % QUARTER_MS !== 0) return;
    const minutes: Row[] = [];
    const quarters: Row[] = [];
    for (const [outlet, series] of this.#series) {
      const taken = series.minutes.splice(0);
      for (const point of taken) minutes.push({ outlet, ...point });
      for (const quarter of quartersOf(taken)) quarters.push({ outlet, ...quarter });
      if (series.curve.power === null) this.#series.delete(outlet);
    }
    // Beside those of the same time, so that few pages of the file change.
    yield* this.#rows(
      'history_minute',
      minutes.toSorted((one, other) => one.at - other.at),
    );
    yield* this.#rows('history_quarter', quarters);
    yield* this.#deletions('history_minute', date - MINUTES_KEPT_MS);
    yield* this.#deletions('history_quarter', date - QUARTERS_KEPT_MS);
  }

  /** The power of an outlet between two times, in milliseconds since 1970: by minutes within the last day, else by quarters. */
  read(outlet: string, from: number, to: number): PowerHistory {
    const isRecent = from >= this.#clock.date() - DAY_MS - MINUTE_MS;
    const unwritten = (this.#series.get(outlet)?.minutes ?? []).filter(({ at }) => at >= from && at < to);
    const table = isRecent ? 'history_minute' : 'history_quarter';
    const rows = this.#store.database
      .prepare(
        `SELECT time, mean, min, max FROM ${table} JOIN series ON series.id = ${table}.series
         WHERE series.outlet = ? AND time >= ? AND time < ? ORDER BY time`,
      )
      .all(outlet, Math.ceil(from / 1000), Math.ceil(to / 1000))
      .filter(isObject)
      .map((row) => ({
        at: (numberAt(row, 'time') ?? 0) * 1000,
        mean: (numberAt(row, 'mean') ?? 0) / 10,
        min: (numberAt(row, 'min') ?? 0) / 10,
        max: (numberAt(row, 'max') ?? 0) / 10,
      }));
    return {
      resolution: isRecent ? 60 : 900,
      points: [...rows, ...(isRecent ? unwritten : quartersOf(unwritten))],
    };
  }

  #closeMinute(end: number): void {
    const begin = this.#minute;
    this.#minute = end;
    for (const series of this.#series.values()) {
      const { point, next } = endStretch(series.curve, begin, end);
      series.curve = next;
      if (point !== undefined) series.minutes.push(point);
    }
  }

  *#rows(table: 'history_minute' | 'history_quarter', rows: readonly Row[]): Iterable<Write> {
    const sql = `INSERT OR REPLACE INTO ${table} SELECT ?, id, ?, ?, ? FROM series WHERE outlet = ?`;
    for (let start = 0; start < rows.length; start += ROWS) {
      yield () => {
        for (const { at, outlet, mean, min, max } of rows.slice(start, start + ROWS)) {
          this.#store.write('INSERT OR IGNORE INTO series VALUES (NULL, ?)', [outlet]);
          this.#store.write(sql, [Math.round(at / 1000), tenths(mean), tenths(min), tenths(max), outlet]);
        }
        return undefined;
      };
    }
  }

  /** Deletes what is too old, piece by piece. */
  *#deletions(table: 'history_minute' | 'history_quarter', before: number): Iterable<Write> {
    const row = this.#store.database.prepare(`SELECT min(time) AS oldest FROM ${table}`).get();
    const oldest = isObject(row) ? numberAt(row, 'oldest') : undefined;
    if (oldest === undefined) return;
    const sql = `DELETE FROM ${table} WHERE time < ?`;
    for (let begin = oldest * 1000; begin < before; begin += DELETED_MS) {
      const end = Math.min(begin + DELETED_MS, before);
      yield () => {
        this.#store.write(sql, [Math.ceil(end / 1000)]);
        return undefined;
      };
    }
  }
}

function quartersOf(minutes: readonly CurvePoint[]): CurvePoint[] {
  const groups = new Map<number, CurvePoint[]>();
  for (const point of minutes) {
    const quarter = floor(point.at, QUARTER_MS);
    const group = groups.get(quarter);
    if (group === undefined) groups.set(quarter, [point]);
    else group.push(point);
  }
  return [...groups].flatMap(([at, points]) => together(points, at) ?? []);
}

function floor(at: number, step: number): number {
  return Math.floor(at / step) * step;
}

/** Tenths of a W: as exact as meters are, and small in the file. */
function tenths(watts: number): number {
  return Math.round(watts * 10);
}
