import type { Clock } from '../runtime/clock.ts';

/** A user that is ahead of its rate by more than this is not waited for any longer. */
const MOST_AHEAD_MS = 10_000;

/** Spreads messages to so many a second, a second's worth of them at once. */
export class PublishRate {
  readonly #perMessageMs: number;
  readonly #clock: Clock;
  /** When what has been published would be paid for. */
  #paidAt = 0;

  constructor(perSecond: number, clock: Clock) {
    this.#perMessageMs = 1000 / perSecond;
    this.#clock = clock;
  }

  /** How long the next message has to wait, in ms; `undefined` if it is too far ahead. */
  next(): number | undefined {
    const now = this.#clock.now();
    const paidAt = Math.max(now, this.#paidAt) + this.#perMessageMs;
    const aheadMs = paidAt - now - 1000;
    if (aheadMs > MOST_AHEAD_MS) return undefined;
    this.#paidAt = paidAt;
    return Math.max(0, Math.ceil(aheadMs));
  }
}
