import type { PlugState } from './plug-state.ts';

/** How often a plug is polled; milliseconds. */
export interface IntervalSettings {
  readonly intervalMs: number;
  /** In its place after a command or a change. */
  readonly fastMs?: number | undefined;
  /** In its place while nothing happens. */
  readonly slowMs?: number | undefined;
}

/** How long a plug is polled fast after something has happened to it. */
const BOOST_MS = 10_000;

/** What a meter shows of a steady load wavers by less than this: watts, or part of what it was. */
const LEAST_W = 1;
const LEAST_PART = 0.05;

/** The time between two polls of one plug: short for a while after something has happened to it. */
export class AdaptiveInterval {
  #settings: IntervalSettings;
  #boostedUntil = Number.NEGATIVE_INFINITY;

  constructor(settings: IntervalSettings) {
    this.#settings = settings;
  }

  /** From now on it goes by those settings. */
  configure(settings: IntervalSettings): void {
    this.#settings = settings;
  }

  /** Something has happened; says when the plug is to be polled next at the latest. */
  boost(now: number): number {
    this.#boostedUntil = now + BOOST_MS;
    return now + this.intervalAt(now);
  }

  /** Milliseconds between polls at the moment. */
  intervalAt(now: number): number {
    const { intervalMs, fastMs, slowMs } = this.#settings;
    return (now < this.#boostedUntil ? fastMs : slowMs) ?? intervalMs;
  }
}

/** Whether something has happened to the plug, other than that its readings waver. */
export function isEventful(before: PlugState, after: PlugState): boolean {
  if (before.relay !== after.relay || before.led !== after.led) return true;
  if (before.brightness !== after.brightness || before.colorTemp !== after.colorTemp) return true;
  if (before.motion !== after.motion) return true;
  if (before.availability !== after.availability) return true;
  if (before.power === null || after.power === null) return before.power !== after.power;
  return Math.abs(after.power - before.power) >= Math.max(LEAST_W, LEAST_PART * before.power);
}
