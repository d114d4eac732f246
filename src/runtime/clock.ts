import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** A timer that is made once and set as often as needed; setting it again replaces the earlier time. */
export interface Timer {
  set(delayMs: number): void;
  clear(): void;
}

/** All the time there is in the program: nothing else reads a clock or arms a timer. */
export interface Clock {
  /**
   * Milliseconds since the machine booted, time asleep included: a suspended machine ages what is wanted, a wall
   * clock that jumps does not.
   */
  now(): number;
  /** Milliseconds since 1970, UTC; for what is shown to people. */
  date(): number;
  /** Names this boot of the machine; times of `now()` mean nothing to another. */
  readonly boot: string;
  /** Makes a timer, not yet set. */
  timer(fire: () => void): Timer;
  /** Runs `fire` once the input that is at hand has been dealt with. */
  soon(fire: () => void): void;
}

/** A moment that can be stored: by the time since boot, and by the wall clock for after the next boot. */
export interface Moment {
  readonly boot: string;
  readonly at: number;
  readonly date: number;
}

/** The moment at `clock.now() === at`, to be stored. */
export function momentOf(clock: Clock, at: number): Moment {
  return { boot: clock.boot, at, date: clock.date() + at - clock.now() };
}

/** A stored moment by `clock.now()`: across a reboot only the wall clock knows how long the machine was off. */
export function timeOf(clock: Clock, moment: Moment): number {
  return moment.boot === clock.boot ? moment.at : clock.now() + moment.date - clock.date();
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

/** Where the real clock gets its time from. */
export interface TimeSources {
  /** Milliseconds that stand still while the machine is suspended. */
  readonly monotonic: () => number;
  /** Milliseconds since 1970, which jump when the wall clock is set. */
  readonly wall: () => number;
  /** Seconds since boot, time asleep included. */
  readonly uptime: () => number;
  readonly boot: string;
}

const SYSTEM: TimeSources = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  uptime,
  boot: bootId(),
};

/** The wall clock and the monotonic clock drift apart by less than this between two looks, unless something happened. */
const JUMP_MS = 500;

/** `setTimeout` fires at once for longer delays (2^31 - 1 ms, 24.8 days). */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

/**
 * The real clock. Timers that fall due in the same slot share one timer of the platform, and long delays have
 * wide slots: with a hundred plugs the cost is the number of wake-ups, not the work done in them.
 */
export class SystemClock implements Clock {
  readonly boot: string;
  readonly #sources: TimeSources;
  readonly #slots = new Map<number, Slot>();
  /** Milliseconds between the start of the monotonic clock and boot, and asleep since. */
  #offset: number;
  /** By how much the wall clock was ahead of the monotonic one when last looked at. */
  #ahead: number;

  constructor(sources: TimeSources = SYSTEM) {
    this.#sources = sources;
    this.boot = sources.boot;
    this.#offset = this.#uptimeAhead();
    this.#ahead = sources.wall() - sources.monotonic();
  }

  now(): number {
    const monotonic = this.#sources.monotonic();
    const ahead = this.#sources.wall() - monotonic;
    if (Math.abs(ahead - this.#ahead) > JUMP_MS) this.#jumped(ahead);
    return monotonic + this.#offset;
  }

  date(): number {
    return this.#sources.wall();
  }

  timer(fire: () => void): Timer {
    return new SlottedTimer(this, this.#slots, fire);
  }

  soon(fire: () => void): void {
    setImmediate(fire);
  }

  /** The wall clock was set, or the machine slept: the uptime shows which. Timers of the platform do not count sleep. */
  #jumped(ahead: number): void {
    this.#ahead = ahead;
    const offset = this.#uptimeAhead();
    if (offset - this.#offset <= JUMP_MS) return;
    this.#offset = offset;
    for (const slot of this.#slots.values()) rearm(this, slot);
  }

  #uptimeAhead(): number {
    return this.#sources.uptime() * 1000 - this.#sources.monotonic();
  }
}

/** Linux names each boot; elsewhere none is known, and each start of the program counts as one. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `started ${Date.now()}`;
  }
}

interface Slot {
  readonly due: number;
  readonly timers: Set<SlottedTimer>;
  readonly come: () => void;
  handle: NodeJS.Timeout;
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
  readonly #clock: Clock;
  readonly #slots: Map<number, Slot>;
  readonly #fire: () => void;
  #slot: Slot | undefined;
  #due = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, slots: Map<number, Slot>, fire: () => void) {
    this.#clock = clock;
    this.#slots = slots;
    this.#fire = fire;
  }

  set(delayMs: number): void {
    const now = this.#clock.now();
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

  /** A slot is removed with its last timer: it may be days away. */
  #leave(): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    slot.timers.delete(this);
    if (slot.timers.size > 0 || this.#slots.get(slot.due) !== slot) return;
    clearTimeout(slot.handle);
    this.#slots.delete(slot.due);
  }

  #join(due: number, now: number): void {
    this.#slot = this.#slots.get(due) ?? openSlot(this.#clock, this.#slots, due, now);
    this.#slot.timers.add(this);
    want(this.#slot);
  }
}

function openSlot(clock: Clock, slots: Map<number, Slot>, due: number, now: number): Slot {
  const come = () => {
    const at = clock.now();
    // Its handle may fire a little early, or long before a time that is weeks away.
    if (at < due - EARLY_MS) {
      rearm(clock, slot);
      return;
    }
    slots.delete(due);
    fire(slot.timers.values(), clock, due);
  };
  const slot: Slot = { due, timers: new Set(), come, handle: arm(come, due - now), wanted: 0 };
  slots.set(due, slot);
  return slot;
}

/** So many timers are fired before input that has arrived meanwhile is dealt with: a command does not wait for a crowd. */
const AT_A_TIME = 64;

function fire(timers: Iterator<SlottedTimer>, clock: Clock, due: number): void {
  for (let fired = 0; fired < AT_A_TIME; fired++) {
    const { value: timer, done } = timers.next();
    if (done === true) return;
    timer.slotCame(Math.max(due, clock.now()));
  }
  clock.soon(() => fire(timers, clock, due));
}

/** The timeouts of the platform fire up to this early. */
const EARLY_MS = 2;

function arm(come: () => void, delayMs: number): NodeJS.Timeout {
  return setTimeout(come, Math.min(delayMs, LONGEST_TIMEOUT_MS)).unref();
}

function rearm(clock: Clock, slot: Slot): void {
  clearTimeout(slot.handle);
  slot.handle = arm(slot.come, slot.due - clock.now());
  if (slot.wanted > 0) slot.handle.ref();
}

function want(slot: Slot): void {
  if (slot.wanted++ === 0) slot.handle.ref();
}

function unwant(slot: Slot): void {
  if (--slot.wanted === 0) slot.handle.unref();
}
