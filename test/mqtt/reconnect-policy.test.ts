import { describe, expect, it } from 'vitest';
import type { Disconnect } from '../../src/mqtt/disconnect.ts';
import { type ConnectionEnd, ReconnectPolicy } from '../../src/mqtt/reconnect-policy.ts';

const HOUR_MS = 3_600_000;

const end = (connected: boolean, code?: number): Disconnect => ({
  connected,
  code,
  unanswered: false,
  message: 'the connection was closed',
});

/** How a connection ended that was held for so long. */
const held = (heldMs: number, more: Partial<ConnectionEnd> = {}): ConnectionEnd => ({
  heldMs,
  hasOthers: false,
  isExplained: false,
  ...more,
});

const waits = (policy: ReconnectPolicy, count: number) =>
  Array.from({ length: count }, () => policy.after(end(false), held(0)).waitMs);

describe('the policy of reconnecting', () => {
  it('waits longer each time, up to half a minute, and says which failure is the first', () => {
    const policy = new ReconnectPolicy(true, () => 0);
    expect(policy.after(end(false), held(0))).toEqual({ waitMs: 500, first: true, takenOver: false });
    expect(policy.after(end(false), held(0))).toEqual({ waitMs: 1000, first: false, takenOver: false });
    expect(waits(policy, 6)).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('begins anew after a connection that held for a while', () => {
    const policy = new ReconnectPolicy(true, () => 0);
    waits(policy, 5);
    expect(policy.after(end(true), held(HOUR_MS))).toMatchObject({ waitMs: 500, first: true });
  });

  it('does not wait while there are other brokers to try', () => {
    const policy = new ReconnectPolicy(true, () => 0);
    const round = () =>
      [true, true, false].map((hasOthers) => policy.after(end(false), held(0, { hasOthers })).waitMs);
    expect([...round(), ...round()]).toEqual([0, 0, 500, 0, 0, 1000]);
  });

  it('stays away for a minute when another client took over, and when it looks like that', () => {
    const told = new ReconnectPolicy(false, () => 0);
    expect(told.after(end(true, 142), held(HOUR_MS))).toMatchObject({ waitMs: 60_000, takenOver: true });
    const guessed = new ReconnectPolicy(true, () => 0);
    const brief = () => guessed.after(end(true), held(100));
    const five = () => Array.from({ length: 5 }, brief);
    expect(five().map(({ waitMs }) => waitMs)).toEqual([0, 0, 0, 0, 60_000]);
    guessed.after(end(true), held(HOUR_MS));
    expect(five().map(({ takenOver }) => takenOver)).toEqual([false, false, false, false, true]);
  });

  it('takes three restarts of a broker in 16 s for what they are: it is gone when it is tried again at once', () => {
    const policy = new ReconnectPolicy(true, () => 0);
    const restart = () => [policy.after(end(true), held(5000)), policy.after(end(false), held(0))];
    const results = [...restart(), ...restart(), ...restart()];
    expect(results.map(({ takenOver }) => takenOver)).not.toContain(true);
  });

  it('takes the nodes of a cluster that restart one after the other for what they are', () => {
    const policy = new ReconnectPolicy(true, () => 0);
    const nodes = [1, 2, 3].map(() => policy.after(end(true), held(5000, { hasOthers: true })));
    expect(nodes.map(({ waitMs }) => waitMs)).toEqual([0, 0, 0]);
  });

  it('suspects no other client where no other can have the same client id', () => {
    const policy = new ReconnectPolicy(false, () => 0);
    const results = Array.from({ length: 6 }, () => policy.after(end(true), held(100)));
    expect(results.map(({ takenOver }) => takenOver)).not.toContain(true);
    expect(results.map(({ waitMs }) => waitMs)).toEqual([500, 1000, 2000, 4000, 8000, 16_000]);
  });

  it('suspects no other client where it is known why connections ended', () => {
    const policy = new ReconnectPolicy(true, () => 0);
    const isExplained = true;
    const results = Array.from(
      { length: 6 },
      () => policy.after(end(true), held(100, { isExplained })).takenOver,
    );
    expect(results).not.toContain(true);
  });
});
