import type { Clock } from '../runtime/clock.ts';
import { FLAP_MS, MOST_PUT_BACK } from './policy.ts';

/** Counts how often something was done lately, so that it is not done for ever. */
export class Tries {
  readonly #clock: Clock;
  #times: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(): void {
    this.#times.push(this.#clock.now());
  }

  /** Whether it was done as often as it may be. */
  get exhausted(): boolean {
    const since = this.#clock.now() - FLAP_MS;
    this.#times = this.#times.filter((at) => at > since);
    return this.#times.length >= MOST_PUT_BACK;
  }

  clear(): void {
    this.#times = [];
  }
}
