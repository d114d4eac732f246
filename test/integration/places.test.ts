import { afterEach, describe, expect, it } from 'vitest';
import type { Json } from '../support/observer.ts';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

describe('a place', () => {
  let site: Site;

  afterEach(() => site.close());

  const EAST = ['east/a', 'east/b', 'east/hall/c'];

  async function online(paths: readonly string[]): Promise<void> {
    for (const path of paths)
      await site.observer.message(`museum/${path}/availability`, (payload) => payload === 'online');
  }

  it('sums up the plugs below it: state, counts, power', async () => {
    site = await Site.open(EAST, {}, { on: true });
    await site.observer.json('museum/east', (place) => place.on === 3 && Number(place.power) > 100);
    expect(await site.observer.json('museum/east/hall', ({ on }) => on === 1)).toMatchObject({
      state: 'ON',
      on: 1,
      off: 0,
      unknown: 0,
      total: 1,
    });
    expect((await site.observer.message('museum/state', (payload) => payload === 'ON')).retain).toBe(false);
    await site.observer.message('museum/east/power', (payload) => Number(payload) > 100);
    site.plug('east/a').device.press();
    await site.observer.json('museum', ({ state, on, off }) => state === 'MIXED' && on === 2 && off === 1);
  });

  it('switches every plug below it, and answers with one receipt', async () => {
    site = await Site.open([...EAST, 'west'], {}, { on: true });
    await online([...EAST, 'west']);
    const after = await site.observer.say('museum/east/set', '{"state":"OFF","id":"closing"}');
    const receipt = await site.observer.json('museum/east/result', () => true, after);
    expect(receipt).toMatchObject({
      id: 'closing',
      target: 'museum/east',
      wanted: 'OFF',
      outcome: 'confirmed',
      confirmed: 3,
      total: 3,
      missing: [],
    });
    expect([...site.plugs.values()].map(({ device }) => device.relay)).toEqual([false, false, false, true]);
    await site.observer.json('museum/east', ({ state }) => state === 'OFF', after);
    expect(site.observer.seen.filter(({ topic }) => topic === 'museum/east/result')).toHaveLength(1);
    expect(site.observer.seen.filter(({ topic }) => topic === 'museum/east/a/result')).toHaveLength(0);
  });

  it('names the plugs that did not confirm, each with its reason', async () => {
    site = await Site.open(EAST, {}, { on: true });
    await online(EAST);
    await site.plug('east/b').server.stop();
    site.plug('east/hall/c').server.fault = { kind: 'close' };
    const after = await site.observer.say('museum/set', '{"state":"OFF","ttl":"500ms"}');
    const receipt = await site.observer.json('museum/result', () => true, after);
    expect(receipt).toMatchObject({
      outcome: 'partial',
      confirmed: 1,
      total: 3,
      reason: '2 of 3 did not confirm',
    });
    expect(receipt.missing).toEqual([
      { path: 'east/b', reason: 'refused' },
      { path: 'east/hall/c', reason: 'closed' },
    ]);
  });

  it('counts a plug that is not reachable as unknown, and is then neither on nor off', async () => {
    site = await Site.open(EAST);
    await site.observer.json('museum/east', ({ state }) => state === 'OFF');
    await site.plug('east/b').server.stop();
    const after = site.observer.seen.length;
    expect(await site.observer.json('museum/east', ({ unknown }) => unknown === 1, after)).toMatchObject({
      state: null,
      off: 2,
      total: 3,
    });
    await site.observer.message('museum/east/state', (payload) => payload === '', after);
  });

  it('is toggled as one: all off if any is on', async () => {
    site = await Site.open(EAST);
    await online(EAST);
    site.plug('east/a').device.press();
    await site.observer.json('museum/east', ({ state }) => state === 'MIXED');
    const after = await site.observer.say('museum/east/set', 'TOGGLE');
    expect(await site.observer.json('museum/east/result', () => true, after)).toMatchObject({
      wanted: 'OFF',
      outcome: 'confirmed',
    });
  });

  it('waits for a plug that comes back while the ttl lasts, and then says that all confirmed', async () => {
    site = await Site.open(EAST, {}, { on: true });
    await online(EAST);
    await site.plug('east/b').server.stop();
    const after = await site.observer.say('museum/set', 'OFF');
    await site.observer.message('museum/east/b/availability', (payload) => payload === 'offline', after);
    await site.plug('east/b').server.start();
    expect(await site.observer.json('museum/result', () => true, after)).toMatchObject({
      outcome: 'confirmed',
      confirmed: 3,
    });
  });

  it('has the receipt of an earlier command say that a later one took over', async () => {
    site = await Site.open(EAST, {}, { on: true });
    await online(EAST);
    for (const { server } of site.plugs.values()) server.fault = { kind: 'silence' };
    const after = await site.observer.say('museum/east/set', '{"state":"OFF","id":1}');
    await site.observer.say('museum/east/set', '{"state":"ON","id":2,"ttl":"8s"}');
    const first = await site.observer.json('museum/east/result', ({ id }) => id === '1', after);
    expect(first).toMatchObject({ outcome: 'superseded', confirmed: 0 });
    for (const { server } of site.plugs.values()) server.fault = { kind: 'none' };
    expect(await site.observer.json('museum/east/result', ({ id }) => id === '2', after)).toMatchObject({
      outcome: 'confirmed',
    });
  });

  it('is staggered when it is switched on, and never when it is switched off', async () => {
    site = await Site.open(EAST, { places: { east: { stagger: '150ms' } } });
    await online(EAST);
    const times: number[] = [];
    for (const { server } of site.plugs.values()) {
      server.onQuery = ({ system }) => {
        if (system !== undefined && 'set_relay_state' in (system as Json)) times.push(performance.now());
      };
    }
    let after = await site.observer.say('museum/set', 'ON');
    const on = await site.observer.json('museum/result', () => true, after);
    expect(on).toMatchObject({ outcome: 'confirmed', confirmed: 3 });
    expect(Number(on.ms)).toBeGreaterThanOrEqual(300);
    times.sort((one, other) => one - other);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(100);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThan(100);
    after = await site.observer.say('museum/set', 'OFF');
    expect(Number((await site.observer.json('museum/result', () => true, after)).ms)).toBeLessThan(150);
  });

  it('never switches a locked plug, and says so', async () => {
    site = await Site.open(['freezer', 'lamp'], {}, { on: true });
    await site.bridge.stop();
    const plugs = [...site.plugs.values()].map(({ path, server }) => ({
      path,
      host: `127.0.0.1:${server.port}`,
      ...(path === 'freezer' ? { locked: true } : {}),
    }));
    await site.startBridge({ plugs });
    await online(['freezer', 'lamp']);
    let after = await site.observer.say('museum/freezer/set', 'OFF');
    expect(await site.observer.json('museum/freezer/result', () => true, after)).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/^locked/),
    });
    after = await site.observer.say('museum/set', 'OFF');
    const receipt = await site.observer.json('museum/result', () => true, after);
    expect(receipt).toMatchObject({
      outcome: 'confirmed',
      confirmed: 1,
      locked: 1,
      total: 2,
      missing: [],
    });
    expect(site.plug('freezer').device.relay).toBe(true);
  });

  it('settles every command that is open when the bridge stops', async () => {
    site = await Site.open(EAST, {}, { on: true });
    await online(EAST);
    for (const path of ['east/b', 'east/hall/c']) site.plug(path).server.fault = { kind: 'silence' };
    const after = await site.observer.say('museum/set', '{"state":"OFF","id":"late"}');
    await until(() => !site.plug('east/a').device.relay, 'the plug that answers');
    await site.bridge.stop();
    const receipt = await site.observer.json('museum/result', () => true, after);
    expect(receipt).toMatchObject({ id: 'late', outcome: 'partial', confirmed: 1 });
    expect(receipt.missing).toEqual([
      { path: 'east/b', reason: 'stopping' },
      { path: 'east/hall/c', reason: 'stopping' },
    ]);
  });
});
