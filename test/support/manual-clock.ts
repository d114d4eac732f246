import type { Clock, Timer } from '../../src/runtime/clock.ts';

/** A clock that stands still until a test moves it. Timers fire in order, each at its own time. */
export class ManualClock implements Clock {
  readonly #timers = new Set<ManualTimer>();
  #now = 0;
  readonly boot: string;
  #epoch: number;

  /** Two clocks of one boot go on from one another: a bridge restarted on the same machine. */
  constructor(startsAt = '2026-01-01T12:00:00Z', boot = 'boot 1') {
    this.#epoch = Date.parse(startsAt);
    this.boot = boot;
  }

  now(): number {
    return this.#now;
  }

  date(): number {
    return this.#epoch + this.#now;
  }

  /** Somebody, or a time server, sets the wall clock; no time passes. */
  setWall(byMs: number): void {
    this.#epoch += byMs;
  }

  /** The machine sleeps: time passes while nothing runs. What fell due meanwhile fires with the next {@link advance}. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  timer(fire: () => void): Timer {
    return new ManualTimer(this.#timers, () => this.#now, fire);
  }

  soon(fire: () => void): void {
    setImmediate(fire);
  }

  /** How many timers are armed: none may be left when everything has stopped. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and between timers lets everything run that does not wait for time or a network. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#now = Math.max(this.#now, next.due);
      next.fire();
      await settled();
    }
    this.#now = until;
  }

  #next(until: number): ManualTimer | undefined {
    let first: ManualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= until && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }
}

class ManualTimer implements Timer {
  readonly #armed: Set<ManualTimer>;
  readonly #now: () => number;
  readonly #fire: () => void;
  due = Number.POSITIVE_INFINITY;

  constructor(armed: Set<ManualTimer>, now: () => number, fire: () => void) {
    this.#armed = armed;
    this.#now = now;
    this.#fire = fire;
  }

  set(delayMs: number): void {
    this.due = this.#now() + Math.max(0, delayMs);
    this.#armed.add(this);
  }

  clear(): void {
    this.#armed.delete(this);
  }

  fire(): void {
    this.clear();
    this.#fire();
  }
}

/** Resolves when promises and immediates that are under way have run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
