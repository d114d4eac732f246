import { describe, expect, it } from 'vitest';
import { ConcurrencyLimiter } from '../../src/bridge/concurrency-limiter.ts';
import { ManualClock } from '../support/manual-clock.ts';

describe('the limiter', () => {
  it('lets so many in at a time, in the order they came', () => {
    const limiter = new ConcurrencyLimiter(new ManualClock(), 2);
    const inside: { name: number; leave: () => void }[] = [];
    for (let name = 0; name < 5; name++) limiter.acquire((leave) => inside.push({ name, leave }));
    expect(inside.map(({ name }) => name)).toEqual([0, 1]);
    inside[1]?.leave();
    expect(inside.map(({ name }) => name)).toEqual([0, 1, 2]);
    inside[0]?.leave();
    inside[2]?.leave();
    expect(inside.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives the room of one back only once, however often he leaves', () => {
    const limiter = new ConcurrencyLimiter(new ManualClock(), 1);
    const inside: (() => void)[] = [];
    for (let name = 0; name < 3; name++) limiter.acquire((leave) => inside.push(leave));
    inside[0]?.();
    inside[0]?.();
    expect(inside).toHaveLength(2);
  });

  it('gives the room of one who stays back after a second', async () => {
    const clock = new ManualClock();
    const limiter = new ConcurrencyLimiter(clock, 1);
    let second = false;
    let leave = () => {};
    limiter.acquire((give) => {
      leave = give;
    });
    limiter.acquire((give) => {
      second = true;
      give();
    });
    await clock.advance(999);
    expect(second).toBe(false);
    await clock.advance(1);
    expect(second).toBe(true);
    leave();
    expect(clock.armed).toBe(0);
  });

  it('is passed by ten thousand who leave at once, without running deep', () => {
    const limiter = new ConcurrencyLimiter(new ManualClock(), 1);
    let open = () => {};
    limiter.acquire((leave) => {
      open = leave;
    });
    let passed = 0;
    for (let each = 0; each < 10_000; each++) {
      limiter.acquire((leave) => {
        passed++;
        leave();
      });
    }
    expect(passed).toBe(0);
    open();
    expect(passed).toBe(10_000);
  });

  it('leaves no timer behind when all have left', () => {
    const clock = new ManualClock();
    const limiter = new ConcurrencyLimiter(clock, 4);
    for (let each = 0; each < 10; each++) limiter.acquire((leave) => leave());
    expect(clock.armed).toBe(0);
  });
});
