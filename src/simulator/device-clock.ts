import { type JsonObject, numberAt } from '../protocol/json.ts';
import { offsetAt, zoneOfIndex } from '../protocol/time-zones.ts';
import type { Clock } from '../runtime/clock.ts';
import { BAD_ARGUMENT, type Module, OK } from './plug-device.ts';

const DAY_MS = 86_400_000;

/** Europe/London. */
const FIRST_ZONE = 39;

/** The clock of a device: it has a zone, may be wrong, and is not set at all until a client sets it. */
export class DeviceClock {
  readonly #clock: Clock;
  /** Hardware 1 accepts a time and keeps its own. */
  readonly #ignoresTime: boolean;
  /** By how much it is ahead of the real time; `undefined` while it is not set. */
  #aheadMs: number | undefined = 0;
  #zone = FIRST_ZONE;
  readonly #watchers: (() => void)[] = [];

  constructor(clock: Clock, ignoresTime: boolean) {
    this.#clock = clock;
    this.#ignoresTime = ignoresTime;
  }

  /** Has `watcher` called before the time or the zone changes. */
  beforeChange(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  get isSet(): boolean {
    return this.#aheadMs !== undefined;
  }

  /** Real time, ms since 1970. */
  now(): number {
    return this.#clock.date();
  }

  /** Sets it so that it now shows UTC and `offsetMs`, in whatever zone it is; `undefined` takes the time away. */
  set(offsetMs: number | undefined): void {
    this.#announce();
    const now = this.#clock.date();
    this.#aheadMs = offsetMs === undefined ? undefined : this.#realTime(now + offsetMs, 0) - now;
  }

  /** What it shows at the real time `at`, in ms as if it showed UTC; `undefined` while it is not set. */
  local(at = this.now()): number | undefined {
    return this.#aheadMs === undefined ? undefined : at + this.#aheadMs + this.#offsetMs(at + this.#aheadMs);
  }

  /** The real time at which it shows `localMs`; of an hour that comes twice, the first. */
  timeOf(localMs: number): number {
    return this.#realTime(localMs, this.#aheadMs ?? 0);
  }

  module(): Module {
    return {
      get_time: () => ({ ...fields(this.local() ?? this.#unsetLocal()), err_code: 0 }),
      set_time: (argument) => {
        const time = timeIn(argument);
        return time === undefined ? BAD_ARGUMENT : this.#take(time, this.#zone);
      },
      get_timezone: () => ({ index: this.#zone, err_code: 0 }),
      set_timezone: (argument) => {
        const index = numberAt(argument, 'index');
        const time = timeIn(argument);
        const known = index !== undefined && zoneOfIndex(index) !== undefined;
        return known && time !== undefined ? this.#take(time, index) : BAD_ARGUMENT;
      },
    };
  }

  #take(localMs: number, zone: number) {
    this.#announce();
    this.#zone = zone;
    if (!this.#ignoresTime) this.#aheadMs = this.#realTime(localMs, 0) - this.now();
    return OK;
  }

  #announce(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #offsetMs(at: number): number {
    return offsetAt(zoneOfIndex(this.#zone) ?? 'UTC', at);
  }

  #realTime(localMs: number, aheadMs: number): number {
    const guess = localMs - this.#offsetMs(localMs);
    return localMs - this.#offsetMs(guess) - aheadMs;
  }

  /** A clock that was never set shows the day it was made for. */
  #unsetLocal(): number {
    return 30 * 365.25 * DAY_MS;
  }
}

/** A time of `DeviceClock.local` in the fields of the protocol. */
export function fields(localMs: number) {
  const date = new Date(localMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    mday: date.getUTCDate(),
    hour: date.getUTCHours(),
    min: date.getUTCMinutes(),
    sec: date.getUTCSeconds(),
  };
}

/** The time of a clock, as if it were UTC; `undefined` if it is not all there. */
function timeIn(argument: JsonObject): number | undefined {
  const given = ['year', 'month', 'mday', 'hour', 'min', 'sec'].map((key) => numberAt(argument, key));
  const [year, month, day, hour, minute, second] = given;
  if (year === undefined || month === undefined) return undefined;
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  return Number.isNaN(time) ? undefined : time;
}
