import { type JsonObject, numberAt } from '../protocol/json.ts';
import type { DeviceClock } from './device-clock.ts';
import { type Answer, type Module, NO_TIME } from './plug-device.ts';
import { RuleTable, whileTimed } from './rules.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAYS_AHEAD = 8;

/** A rule that switches: when (ms since 1970), what to, and which rule. */
export interface Firing {
  readonly at: number;
  readonly on: boolean;
  readonly id: unknown;
  /** Seconds since the device's own midnight. */
  readonly secondOfDay: number;
  /** Whether the rule is used up with it. */
  readonly once: boolean;
}

/** The schedule of an outlet: its rules switch at their minute by the device's own clock and zone. */
export class SimulatedSchedule {
  readonly #time: DeviceClock;
  readonly #rules = new RuleTable();
  /** What is next, once it has been worked out. */
  #next: Firing | undefined;
  /** No rule has fired that was due until then. */
  #lookedFrom: number;

  constructor(time: DeviceClock) {
    this.#time = time;
    this.#lookedFrom = time.now();
    this.#rules.changed = () => this.plan();
  }

  get hasRules(): boolean {
    return this.#rules.active.length > 0;
  }

  /** The switching that is next, seen from when the rules or the clock were last changed, or a rule has fired. */
  get next(): Firing | undefined {
    if (!this.#time.isSet || !this.hasRules) return undefined;
    for (;;) {
      this.#next ??= nextFiring(this.#rules.active, this.#time, this.#lookedFrom);
      if (this.#next !== undefined || this.#time.now() - this.#lookedFrom < DAY_MS) return this.#next;
      // A rule for one date may be further away than one looks ahead.
      this.#lookedFrom += DAY_MS;
    }
  }

  /** Works out anew what is next. */
  plan(from = this.#time.now()): void {
    this.#lookedFrom = from;
    this.#next = undefined;
  }

  /** The rule has switched. */
  fired({ id, at, once }: Firing): void {
    if (once) this.#rules.edit(id, { enable: 0 });
    this.plan(at);
  }

  /** What the device says of it in its sysinfo, too. */
  nextAction(): Answer {
    const { next } = this;
    if (next === undefined) return { type: -1 };
    return { type: 1, id: next.id, schd_sec: next.secondOfDay, action: next.on ? 1 : 0 };
  }

  module(): Module {
    const nextAction = () => (this.#time.isSet ? { ...this.nextAction(), err_code: 0 } : NO_TIME);
    return { ...whileTimed(this.#time, this.#rules.module()), get_next_action: nextAction };
  }
}

/** The first switching after `from` that a rule asks for within about a week. */
function nextFiring(rules: readonly JsonObject[], time: DeviceClock, from: number): Firing | undefined {
  const today = Math.floor((time.local(from) ?? 0) / DAY_MS) * DAY_MS;
  const days = Array.from({ length: DAYS_AHEAD }, (_, day) => today + day * DAY_MS);
  return rules
    .flatMap((rule) => days.filter((day) => isFor(rule, day)).flatMap((day) => firingsOn(rule, day, time)))
    .filter(({ at }) => at > from)
    .toSorted((one, other) => one.at - other.at)
    .at(0);
}

/** Whether a rule is for the day that begins at `localMs`: certain days of the week, or one date. */
function isFor(rule: JsonObject, localMs: number): boolean {
  const day = new Date(localMs);
  if (numberAt(rule, 'repeat') !== 0) return Array.isArray(rule.wday) && rule.wday[day.getUTCDay()] === 1;
  const date = [day.getUTCFullYear(), day.getUTCMonth() + 1, day.getUTCDate()];
  return ['year', 'month', 'day'].every((key, index) => numberAt(rule, key) === date[index]);
}

/** A rule may switch at its start and at its end. */
function firingsOn(rule: JsonObject, day: number, time: DeviceClock): Firing[] {
  return [
    ['stime_opt', 'smin', 'soffset', 'sact'] as const,
    ['etime_opt', 'emin', 'eoffset', 'eact'] as const,
  ].flatMap(([option, minute, offset, action]) => {
    const kind = numberAt(rule, option) ?? -1;
    const act = numberAt(rule, action) ?? -1;
    if (kind < 0 || act < 0) return [];
    // The app writes the minute of sunrise or sunset into the rule; the offset counts from there.
    const minuteOfDay = (numberAt(rule, minute) ?? 0) + (kind > 0 ? (numberAt(rule, offset) ?? 0) : 0);
    const at = time.timeOf(day + minuteOfDay * MINUTE_MS);
    const once = numberAt(rule, 'repeat') === 0;
    return [{ at, on: act === 1, id: rule.id, secondOfDay: minuteOfDay * 60, once }];
  });
}
