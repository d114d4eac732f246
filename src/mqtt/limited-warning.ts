import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';

const INTERVAL_MS = 60_000;

/** A warning that is logged at most once a minute, with the number of those left out in between. */
export class LimitedWarning {
  readonly #message: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #last = Number.NEGATIVE_INFINITY;
  #leftOut = 0;

  constructor(message: string, { clock, log }: { clock: Clock; log: Logger }) {
    this.#message = message;
    this.#clock = clock;
    this.#log = log;
  }

  warn(details: object): void {
    const now = this.#clock.now();
    if (now - this.#last < INTERVAL_MS) {
      this.#leftOut++;
      return;
    }
    this.#log.warn(
      { ...details, ...(this.#leftOut > 0 ? { othersSince: this.#leftOut } : {}) },
      this.#message,
    );
    this.#last = now;
    this.#leftOut = 0;
  }
}
