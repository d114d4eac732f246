import type { Clock } from '../runtime/clock.ts';

/** How long after a subscription aedes may still send what was retained then. */
const WINDOW_MS = 60_000;

/**
 * What was newly retained since a client last subscribed. aedes reads retained messages ahead when a client subscribes,
 * and may send one after a newer message of the same topic: a plug would look offline for as long as nothing changes.
 */
export class RecentRetained {
  readonly #clock: Clock;
  readonly #payloads = new Map<string, string | Buffer>();
  #until = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A client subscribes: what is retained from now on is noted for a while. */
  subscribed(): void {
    this.#isOver();
    this.#until = this.#clock.now() + WINDOW_MS;
  }

  /** A message is retained; an empty one clears its topic. */
  retained(topic: string, payload: string | Buffer): void {
    if (!this.#isOver()) this.#payloads.set(topic, payload);
  }

  /** What is retained by now on a topic of which an older message is to be sent; `undefined` if nothing is newer. */
  newest(topic: string): string | Buffer | undefined {
    return this.#isOver() ? undefined : this.#payloads.get(topic);
  }

  #isOver(): boolean {
    if (this.#clock.now() < this.#until) return false;
    if (this.#payloads.size > 0) this.#payloads.clear();
    return true;
  }
}
