import { describe, expect, it } from 'vitest';
import { energyWriter } from '../../src/store/energy-writer.ts';
import { replaceDevice } from '../../src/store/replace-device.ts';
import { Rounds } from '../../src/store/rounds.ts';
import { BridgeBench } from '../support/bridge-bench.ts';

const NEW = '50:C7:BF:00:00:99';
const HOUR = 3_600_000;

describe('the energy of a plug', () => {
  it('goes on from where it was with new hardware, whatever that has counted before', async () => {
    const bench = await BridgeBench.running(['a'], { device: { on: true, loadW: 100 } });
    const { bridge, clock, memory } = bench;
    const energy = () => bridge.plug('a')?.energy ?? 0;
    const meters = () => bridge.meters();
    const writer = energyWriter({ meters, store: memory, timeZone: 'UTC', bands: [], clock });
    const rounds = new Rounds({ store: memory, writers: [writer], clock });
    bridge.on('leaving', () => rounds.writeAll());
    await clock.advance(HOUR);
    const before = energy();
    expect(before).toBeGreaterThan(0.09);
    const old = bridge.plug('a')?.info?.mac ?? '';
    // Elsewhere it has run for an hour already.
    const spec = bench.spec('a', NEW);
    await clock.advance(HOUR);
    const atSwap = energy();
    await bridge.replace('a', spec, () => replaceDevice(memory, old, NEW));
    await clock.advance(60_000);
    expect(bridge.plug('a')?.info?.mac).toBe(NEW);
    expect(energy()).toBeGreaterThanOrEqual(atSwap);
    expect(energy()).toBeLessThan(atSwap + 0.01);
    expect(bridge.place('')?.energy ?? 0).toBeGreaterThanOrEqual(atSwap);
    await clock.advance(HOUR);
    expect(energy()).toBeGreaterThan(atSwap + 0.09);
    expect(bridge.plug('a')?.energyBoot).toBeGreaterThan(0.19);
  });
});
