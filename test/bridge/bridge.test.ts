import { describe, expect, it } from 'vitest';
import type { StoredCommand } from '../../src/bridge/memory.ts';
import { PlugError } from '../../src/errors.ts';
import { PlugClient } from '../../src/plug/plug-client.ts';
import type { LightSetting } from '../../src/protocol/light.ts';
import { momentOf } from '../../src/runtime/clock.ts';
import { BridgeBench, macOf } from '../support/bridge-bench.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';
import { rejectionOf } from '../support/thrown.ts';

const EAST = ['east/a', 'east/b', 'east/hall/c'];

describe('the bridge', () => {
  it('spreads the first polls of its plugs, within the interval', async () => {
    const paths = Array.from({ length: 25 }, (_, index) => `lamp-${index}`);
    const bench = new BridgeBench(paths, { poll: { intervalMs: 100 } });
    bench.start();
    await bench.clock.advance(99);
    const first = paths.map((path) => bench.transport(path).asked[0]?.at);
    expect(first.slice(0, 4)).toEqual([0, 5, 10, 15]);
    expect(first.slice(19, 22)).toEqual([95, 0, 5]);
    expect(bench.clock.now()).toBe(99);
  });

  it('knows its plugs and the places they form', async () => {
    const bench = await BridgeBench.running(EAST, { device: { on: true } });
    const { bridge } = bench;
    expect([...bridge.plugs()].map(({ path }) => path)).toEqual(EAST);
    expect(new Set(bridge.places())).toEqual(new Set(['', 'east', 'east/hall']));
    expect(bridge.place('east')).toMatchObject({ state: 'ON', on: 3, total: 3 });
    expect(bridge.place('east/hall')).toMatchObject({ total: 1 });
    expect(bridge.place('west')).toBeUndefined();
    expect(bridge.plug('east/a')).toMatchObject({ relay: true });
    expect(bridge.plug('east')).toBeUndefined();
    expect(bridge.address('east/a')).toEqual({ host: '192.0.2.1', port: 9999 });
    expect(bridge.address('east')).toBeUndefined();
  });

  it('reads a plug, a place or nothing on request', async () => {
    const bench = await BridgeBench.running([...EAST, 'west']);
    const asked = (path: string) => bench.transport(path).polls;
    expect(bench.bridge.refresh('east/hall')).toBe(true);
    expect(bench.bridge.refresh('nowhere')).toBe(false);
    await settled();
    expect(asked('east/hall/c').at(-1)).toBe(1000);
    expect(asked('east/a').at(-1)).not.toBe(1000);
    expect(bench.bridge.refresh('')).toBe(true);
    await settled();
    for (const path of [...EAST, 'west']) expect(asked(path).at(-1)).toBe(1000);
  });

  it('asks a plug anything, and nobody where there is none', async () => {
    const bench = await BridgeBench.running(EAST);
    expect(await bench.bridge.ask('east/a', { time: { get_time: {} } })).toHaveProperty('time.get_time');
    expect(await rejectionOf(bench.bridge.ask('east', { time: { get_time: {} } }))).toMatchObject({
      reason: 'not-found',
      message: 'there is no plug east',
    });
  });

  it('tells everybody who listens, also when one of them fails, until they no longer do', async () => {
    const bench = new BridgeBench(['lamp']);
    let heard = 0;
    bench.bridge.on('plug', () => {
      throw new Error('a mistake');
    });
    const unsubscribe = bench.bridge.on('plug', () => heard++);
    bench.start();
    await settled();
    // The first poll, and the statistics.
    expect(heard).toBe(2);
    expect(bench.log.lines.filter(({ msg }) => msg === 'a listener failed')).toHaveLength(2);
    unsubscribe();
    await bench.clock.advance(10_000);
    expect(heard).toBe(2);
  });

  it('polls a plug that is taken in while it runs at once, and forgets one that is let go', async () => {
    const bench = await BridgeBench.running(EAST);
    bench.bridge.add(bench.spec('west/d'));
    await settled();
    expect(bench.bridge.plug('west/d')).toMatchObject({ availability: 'online' });
    expect(bench.bridge.place('')).toMatchObject({ total: 4 });
    expect(bench.bridge.place('west')).toMatchObject({ total: 1 });

    const { receipt } = bench.command('west/d', { relay: 'on' });
    bench.transport('west/d').behaviour = new PlugError('timeout', 'away');
    await settled();
    const waiting = bench.command('west/d', { relay: 'off' });
    await bench.bridge.remove('west/d');
    await bench.bridge.remove('east/hall/c');
    expect(await receipt).toBeDefined();
    expect(await waiting.receipt).toMatchObject({ outcome: 'failed', reason: 'the plug was removed' });
    expect(bench.bridge.plug('west/d')).toBeUndefined();
    expect(new Set(bench.bridge.places())).toEqual(new Set(['', 'east']));
    expect(bench.removed).toEqual([
      { path: 'west/d', places: ['west'] },
      { path: 'east/hall/c', places: ['east/hall'] },
    ]);
  });
});

describe('commands to the bridge', () => {
  it.each([
    ['nowhere', 'there is no plug or place nowhere'],
    ['east/a/set', 'there is no plug or place east/a/set'],
  ])('to %s are refused in words', async (path, reason) => {
    const bench = await BridgeBench.running(EAST);
    expect(await bench.command(path, { relay: 'on' }).receipt).toMatchObject({
      outcome: 'refused',
      reason,
      target: path,
    });
  });

  it('are refused while no plug is known', async () => {
    const bench = await BridgeBench.running([]);
    expect(await bench.command('', { relay: 'on' }).receipt).toMatchObject({
      outcome: 'refused',
      reason: 'no plug is known yet',
    });
  });

  it('are open in the memory until they are settled, a place’s toggle as what it was decided to be', async () => {
    const bench = await BridgeBench.running(EAST);
    for (const path of EAST) bench.transport(path).behaviour = new PlugError('timeout', 'away');
    const { ended } = bench.command('east', { relay: 'toggle', id: 'x', ttlMs: 5000 });
    await settled();
    expect(bench.memory.commands()).toMatchObject([
      {
        target: 'east',
        command: { id: 'x', origin: 'mqtt', relay: 'on', ttlMs: 5000 },
        until: momentOf(bench.clock, bench.clock.now() + 5000),
        parts: EAST.map((path) => ({ path, settlement: null })),
        receipt: null,
      },
    ]);
    await bench.clock.advance(5000);
    expect(ended()).toMatchObject({ outcome: 'expired', ms: 5000 });
    const [stored] = bench.memory.commands();
    expect(stored?.receipt).toMatchObject({ id: 'x', outcome: 'expired', total: 3 });
    bench.bridge.acknowledge(stored?.id ?? 0);
    await settled();
    expect(bench.memory.commands()).toEqual([]);
  });

  it('are all settled when the bridge stops, with no timer left armed', async () => {
    const bench = await BridgeBench.running(EAST, { staggerMs: new Map([['east', 10_000]]), concurrency: 1 });
    bench.transport('east/a').behaviour = 'hang';
    const one = bench.command('east', { relay: 'on' });
    await bench.clock.advance(100);
    await bench.stop();
    expect(one.ended()).toMatchObject({ outcome: 'failed', total: 3, confirmed: 0 });
    expect(bench.memory.commands()).toMatchObject([{ receipt: { outcome: 'failed' } }]);
    expect(bench.clock.armed).toBe(0);
    expect(await bench.command('east', { relay: 'on' }).receipt).toMatchObject({
      outcome: 'failed',
      reason: 'stopping',
    });
  });

  it('never switch a locked plug, but may do the rest', async () => {
    const bench = await BridgeBench.running(EAST, { policies: { 'east/b': { locked: true } } });
    expect(await bench.command('east/b', { relay: 'on' }).receipt).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/^locked/),
    });
    expect(await bench.command('east/b', { led: false }).receipt).toMatchObject({ outcome: 'confirmed' });
    expect(await bench.command('', { relay: 'on' }).receipt).toMatchObject({
      outcome: 'confirmed',
      confirmed: 2,
      locked: 1,
      total: 3,
      missing: [],
    });
    expect(bench.relays).toEqual([true, false, true]);
  });
});

describe('a command', () => {
  it('that fails by a mistake of ours is answered all the same', async () => {
    const bench = await BridgeBench.running(['lamp']);
    const { transaction } = bench.memory;
    bench.memory.transaction = () => {
      bench.memory.transaction = transaction;
      throw new TypeError('a mistake');
    };
    expect(await bench.command('lamp', { relay: 'on', id: 'bad' }).receipt).toMatchObject({
      id: 'bad',
      outcome: 'failed',
      reason: 'unexpected failure: see the log of the bridge',
    });
    expect(await bench.command('lamp', { relay: 'on' }).receipt).toMatchObject({ outcome: 'confirmed' });
  });

  it('has its receipt after the state that it led to', async () => {
    const bench = await BridgeBench.running(['lamp']);
    const told: string[] = [];
    bench.bridge.on('plug', ({ after }) => bench.clock.soon(() => told.push(`${after.relay}`)));
    bench.bridge.on('receipt', ({ receipt }) => told.push(receipt.outcome));
    await bench.command('lamp', { relay: 'on' }).receipt;
    expect(told).toEqual(['true', 'confirmed']);
  });
});

describe('commands to a place', () => {
  it('are staggered by the nearest place that is, when switching on only', async () => {
    const bench = await BridgeBench.running([...EAST, 'east/hall/d', 'west'], {
      staggerMs: new Map([
        ['east', 200],
        ['east/hall', 50],
      ]),
    });
    const on = bench.command('', { relay: 'on' });
    await bench.clock.advance(1000);
    expect(on.ended()).toMatchObject({ outcome: 'confirmed', confirmed: 5, ms: 200 });
    const times = ['east/a', 'east/b', 'east/hall/c', 'east/hall/d', 'west'].map((path) =>
      bench.switchedAt(path),
    );
    expect(times).toEqual([1000, 1200, 1000, 1050, 1000]);
    expect((await bench.command('', { relay: 'off' }).receipt).ms).toBe(0);
    expect((await bench.command('', { led: false }).receipt).ms).toBe(0);
  });

  it('reach a staggered plug before their time runs out, however late its turn is', async () => {
    const bench = await BridgeBench.running(EAST, { staggerMs: new Map([['east', 3000]]) });
    const { ended } = bench.command('east', { relay: 'on', ttlMs: 1000 });
    await bench.clock.advance(10_000);
    expect(ended()).toMatchObject({ outcome: 'confirmed', confirmed: 3 });
  });

  it('go to so many plugs at a time, and a dead one gives its room back after a second', async () => {
    const bench = await BridgeBench.running(EAST, { concurrency: 1 });
    bench.transport('east/a').behaviour = 'hang';
    const { ended } = bench.command('east', { relay: 'on', ttlMs: 2000 });
    await bench.clock.advance(999);
    expect(bench.relays).toEqual([false, false, false]);
    await bench.clock.advance(1);
    expect(bench.relays).toEqual([false, true, true]);
    bench.transport('east/a').fail(new PlugError('timeout', 'no answer'));
    bench.transport('east/a').behaviour = new PlugError('timeout', 'no answer');
    await bench.clock.advance(1000);
    expect(ended()).toMatchObject({ outcome: 'partial', missing: [{ path: 'east/a', reason: 'timeout' }] });
  });

  it('that are superseded while they queue do not take up room', async () => {
    const bench = await BridgeBench.running(EAST, { concurrency: 1 });
    bench.transport('east/a').behaviour = 'hang';
    const first = bench.command('east', { relay: 'on' });
    await settled();
    const second = bench.command('east/b', { relay: 'on' });
    expect(await second.receipt).toMatchObject({ outcome: 'confirmed' });
    await bench.clock.advance(1000);
    expect(bench.relays).toEqual([false, true, true]);
    expect(first.ended()).toBeUndefined();
    bench.transport('east/a').behaviour = 'answer';
    bench.transport('east/a').finish();
    expect(await first.receipt).toMatchObject({
      outcome: 'partial',
      confirmed: 2,
      missing: [{ path: 'east/b', reason: 'a later command took over' }],
    });
  });

  it('give their room back at once when they are superseded before they could be tried', async () => {
    const bench = await BridgeBench.running(EAST, { concurrency: 1 });
    await bench.clock.advance(500);
    bench.transport('east/a').behaviour = 'hang';
    bench.bridge.refresh('east/a');
    await settled();
    bench.command('east', { relay: 'on' });
    await settled();
    expect(bench.relays).toEqual([false, false, false]);
    bench.command('east/a', { relay: 'off' });
    await settled();
    expect(bench.relays).toEqual([false, true, true]);
  });

  it('are timed for each plug', async () => {
    const bench = await BridgeBench.running(EAST);
    const { receipt } = bench.command('east', { relay: 'on', forMs: 5000 });
    expect(await receipt).toMatchObject({ outcome: 'confirmed', countdown: true });
    await bench.clock.advance(5000);
    expect(bench.relays).toEqual([false, false, false]);
  });

  it('do not queue behind a plug that is known to be away', async () => {
    const bench = await BridgeBench.running(EAST, { concurrency: 1, poll: { offlineAfter: 1 } });
    bench.transport('east/a').behaviour = new PlugError('timeout', 'away');
    await bench.clock.advance(5000);
    bench.transport('east/a').behaviour = 'hang';
    bench.command('east', { relay: 'on' });
    await settled();
    expect(bench.relays).toEqual([false, true, true]);
  });

  it.each([
    [[false, false, false], 'on', [true, true, true]],
    [[true, false, false], 'off', [false, false, false]],
    [[true, true, true], 'off', [false, false, false]],
  ] as const)('toggle %j by switching all %s', async (before, relay, after) => {
    const bench = await BridgeBench.running(EAST);
    EAST.forEach((path, index) => {
      if (before[index]) bench.transport(path).device.press();
    });
    await bench.clock.advance(5000);
    expect(await bench.command('east', { relay: 'toggle' }).receipt).toMatchObject({ relay });
    expect(bench.relays).toEqual(after);
  });
});

describe('commands that were open when the bridge was killed', () => {
  const MAC = macOf(1);

  /** A bridge that finds these commands of a former run, oldest first. */
  function resumed(paths: readonly string[], ...left: Partial<StoredCommand>[]) {
    const clock = new ManualClock();
    const memory = memoryStore(clock);
    for (const command of left) {
      const id = memory.nextId();
      const part = { path: 'lamp', outlet: MAC, relay: null, settlement: null };
      const full: StoredCommand = {
        ...{ id, target: 'lamp', command: { id: `x${id}`, origin: 'mqtt', user: null, relay: 'on' } },
        ...{ until: momentOf(clock, 5000), parts: [part], receipt: null },
        ...command,
      };
      memory.take(full);
      memory.transaction(() => {
        for (const { path, settlement, relay } of full.parts) {
          if (settlement !== null) memory.settle(id, path, settlement);
          if (relay !== null) memory.decide(id, path, relay);
        }
      });
      if (full.receipt !== null) memory.finish(id, full.receipt);
    }
    const bench = new BridgeBench(paths, { memory, clock });
    bench.bridge.resume();
    return bench;
  }

  it('are carried out in the time that they have left', async () => {
    const bench = resumed(['lamp'], {});
    bench.transport('lamp').behaviour = new PlugError('timeout', 'away');
    bench.start();
    await bench.clock.advance(2500);
    bench.transport('lamp').behaviour = 'answer';
    await bench.clock.advance(2499);
    expect(bench.receipts).toMatchObject([{ receipt: { id: 'x1', outcome: 'confirmed' }, repeated: false }]);
    expect(bench.relays).toEqual([true]);
  });

  it('expire if their time was over meanwhile, and are never sent', async () => {
    const bench = resumed(['lamp'], { until: { boot: 'an earlier one', at: 0, date: 0 } });
    bench.start();
    await bench.clock.advance(10_000);
    expect(bench.receipts).toMatchObject([
      { receipt: { outcome: 'expired', reason: 'the bridge was restarted too late for it' } },
    ]);
    expect(bench.relays).toEqual([false]);
  });

  it('stay in their order: the later one holds', async () => {
    const command = { id: 'later', origin: 'mqtt', user: null, relay: 'off' } as const;
    const bench = resumed(['lamp'], {}, { command });
    bench.start();
    await bench.clock.advance(1000);
    expect(bench.receipts.map(({ receipt: { id, outcome } }) => [id, outcome])).toEqual([
      ['x1', 'superseded'],
      ['later', 'confirmed'],
    ]);
    expect(bench.switchedAt('lamp')).toBeDefined();
    expect(bench.relays).toEqual([false]);
  });

  it('are not sent again to those plugs of a place that had settled theirs', async () => {
    const settlement = { outcome: 'confirmed' } as const;
    const part = { outlet: null, relay: null, settlement: null };
    const parts = [
      { ...part, path: 'east/a', settlement },
      { ...part, path: 'east/b' },
    ];
    const bench = resumed(['east/a', 'east/b'], { target: 'east', parts });
    bench.start();
    await bench.clock.advance(1000);
    expect(bench.receipts).toMatchObject([{ receipt: { outcome: 'confirmed', confirmed: 2, total: 2 } }]);
    expect(bench.relays).toEqual([false, true]);
  });

  it('toggle as it was decided before, not anew', async () => {
    const command = { id: 'x', origin: 'mqtt', user: null, relay: 'toggle' } as const;
    const part = { path: 'lamp', outlet: null, relay: 'off', settlement: null } as const;
    const bench = resumed(['lamp'], { command, parts: [part] });
    bench.start();
    await bench.clock.advance(1000);
    expect(bench.receipts).toMatchObject([{ receipt: { relay: 'off', outcome: 'confirmed' } }]);
    expect(bench.relays).toEqual([false]);
  });

  it('follow their plug to the path that it has now', async () => {
    const bench = new BridgeBench(['lamp']);
    bench.start();
    await bench.clock.advance(1000);
    bench.transport('lamp').behaviour = new PlugError('timeout', 'away');
    bench.command('lamp', { relay: 'on', id: 'moved' });
    const next = new BridgeBench([], { memory: bench.memory, clock: bench.clock });
    next.bridge.add({ ...next.spec('shed', MAC), client: new PlugClient(next.transport('shed'), 1000, MAC) });
    next.bridge.resume();
    next.start();
    await next.clock.advance(1000);
    expect(next.receipts).toMatchObject([{ receipt: { id: 'moved', target: 'lamp', outcome: 'confirmed' } }]);
    expect(next.relays).toEqual([true]);
  });

  it('fail in words if their plug is no more', async () => {
    const bench = resumed([], {});
    await settled();
    expect(bench.receipts).toMatchObject([
      { receipt: { outcome: 'failed', reason: 'the plug is no longer configured', target: 'lamp' } },
    ]);
  });

  it('have their receipt repeated, and nothing sent, if they had one that may not have arrived', async () => {
    const bench = new BridgeBench(['lamp']);
    bench.start();
    await bench.clock.advance(1000);
    await bench.command('lamp', { relay: 'on', id: 'x' }).receipt;
    const next = new BridgeBench(['lamp'], { memory: bench.memory, clock: bench.clock });
    next.bridge.resume();
    next.start();
    await next.clock.advance(10_000);
    expect(next.receipts).toMatchObject([{ receipt: { id: 'x', outcome: 'confirmed' }, repeated: true }]);
    expect(next.relays).toEqual([false]);
  });
});

describe('a command that the broker delivers again', () => {
  it('is the same command: no second toggle, no second receipt', async () => {
    const bench = await BridgeBench.running(['lamp']);
    const command = { id: 'x', origin: 'mqtt', user: null, relay: 'toggle' } as const;
    const delivered = (dup: boolean) =>
      bench.bridge.command('lamp', { ...command, delivery: { packetId: 7, dup } });
    await delivered(false);
    expect(delivered(true)).toBeUndefined();
    await bench.clock.advance(10_000);
    expect(bench.receipts).toHaveLength(1);
    expect(bench.relays).toEqual([true]);
    // Its receipt has arrived, and its acknowledgement before that: the number may be that of another command now.
    bench.bridge.acknowledge(bench.receipts[0]?.command ?? 0);
    await settled();
    expect(delivered(true)).toBeDefined();
  });

  it('is known again by the light that it sets, which the store has read back', async () => {
    const bench = await BridgeBench.running(['lamp']);
    const delivered = (light: LightSetting, dup: boolean) =>
      bench.bridge.command('lamp', {
        ...{ id: 'x', origin: 'mqtt', user: null, relay: 'on', light },
        delivery: { packetId: 7, dup },
      });
    await delivered({ brightness: 40 }, false);
    expect(delivered({ brightness: 40 }, true)).toBeUndefined();
    expect(delivered({ brightness: 60 }, true)).toBeDefined();
    expect(delivered({ colorTemp: 40 }, true)).toBeDefined();
  });
});
