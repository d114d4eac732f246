import { describe, expect, it } from 'vitest';
import type { Disconnect } from '../../src/mqtt/disconnect.ts';
import { ReconnectPolicy } from '../../src/mqtt/reconnect-policy.ts';

const HOUR_MS = 3_600_000;

const end = (connected: boolean, code?: number): Disconnect => ({
  connected,
  code,
  unanswered: false,
  message: 'the connection was closed',
});

const waits = (policy: ReconnectPolicy, count: number) =>
  Array.from({ length: count }, () => policy.after(end(false), 0).waitMs);

describe('the policy of reconnecting', () => {
  it('waits longer each time, up to half a minute, and says which failure is the first', () => {
    const policy = new ReconnectPolicy(1, () => 0);
    expect(policy.after(end(false), 0)).toEqual({ waitMs: 500, first: true, takenOver: false });
    expect(policy.after(end(false), 0)).toEqual({ waitMs: 1000, first: false, takenOver: false });
    expect(waits(policy, 6)).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('begins anew after a connection that held for a while', () => {
    const policy = new ReconnectPolicy(1, () => 0);
    waits(policy, 5);
    expect(policy.after(end(true), HOUR_MS)).toMatchObject({ waitMs: 500, first: true });
  });

  it('tries each of several brokers before it waits', () => {
    expect(waits(new ReconnectPolicy(3, () => 0), 6)).toEqual([0, 0, 500, 0, 0, 1000]);
  });

  it('stays away for a minute when another client took over, and when it looks like that', () => {
    const told = new ReconnectPolicy(1, () => 0);
    expect(told.after(end(true, 142), HOUR_MS)).toMatchObject({ waitMs: 60_000, takenOver: true });
    const guessed = new ReconnectPolicy(1, () => 0);
    const brief = () => guessed.after(end(true), 100).takenOver;
    expect([brief(), brief(), brief()]).toEqual([false, false, true]);
    guessed.after(end(true), HOUR_MS);
    expect([brief(), brief(), brief()]).toEqual([false, false, true]);
  });

  it('suspects no other client where it is known why connections ended', () => {
    const policy = new ReconnectPolicy(1, () => 0);
    const results = Array.from({ length: 5 }, () => policy.after(end(true), 100, true).takenOver);
    expect(results).toEqual([false, false, false, false, false]);
  });
});
