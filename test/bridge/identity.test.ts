import { describe, expect, it } from 'vitest';
import { PlugClient } from '../../src/plug/plug-client.ts';
import { BridgeBench, macOf } from '../support/bridge-bench.ts';
import { settled } from '../support/manual-clock.ts';

const HOUR = 3_600_000;

/** A bridge after a restart on the same machine, with plugs of these MACs at these paths. */
function restarted(before: BridgeBench, plugs: { readonly [path: string]: string }): BridgeBench {
  const next = new BridgeBench([], { memory: before.memory, clock: before.clock });
  for (const [path, mac] of Object.entries(plugs)) next.bridge.add(next.spec(path, mac));
  return next;
}

describe('two paths that lead to one plug', () => {
  it('are used by the first alone: the other one is a duplicate, takes no command and is asked no more', async () => {
    const bench = new BridgeBench(['lamp']);
    bench.bridge.add(bench.spec('again', macOf(1)));
    bench.start();
    await bench.clock.advance(1000);
    expect(bench.bridge.plug('lamp')).toMatchObject({ availability: 'online', problem: null });
    expect(bench.bridge.plug('again')).toMatchObject({ availability: 'offline', problem: 'duplicate' });
    expect(await bench.command('again', { relay: 'on' }).receipt).toMatchObject({
      outcome: 'refused',
      reason: 'duplicate: another path leads to the same plug',
    });
    expect(await bench.command('', { relay: 'on' }).receipt).toMatchObject({
      outcome: 'partial',
      missing: [{ path: 'again' }],
    });
    const asked = bench.transport('again').asked.length;
    await bench.clock.advance(HOUR);
    expect(bench.transport('again').asked).toHaveLength(asked);
    const said = bench.log.lines.filter(({ msg }) => msg.startsWith('two paths lead to one plug'));
    expect(said).toMatchObject([{ plug: 'again', sameAs: 'lamp' }]);
    await bench.stop();
  });
});

describe('what is remembered of a plug', () => {
  it('goes with it to another path: its timer still ends', async () => {
    const bench = await BridgeBench.running(['lamp']);
    await bench.command('lamp', { relay: 'on', forMs: HOUR }).receipt;
    await bench.stop();
    const next = restarted(bench, { 'east/lamp': macOf(1) });
    next.transport('east/lamp').device.press();
    next.start();
    await next.clock.advance(HOUR - 10_000);
    expect(next.relays).toEqual([true]);
    await next.clock.advance(10_000);
    expect(next.relays).toEqual([false]);
  });

  it('is not that of a new plug at its old path', async () => {
    const bench = await BridgeBench.running(['lamp']);
    await bench.command('lamp', { relay: 'on', forMs: HOUR }).receipt;
    await bench.stop();
    const next = restarted(bench, { lamp: macOf(9) });
    next.transport('lamp').device.press();
    next.start();
    await next.clock.advance(2 * HOUR);
    expect(next.relays).toEqual([true]);
  });

  it('is not forgotten while another path has it, and found again when it returns', async () => {
    const bench = await BridgeBench.running(['lamp']);
    await bench.command('lamp', { relay: 'on', forMs: HOUR }).receipt;
    await bench.stop();
    const without = restarted(bench, {});
    without.start();
    await without.clock.advance(1000);
    await without.stop();
    const next = restarted(bench, { lamp: macOf(1) });
    next.transport('lamp').device.press();
    next.start();
    await next.clock.advance(HOUR);
    expect(next.relays).toEqual([false]);
  });
});

describe('plugs that are known by their address', () => {
  it('are the wrong ones after a restart if they were swapped meanwhile, and are not switched', async () => {
    const bench = await BridgeBench.running(['lamp']);
    await bench.stop();
    const { address } = bench.transport('lamp');
    if (address === undefined) throw new Error('the plug has an address');
    expect(bench.memory.learntMac('lamp', address)).toBe(macOf(1));
    const next = new BridgeBench([], { memory: bench.memory, clock: bench.clock });
    const spec = next.spec('lamp', macOf(2));
    // As the program does it: the MAC that was learnt is the one that is expected.
    const client = new PlugClient(next.transport('lamp'), 1000, bench.memory.learntMac('lamp', address));
    next.bridge.add({ ...spec, client });
    next.start();
    const { ended } = next.command('lamp', { relay: 'on', ttlMs: 5000 });
    await next.clock.advance(10_000);
    await settled();
    expect(next.bridge.plug('lamp')).toMatchObject({ availability: 'offline', problem: 'wrong-plug' });
    expect(ended()).toMatchObject({ outcome: 'expired', reason: 'wrong-plug' });
    expect(next.relays).toEqual([false]);
  });
});

describe('a command', () => {
  it('is in the database before anything is sent, and so are all parts of one to a place', async () => {
    const bench = await BridgeBench.running(['east/a', 'east/b']);
    const stored: number[] = [];
    for (const path of ['east/a', 'east/b']) {
      const transport = bench.transport(path);
      const exchange = transport.exchange.bind(transport);
      transport.exchange = (request) => {
        stored.push(bench.memory.commands().at(-1)?.parts.length ?? 0);
        return exchange(request);
      };
    }
    await bench.command('east', { relay: 'on' }).receipt;
    expect(stored.length).toBeGreaterThan(1);
    expect(new Set(stored)).toEqual(new Set([2]));
  });
});
