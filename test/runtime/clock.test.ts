import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  momentOf,
  SystemClock,
  sleep,
  type Timer,
  type TimeSources,
  timeOf,
} from '../../src/runtime/clock.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

/** Timers of the platform that are armed in this process. */
function platformTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** Waits until `timer`'s neighbour of the same clock, set for the same time, has had its turn. */
async function turnOf(clock: SystemClock, delayMs: number): Promise<void> {
  let came = false;
  clock
    .timer(() => {
      came = true;
    })
    .set(delayMs);
  await until(() => came, 'a timer of the same slot');
}

describe('the real clock', () => {
  it('fires timers once each, the shorter one first, whatever was set first', async () => {
    const clock = new SystemClock();
    const fired: string[] = [];
    clock.timer(() => fired.push('long')).set(25);
    clock.timer(() => fired.push('short')).set(5);
    await until(() => fired.length === 2, 'both timers');
    await turnOf(clock, 5);
    expect(fired).toEqual(['short', 'long']);
  });

  it('fires a timer that is due at once, also when its time lies in the past', async () => {
    const clock = new SystemClock();
    const fired: string[] = [];
    clock.timer(() => fired.push('now')).set(0);
    clock.timer(() => fired.push('past')).set(-1000);
    await until(() => fired.length === 2, 'both timers');
  });

  it('shares one timer of the platform between timers of the same slot', async () => {
    const clock = new SystemClock();
    const before = platformTimers();
    const timers = Array.from({ length: 100 }, () => clock.timer(() => {}));
    for (const timer of timers) timer.set(60_000);
    // A slot of a long delay is 50 ms wide: setting a hundred timers may at worst run into the next one.
    expect(platformTimers() - before).toBeLessThan(10);
    for (const timer of timers) timer.clear();
    expect(platformTimers()).toBe(before);
  });

  it('fires all timers of a slot in the order in which they were set', async () => {
    const clock = new SystemClock();
    const fired: number[] = [];
    setTogether(
      clock,
      [1, 2, 3].map((name) => clock.timer(() => fired.push(name))),
    );
    await until(() => fired.length === 3, 'all timers');
    expect(fired).toEqual([1, 2, 3]);
  });

  it('does not fire a timer that was cleared', async () => {
    const clock = new SystemClock();
    let fired = false;
    const timer = clock.timer(() => {
      fired = true;
    });
    timer.set(5);
    timer.clear();
    timer.clear();
    await turnOf(clock, 10);
    expect(fired).toBe(false);
  });

  it('fires a timer that was set again once, at its later time', async () => {
    const clock = new SystemClock();
    const fired: string[] = [];
    const timer = clock.timer(() => fired.push('timer'));
    timer.set(5);
    clock.timer(() => fired.push('between')).set(15);
    timer.set(300);
    await until(() => fired.includes('timer'), 'the timer');
    await turnOf(clock, 5);
    expect(fired).toEqual(['between', 'timer']);
  });

  it('does not fire a timer that another timer of the same slot clears', async () => {
    const clock = new SystemClock();
    const fired: string[] = [];
    const victim = clock.timer(() => fired.push('victim'));
    const first = clock.timer(() => {
      fired.push('first');
      victim.clear();
    });
    setTogether(clock, [first, victim]);
    await until(() => fired.length > 0, 'the first timer');
    await turnOf(clock, 5);
    expect(fired).toEqual(['first']);
  });

  it('lets a timer that another one of the same slot sets again fire later, once', async () => {
    const clock = new SystemClock();
    const fired: string[] = [];
    const second = clock.timer(() => fired.push('second'));
    const first = clock.timer(() => {
      fired.push('first');
      second.set(20);
      clock.timer(() => fired.push('between')).set(1);
    });
    setTogether(clock, [first, second]);
    await until(() => fired.length === 3, 'all timers');
    expect(fired).toEqual(['first', 'between', 'second']);
  });

  it('lets a timer set itself again while it fires', async () => {
    const clock = new SystemClock();
    const before = platformTimers();
    let turns = 0;
    const timer: Timer = clock.timer(() => {
      if (++turns < 5) timer.set(0);
    });
    timer.set(0);
    await until(() => turns === 5, 'five turns');
    expect(platformTimers()).toBe(before);
  });

  it('runs what is to come soon after the promises that are at hand', async () => {
    const order: string[] = [];
    const clock = new SystemClock();
    const soon = new Promise<void>((resolve) => {
      clock.soon(() => {
        order.push('soon');
        resolve();
      });
    });
    void Promise.resolve().then(() => order.push('promise'));
    await soon;
    expect(order).toEqual(['promise', 'soon']);
  });
});

/** Sets all timers in one slot: again and again until no slot boundary fell between them. */
function setTogether(clock: SystemClock, timers: readonly Timer[]): void {
  const slotNow = () => Math.ceil(clock.now() + 5);
  for (;;) {
    const before = slotNow();
    for (const timer of timers) timer.set(5);
    if (slotNow() === before) return;
  }
}

describe('sleeping', () => {
  it('lasts as long as it was asked to', async () => {
    const clock = new ManualClock();
    let awake = false;
    const slept = sleep(clock, 100).then(() => {
      awake = true;
    });
    await clock.advance(99);
    expect(awake).toBe(false);
    await clock.advance(1);
    await slept;
    expect(clock.armed).toBe(0);
  });

  it('ends at once when its signal aborts, and leaves no timer behind', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const slept = sleep(clock, 100, stop.signal);
    expect(clock.armed).toBe(1);
    stop.abort();
    await slept;
    expect(clock.armed).toBe(0);
  });

  it('does not begin when its signal has aborted already', async () => {
    const clock = new ManualClock();
    await sleep(clock, 100, AbortSignal.abort());
    expect(clock.armed).toBe(0);
  });

  it('takes its listener off the signal when it ends by itself', async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    const slept = Array.from({ length: 50 }, () => sleep(clock, 100, signal));
    expect(getEventListeners(signal, 'abort')).toHaveLength(50);
    await clock.advance(100);
    await Promise.all(slept);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('leaves nothing to happen later when it was aborted', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    let woke = 0;
    void sleep(clock, 100, stop.signal).then(() => woke++);
    stop.abort();
    await settled();
    await clock.advance(1000);
    expect(woke).toBe(1);
  });
});

/** Clocks of a machine that a test suspends, and whose wall clock it sets. */
class Machine implements TimeSources {
  asleepMs = 0;
  wallMs = 0;
  readonly boot = 'boot 1';
  readonly monotonic = () => performance.now();
  readonly wall = () => performance.now() + this.asleepMs + this.wallMs;
  readonly uptime = () => (performance.now() + this.asleepMs) / 1000;
}

const HOUR_MS = 3_600_000;

describe('a machine that is suspended', () => {
  it('ages everything by the time asleep', () => {
    const machine = new Machine();
    const clock = new SystemClock(machine);
    const before = clock.now();
    machine.asleepMs = HOUR_MS;
    expect(clock.now() - before).toBeGreaterThanOrEqual(HOUR_MS);
    expect(clock.now() - before).toBeLessThan(HOUR_MS + 60_000);
  });

  it('fires timers that fell due while it slept, and leaves the others', async () => {
    const machine = new Machine();
    const clock = new SystemClock(machine);
    const fired: string[] = [];
    const [missed, later] = ['missed', 'later'].map((name) => clock.timer(() => fired.push(name)));
    missed?.set(HOUR_MS);
    later?.set(2 * HOUR_MS);
    machine.asleepMs = HOUR_MS;
    clock.now();
    await until(() => fired.length > 0, 'the missed timer');
    await turnOf(clock, 5);
    expect(fired).toEqual(['missed']);
    later?.clear();
  });
});

describe('a wall clock that is set', () => {
  it('neither ends timers nor prolongs them, whichever way it jumps', async () => {
    const machine = new Machine();
    const clock = new SystemClock(machine);
    const before = clock.now();
    const fired: string[] = [];
    const timer = clock.timer(() => fired.push('early'));
    timer.set(HOUR_MS);
    for (const jump of [HOUR_MS * 24, -HOUR_MS * 24]) {
      machine.wallMs = jump;
      expect(clock.now() - before).toBeLessThan(60_000);
      expect(clock.now()).toBeGreaterThanOrEqual(before);
    }
    await turnOf(clock, 5);
    expect(fired).toEqual([]);
    timer.clear();
  });

  it('counts for a stored moment only if the machine was booted anew since', () => {
    const clock = new ManualClock();
    const moment = momentOf(clock, clock.now() + HOUR_MS);
    clock.setWall(HOUR_MS);
    expect(timeOf(clock, moment)).toBe(HOUR_MS);
    const booted = new ManualClock('2026-01-01T12:30:00Z', 'boot 2');
    expect(timeOf(booted, moment)).toBe(HOUR_MS / 2);
  });
});

describe('a delay of more than 24.8 days', () => {
  it('is waited for, though timers of the platform fire at once', async () => {
    const clock = new SystemClock();
    const fired: string[] = [];
    const timer = clock.timer(() => fired.push('early'));
    timer.set(30 * 24 * HOUR_MS);
    await turnOf(clock, 5);
    expect(fired).toEqual([]);
    timer.clear();
  });
});
