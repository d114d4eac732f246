/** A timer that is made once and set as often as needed; setting it again replaces the earlier time. */
export interface Timer {
  set(delayMs: number): void;
  clear(): void;
}

/** All the time there is in the program: nothing else reads a clock or arms a timer. */
export interface Clock {
  /** Milliseconds that only ever grow; for durations. */
  now(): number;
  /** Milliseconds since 1970, UTC; for what is shown to people. */
  date(): number;
  /** Makes a timer, not yet set. */
  timer(fire: () => void): Timer;
  /** Runs `fire` once the input that is at hand has been dealt with. */
  soon(fire: () => void): void;
}

/** Waits `delayMs`; resolves at once when `signal` aborts (the caller looks at the signal). */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      timer.clear();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.timer(done);
    timer.set(delayMs);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/**
 * The real clock. Timers that fall due in the same slot share one timer of the platform, and long delays have
 * wide slots: with a hundred plugs the cost is the number of wake-ups, not the work done in them.
 */
export class SystemClock implements Clock {
  readonly #slots = new Map<number, Slot>();

  now(): number {
    return performance.now();
  }

  date(): number {
    return Date.now();
  }

  timer(fire: () => void): Timer {
    return new SlottedTimer(this.#slots, fire);
  }

  soon(fire: () => void): void {
    setImmediate(fire);
  }
}

interface Slot {
  readonly due: number;
  readonly timers: Set<SlottedTimer>;
  readonly handle: NodeJS.Timeout;
  /** Those of its timers that still want to fire; for the others alone the program is not kept running. */
  wanted: number;
}

/** Slot width for a delay: never more than a tenth of it, never more than 50 ms. */
function widthFor(delayMs: number): number {
  if (delayMs >= 500) return 50;
  return delayMs >= 100 ? 10 : 1;
}

/**
 * A timer that is cleared or set later stays in its slot, which moves it on when it comes up: most timers are
 * deadlines of what ends in time, set and cleared again at every poll.
 */
class SlottedTimer implements Timer {
  readonly #slots: Map<number, Slot>;
  readonly #fire: () => void;
  #slot: Slot | undefined;
  #due = Number.POSITIVE_INFINITY;

  constructor(slots: Map<number, Slot>, fire: () => void) {
    this.#slots = slots;
    this.#fire = fire;
  }

  set(delayMs: number): void {
    const now = performance.now();
    const width = widthFor(delayMs);
    const due = Math.ceil((now + Math.max(0, delayMs)) / width) * width;
    if (this.#slot !== undefined && this.#slot.due <= due) {
      if (this.#due === Number.POSITIVE_INFINITY) want(this.#slot);
    } else {
      this.clear();
      this.#leave();
      this.#join(due, now);
    }
    this.#due = due;
  }

  clear(): void {
    if (this.#due === Number.POSITIVE_INFINITY) return;
    this.#due = Number.POSITIVE_INFINITY;
    if (this.#slot !== undefined) unwant(this.#slot);
  }

  /** Its slot has come up, perhaps a little early. */
  slotCame(now: number): void {
    this.#slot = undefined;
    if (this.#due > now) {
      if (this.#due < Number.POSITIVE_INFINITY) this.#join(this.#due, now);
      return;
    }
    this.#due = Number.POSITIVE_INFINITY;
    this.#fire();
  }

  /** A slot that nobody is in any more goes with its last timer: it may be days away. */
  #leave(): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    slot.timers.delete(this);
    if (slot.timers.size > 0 || this.#slots.get(slot.due) !== slot) return;
    clearTimeout(slot.handle);
    this.#slots.delete(slot.due);
  }

  #join(due: number, now: number): void {
    this.#slot = this.#slots.get(due) ?? openSlot(this.#slots, due, due - now);
    this.#slot.timers.add(this);
    want(this.#slot);
  }
}

function openSlot(slots: Map<number, Slot>, due: number, delayMs: number): Slot {
  const handle = setTimeout(() => {
    slots.delete(due);
    const now = Math.max(due, performance.now());
    for (const timer of slot.timers) timer.slotCame(now);
  }, delayMs).unref();
  const slot: Slot = { due, timers: new Set(), handle, wanted: 0 };
  slots.set(due, slot);
  return slot;
}

function want(slot: Slot): void {
  if (slot.wanted++ === 0) slot.handle.ref();
}

function unwant(slot: Slot): void {
  if (--slot.wanted === 0) slot.handle.unref();
}
