import { describe, expect, it } from 'vitest';
import type { DeviceSettings } from '../../src/bridge/device-spec.ts';
import type { Policy } from '../../src/bridge/policy.ts';
import { PlugError } from '../../src/errors.ts';
import { BridgeBench } from '../support/bridge-bench.ts';
import { POLICY, POLL } from '../support/plug-bench.ts';

/** What a device is set to whose one plug is at `path`. */
function at(path: string, policy: Partial<Policy> = {}, poll: Partial<typeof POLL> = {}): DeviceSettings {
  return {
    timeoutMs: 1000,
    poll: { ...POLL, ...poll },
    outlets: [{ path, id: null, policy: { ...POLICY, ...policy } }],
  };
}

describe('a plug that is moved while the bridge runs', () => {
  it('is at its new path with all that is known of it, and no longer at the old one', async () => {
    const { bridge, removed, plugs } = await BridgeBench.running(['east/a', 'west/b']);
    const before = bridge.plug('east/a');
    plugs.length = 0;
    bridge.configure(new Map([['east/a', at('west/a')]]));
    expect(bridge.plug('east/a')).toBeUndefined();
    expect(bridge.plug('west/a')).toEqual({ ...before, path: 'west/a' });
    expect([...bridge.places()]).toEqual(['', 'west']);
    expect(bridge.place('west')).toMatchObject({ total: 2, off: 2 });
    expect(removed).toEqual([{ path: 'east/a', places: ['east'] }]);
    expect(plugs).toMatchObject([{ before: { info: null }, after: { path: 'west/a' }, asked: true }]);
  });

  it('may swap paths with another, and a plug may go where a place was, and a place where a plug was', async () => {
    const { bridge } = await BridgeBench.running(['a', 'b', 'east/lamp', 'lamp']);
    const mac = (path: string) => bridge.plug(path)?.info?.mac;
    const [a, b] = [mac('a'), mac('b')];
    bridge.configure(
      new Map([
        ['a', at('b')],
        ['b', at('a')],
        ['east/lamp', at('lamp/east')],
        ['lamp', at('east')],
      ]),
    );
    expect([mac('a'), mac('b')]).toEqual([b, a]);
    expect([...bridge.places()]).toEqual(['', 'lamp']);
    expect(bridge.plug('east')).toMatchObject({ availability: 'online' });
  });

  it('carries out an open command all the same; its receipt names the path that it was sent to', async () => {
    const bench = await BridgeBench.running(['east/a', 'east/b']);
    const { bridge, clock, memory } = bench;
    bench.transport('east/a').behaviour = new PlugError('timeout', 'away');
    const single = bench.command('east/a', { relay: 'toggle', id: 'one' });
    const place = bench.command('east', { led: false, id: 'both' });
    await clock.advance(1500);
    bridge.configure(new Map([['east/a', at('west/c')]]));
    expect(place.ended() ?? single.ended()).toBeUndefined();
    bench.transport('east/a').behaviour = 'answer';
    await clock.advance(5000);
    expect(single.ended()).toMatchObject({ id: 'one', target: 'east/a', relay: 'on', outcome: 'confirmed' });
    expect(place.ended()).toMatchObject({ id: 'both', target: 'east', outcome: 'confirmed', total: 2 });
    expect(bridge.plug('west/c')).toMatchObject({ relay: true, led: false });
    expect(bench.receipts).toHaveLength(2);
    for (const { command } of bench.receipts) bridge.acknowledge(command);
    await clock.advance(1);
    expect(memory.commands()).toEqual([]);
  });

  it('ends, after a restart, an open command that was sent to its old path, once', async () => {
    const bench = await BridgeBench.running(['a']);
    bench.transport('a').behaviour = new PlugError('timeout', 'away');
    void bench.command('a', { relay: 'on', id: 'x' });
    await bench.clock.advance(100);
    // Killed in the middle of it: nothing is stopped.
    const next = new BridgeBench([], { memory: bench.memory, clock: bench.clock });
    next.bridge.add(next.spec('b', bench.bridge.plug('a')?.info?.mac ?? ''));
    next.start();
    await bench.clock.advance(1000);
    next.bridge.resume();
    await bench.clock.advance(1000);
    expect(next.receipts).toMatchObject([{ receipt: { id: 'x', target: 'a', outcome: 'confirmed' } }]);
    expect(next.memory.commands()).toMatchObject([
      { parts: [{ path: 'a', settlement: { outcome: 'confirmed' } }] },
    ]);
  });

  it('says at its old path where it went, also of a place that went with it, and after a second move', async () => {
    const bench = await BridgeBench.running(['east/a', 'shed']);
    const { bridge, clock } = bench;
    bridge.configure(new Map([['east/a', at('north/wing/a')]]));
    bridge.configure(new Map([['north/wing/a', at('north/hall/a')]]));
    const reasons = ['east/a', 'east', 'north/wing', 'nowhere'].map((path) =>
      bench.command(path, { relay: 'on' }),
    );
    await clock.advance(1);
    expect(reasons.map(({ ended }) => ended())).toMatchObject([
      {
        outcome: 'refused',
        reason: 'there is no plug or place east/a any more: it was moved to north/hall/a',
      },
      { outcome: 'refused', reason: 'there is no plug or place east any more: it was moved to north/hall' },
      {
        outcome: 'refused',
        reason: 'there is no plug or place north/wing any more: it was moved to north/hall',
      },
      { outcome: 'refused', reason: 'there is no plug or place nowhere' },
    ]);
    bridge.configure(new Map([['shed', at('east/a')]]));
    const there = bench.command('east/a', { relay: 'on' });
    await clock.advance(1000);
    expect(there.ended()).toMatchObject({ outcome: 'confirmed' });
  });

  it('keeps its timer', async () => {
    const bench = await BridgeBench.running(['a']);
    const { bridge, clock } = bench;
    void bench.command('a', { relay: 'on', forMs: 60_000 });
    await clock.advance(1000);
    bridge.configure(new Map([['a', at('b')]]));
    expect(bridge.plug('b')).toMatchObject({ relay: true });
    await clock.advance(70_000);
    expect(bridge.plug('b')).toMatchObject({ relay: false, changedBy: 'bridge' });
  });
});

describe('a plug that is set otherwise while the bridge runs', () => {
  it('is polled at its new interval from then on', async () => {
    const bench = await BridgeBench.running(['a'], { poll: { intervalMs: 60_000 } });
    const transport = bench.transport('a');
    const before = transport.polls.length;
    bench.bridge.configure(new Map([['a', at('a', {}, { intervalMs: 1000 })]]));
    await bench.clock.advance(10_000);
    expect(transport.polls.length - before).toBe(10);
    expect(bench.removed).toEqual([]);
  });

  it('refuses, once it is locked, what waits to switch it, and is not switched back by a timer', async () => {
    const bench = await BridgeBench.running(['a', 'b']);
    const { bridge, clock } = bench;
    void bench.command('b', { relay: 'on', forMs: 10_000 });
    await clock.advance(1000);
    bench.transport('a').behaviour = new PlugError('timeout', 'away');
    const waiting = bench.command('a', { relay: 'on' });
    await clock.advance(2500);
    bridge.configure(
      new Map([
        ['a', at('a', { locked: true })],
        ['b', at('b', { locked: true })],
      ]),
    );
    bench.transport('a').behaviour = 'answer';
    await clock.advance(60_000);
    expect(waiting.ended()).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/^locked/) });
    expect(bridge.isLocked('a')).toBe(true);
    expect([bridge.plug('a')?.relay, bridge.plug('b')?.relay]).toEqual([false, true]);
  });
});

describe('new hardware for a plug', () => {
  it('takes its path at once, without the plug being removed in between', async () => {
    const bench = await BridgeBench.running(['a']);
    const { bridge, clock, removed, plugs } = bench;
    const old = bridge.plug('a')?.info?.mac;
    plugs.length = 0;
    await bridge.replace('a', bench.spec('a', '50:C7:BF:00:00:99'));
    await clock.advance(1000);
    expect(removed).toEqual([]);
    const replaced = plugs.find(({ before }) => before.info?.mac === old);
    expect(replaced).toMatchObject({ after: { availability: 'unknown', info: null } });
    expect(bridge.plug('a')).toMatchObject({ availability: 'online', info: { mac: '50:C7:BF:00:00:99' } });
    expect(bridge.macs()).toEqual(new Set(['50:C7:BF:00:00:99']));
    expect([...bridge.loops()]).toHaveLength(1);
  });
});
