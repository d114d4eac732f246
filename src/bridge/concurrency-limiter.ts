import type { Clock, Timer } from '../runtime/clock.ts';

/** A slot is given back at the latest after this time: a dead plug must not hold up the living. */
const LONGEST_HOLD_MS = 1000;

/** Lets at most `limit` run at a time, in the order they came. */
export class ConcurrencyLimiter {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #admitting = false;

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Calls `run` when a slot is free. The function handed to it gives the slot back. */
  acquire(run: (release: () => void) => void): void {
    this.#waiting.push(() => run(this.#slot()));
    this.#admit();
  }

  #slot(): () => void {
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      timer.clear();
      this.#running--;
      this.#admit();
    };
    const timer = this.#clock.timer(release);
    timer.set(LONGEST_HOLD_MS);
    return release;
  }

  #admit(): void {
    // A task that ends at once comes back here: the loop that is running lets the next one in.
    if (this.#admitting) return;
    this.#admitting = true;
    while (this.#running < this.#limit) {
      const start = this.#waiting.shift();
      if (start === undefined) break;
      this.#running++;
      start();
    }
    this.#admitting = false;
  }
}

/** One who waits for a time and then for a free slot, unless it ends before. */
export class Turn {
  readonly #limiter: ConcurrencyLimiter;
  readonly #come: () => void;
  readonly #timer: Timer;
  #release = () => {};
  #ended = false;

  constructor(clock: Clock, limiter: ConcurrencyLimiter, come: () => void) {
    this.#limiter = limiter;
    this.#come = come;
    this.#timer = clock.timer(() => this.#acquire());
  }

  /** Calls `come` when the time is over and a slot is free. */
  await(afterMs: number): void {
    if (this.#ended) return;
    if (afterMs > 0) this.#timer.set(afterMs);
    else this.#acquire();
  }

  /** Gives the slot back. */
  leave(): void {
    this.#release();
  }

  /** Gives the slot back, and takes none any more. */
  end(): void {
    this.#ended = true;
    this.#timer.clear();
    this.#release();
  }

  #acquire(): void {
    this.#limiter.acquire((release) => {
      this.#release = release;
      if (this.#ended) release();
      else this.#come();
    });
  }
}
