import { describe, expect, it } from 'vitest';
import { PlugError } from '../../src/errors.ts';
import { BridgeBench } from '../support/bridge-bench.ts';
import { PlugBench, type TimedTransport } from '../support/plug-bench.ts';

const HOUR = 3_600_000;
const MISTAKE = 'unexpected failure; polling goes on';

/** From now on every exchange runs into a mistake of this program; returns when each one did. */
function spoil(transport: TimedTransport, clock: { now(): number }): number[] {
  const at: number[] = [];
  transport.exchange = () => {
    at.push(clock.now());
    return Promise.reject(new TypeError('a mistake'));
  };
  return at;
}

describe('a plug that never answers', () => {
  it('is not tried more often than every two seconds for a command without end', async () => {
    const bench = await PlugBench.polled();
    bench.fail('timeout');
    const { ended } = bench.order({ relay: 'on', until: Number.POSITIVE_INFINITY });
    const before = bench.transport.asked.length;
    await bench.clock.advance(HOUR);
    const tries = bench.transport.asked.length - before;
    expect(tries).toBeGreaterThan(HOUR / 4000);
    expect(tries).toBeLessThan(HOUR / 2000 + HOUR / 60_000 + 20);
    expect(ended()).toBeUndefined();
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(2000);
    expect(ended()).toEqual({ outcome: 'confirmed' });
  });

  it.each([
    [
      'a timer',
      { relay: true, timer: { relay: false, at: { boot: 'boot 1', at: 1000, date: 0 }, armed: true } },
    ],
    ['a countdown to be taken off', { relay: true, disarm: true }],
  ])('is left in peace more and more because of %s', async (_what, memory) => {
    const bench = await PlugBench.polled({ device: { on: true }, memory, mac: '50:C7:BF:00:00:01' });
    bench.fail('timeout');
    const before = bench.transport.asked.length;
    await bench.clock.advance(HOUR);
    // Polls and attempts each back off to one a minute.
    expect(bench.transport.asked.length - before).toBeLessThan(2 * 60 + 30);
  });

  it('that accepts a correction and never follows is asked less and less often', async () => {
    const bench = await PlugBench.polled({ policy: { enforce: true }, device: { on: true } });
    bench.transport.overlay = { relay_state: 0 };
    await bench.clock.advance(HOUR);
    const switched = bench.transport.times(({ system }) => system?.set_relay_state !== undefined);
    expect(switched.length).toBeGreaterThan(10);
    expect(switched.length).toBeLessThan(100);
  });
});

describe('a mistake of this program that is made each time', () => {
  it('is said once, does not spin, and leaves the other plugs alone', async () => {
    const bench = await BridgeBench.running(['east/a', 'east/b']);
    const tries = spoil(bench.transport('east/a'), bench.clock);
    const { ended } = bench.command('east', { relay: 'on', ttlMs: HOUR });
    await bench.clock.advance(60_000);
    expect(tries.length).toBeGreaterThan(2);
    expect(tries.length).toBeLessThan(60);
    expect(bench.relays).toEqual([false, true]);
    expect(bench.bridge.plug('east/a')).toMatchObject({ availability: 'offline', problem: 'internal' });
    expect(bench.bridge.plug('east/b')).toMatchObject({ availability: 'online', problem: null });
    await bench.clock.advance(HOUR);
    expect(ended()).toMatchObject({
      outcome: 'partial',
      confirmed: 1,
      missing: [{ path: 'east/a', reason: 'internal' }],
    });
    expect(tries.length).toBeLessThan(HOUR / 2000 + HOUR / 60_000 + 50);
    expect(bench.log.lines.filter(({ msg }) => msg === MISTAKE)).toHaveLength(1);
  });

  it('is not repeated at once for a correction either', async () => {
    const memory = {
      relay: true,
      timer: { relay: false, at: { boot: 'boot 1', at: 1000, date: 0 }, armed: true },
    };
    const bench = await PlugBench.polled({ device: { on: true }, memory, mac: '50:C7:BF:00:00:01' });
    const tries = spoil(bench.transport, bench.clock);
    await bench.clock.advance(HOUR);
    expect(tries.length).toBeLessThan(2 * 60 + 30);
    expect(bench.said(MISTAKE)).toHaveLength(1);
  });
});

describe('the reason of a command that expired', () => {
  it.each(['timeout', 'unreachable', 'not-found', 'wrong-plug'] as const)(
    'is %s if that is why',
    async (reason) => {
      const bench = await PlugBench.polled();
      bench.fail(reason);
      const { end } = bench.order({ relay: 'on' });
      await bench.clock.advance(60_000);
      expect(await end).toEqual({ outcome: 'expired', reason });
    },
  );

  it('is not-found for a plug that has never been found, without an attempt', async () => {
    const bench = new PlugBench();
    bench.transport.address = undefined;
    bench.transport.behaviour = new PlugError('not-found', 'not found yet');
    const { ended } = bench.order({ relay: 'on' });
    bench.loop.start(0);
    await bench.clock.advance(60_000);
    expect(ended()).toEqual({ outcome: 'expired', reason: 'not-found' });
  });
});

describe('a plug that does not say since when it is on', () => {
  it('is on since a time that nobody knows, not since now', async () => {
    const bench = await PlugBench.polled({ device: { on: true } });
    await bench.clock.advance(10_000);
    expect(bench.state.onSince).not.toBeNull();
    bench.transport.overlay = { on_time: undefined };
    await bench.clock.advance(10_000);
    expect(bench.state).toMatchObject({ relay: true, onSince: null });
  });
});

describe('a plug that does half of a command', () => {
  it('has its relay told as it is, switched by who asked, and the refusal of the LED as the reason', async () => {
    const bench = await PlugBench.polled();
    bench.device.broken.set('system.set_led_off', -1);
    const settlement = await bench.order({ relay: 'on', led: false, origin: 'web' }).end;
    expect(settlement).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('set_led_off') });
    expect(bench.state).toMatchObject({ relay: true, led: true, changedBy: 'web' });
    expect(bench.stored.relay).toBe(true);
  });
});

describe('locked plugs', () => {
  it('are counted apart in the receipt of a place, which is confirmed without them', async () => {
    const bench = await BridgeBench.running(['east/a', 'east/freezer'], {
      policies: { 'east/freezer': { locked: true } },
    });
    expect(await bench.command('east', { relay: 'on' }).receipt).toMatchObject({
      ...{ outcome: 'confirmed', confirmed: 1, total: 2, missing: [], locked: 1 },
    });
    expect(bench.relays).toEqual([true, false]);
  });

  it('refuse the command of a place if they are all there is, and are never told to switch', async () => {
    const bench = await BridgeBench.running(['east/a', 'east/b'], {
      policies: { 'east/a': { locked: true }, 'east/b': { locked: true } },
    });
    expect(await bench.command('east', { relay: 'toggle' }).receipt).toMatchObject({
      ...{ outcome: 'refused', reason: 'all of its plugs are locked', confirmed: 0, missing: [], locked: 2 },
    });
    expect(await bench.command('east/a', { relay: 'on' }).receipt).toMatchObject({ outcome: 'refused' });
    await bench.clock.advance(10_000);
    expect(bench.switchedAt('east/a')).toBeUndefined();
  });
});
