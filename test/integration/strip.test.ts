import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ACCOUNT, KlapPlug } from '../support/klap-plug.ts';
import { Site } from '../support/site.ts';
import { StripServer, strip } from '../support/strip.ts';
import { until } from '../support/until.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function stripOn(device = strip()): Promise<StripServer> {
  const server = await StripServer.started(device);
  closing.push(() => server.stop());
  return server;
}

async function open(plug: object, more: object = {}): Promise<Site> {
  const site = await Site.open([], {
    plugs: [{ path: 'strip', ...plug }],
    poll: { interval: '200ms' },
    ...more,
  });
  closing.push(() => site.close());
  return site;
}

async function receipt(
  site: Site,
  target: string,
  payload: object,
): Promise<{ readonly [key: string]: unknown }> {
  await site.observer.say(`${target}/set`, JSON.stringify({ id: target, ...payload }));
  return await site.observer.json(`${target}/result`, ({ id }) => id === target);
}

const online = (site: Site, outlet: string | number) =>
  site.observer.message(`museum/strip/${outlet}/availability`, (payload) => payload === 'online');

describe('a strip', () => {
  it('is a place, and each of its outlets a plug with its own relay, name and meter', async () => {
    const { host } = await stripOn();
    const site = await open({ host });
    for (const number of [1, 6]) {
      const state = await site.observer.json(`museum/strip/${number}`, ({ power }) => power !== null);
      expect(state).toMatchObject({ state: 'ON', led: 'ON', problem: null });
      expect(Math.abs(Number(state.power) - (9 + number))).toBeLessThan(1);
    }
    const place = await site.observer.json('museum/strip', ({ on }) => on === 6);
    expect(place).toMatchObject({ kind: 'place', state: 'ON', total: 6 });
    const plugs = await site.observer.message('museum/bridge/plugs', (list) => list.includes('Lamp 6'));
    expect(JSON.parse(plugs.payload)).toHaveLength(6);
  });

  it('is asked once for all relays in a poll, and once more for each meter', async () => {
    const server = await stripOn();
    const site = await open({ host: server.host });
    await site.observer.json('museum/strip/6', ({ power }) => power !== null);
    const before = server.queries.length;
    await until(() => server.queries.length >= before + 21, 'three polls');
    const polls = server.queries.slice(before).map((query) => Object.keys(query).join());
    const per = polls.slice(polls.indexOf('system'), polls.indexOf('system') + 7);
    expect(per).toEqual(['system', ...Array.from({ length: 6 }, () => 'context,emeter')]);
  });

  it('is asked once in a poll where its outlets have no meters', async () => {
    const server = await stripOn(strip({ model: 'KP303(UK)' }));
    const site = await open({ host: server.host });
    await online(site, 6);
    const asked = server.queries.map((query) => Object.keys(query).join());
    expect(new Set(asked)).toEqual(new Set(['system', ...asked.filter((one) => one.includes('time'))]));
    expect((await receipt(site, 'museum/strip/2', { state: 'OFF' })).outcome).toBe('confirmed');
    expect(server.device.relays).toEqual([true, false, true, true, true, true]);
  });

  it('switches one outlet and no other', async () => {
    const server = await stripOn();
    const site = await open({ host: server.host });
    await online(site, 3);
    expect(await receipt(site, 'museum/strip/3', { state: 'OFF' })).toMatchObject({
      outcome: 'confirmed',
      total: 1,
    });
    expect(server.device.relays).toEqual([true, true, false, true, true, true]);
    expect(server.switched).toEqual([1]);
    await site.observer.json(
      'museum/strip/3',
      ({ state, changed_by }) => state === 'OFF' && changed_by === 'mqtt',
    );
    expect(site.observer.latest('museum/strip/2/state')).toBe('ON');
  });

  it('is switched as a place in one exchange, with one receipt for its six outlets', async () => {
    const server = await stripOn();
    const site = await open({ host: server.host });
    await online(site, 6);
    expect(await receipt(site, 'museum/strip', { state: 'OFF' })).toMatchObject({
      outcome: 'confirmed',
      confirmed: 6,
      total: 6,
    });
    expect(server.device.relays).toEqual(Array.from({ length: 6 }, () => false));
    expect(server.switched).toEqual([6]);
    await site.observer.json('museum/strip', ({ state }) => state === 'OFF');
  });

  it('toggles and times each outlet for itself', async () => {
    const server = await stripOn();
    const site = await open({ host: server.host });
    await online(site, 4);
    expect((await receipt(site, 'museum/strip/4', { state: 'TOGGLE' })).outcome).toBe('confirmed');
    expect(await receipt(site, 'museum/strip/5', { state: 'OFF', for: '1h' })).toMatchObject({
      outcome: 'confirmed',
      countdown: true,
    });
    expect(server.device.relays).toEqual([true, true, true, false, false, true]);
    expect(server.switched).toEqual([1, 1]);
  });

  it('has one LED for all, which each outlet switches', async () => {
    const server = await stripOn();
    const site = await open({ host: server.host });
    await online(site, 1);
    expect((await receipt(site, 'museum/strip', { led: 'OFF' })).outcome).toBe('confirmed');
    await site.observer.json('museum/strip/6', ({ led }) => led === 'OFF');
    expect(server.device.relays).toEqual(Array.from({ length: 6 }, () => true));
  });

  it('says which outlet somebody switched by hand', async () => {
    const server = await stripOn();
    const site = await open({ host: server.host });
    await online(site, 2);
    server.device.press(1);
    await site.observer.json(
      'museum/strip/2',
      ({ state, changed_by }) => state === 'OFF' && changed_by === 'plug',
    );
    expect(site.observer.latest('museum/strip/1/state')).toBe('ON');
  });

  it('answers questions about one outlet', async () => {
    const { host } = await stripOn();
    const site = await open({ host });
    await online(site, 6);
    const after = await site.observer.say(
      'museum/bridge/request/plug/command',
      '{"plug":"strip/6","command":"energy"}',
    );
    const answer = await site.observer.json('museum/bridge/response/plug/command', () => true, after);
    expect(JSON.stringify(answer)).toMatch(/"power":1[45]/);
  });

  it('is offline as a whole, and its receipt names each outlet', async () => {
    const server = await stripOn();
    const site = await open({ host: server.host }, { command: { ttl: '300ms' } });
    await online(site, 6);
    await server.stop();
    await site.observer.message('museum/strip/6/availability', (payload) => payload === 'offline');
    const { outcome, missing } = await receipt(site, 'museum/strip', { state: 'OFF' });
    expect([outcome, Array.isArray(missing) ? missing.length : 0]).toEqual(['expired', 6]);
  });

  it('has the names that are configured for its outlets', async () => {
    const { host } = await stripOn();
    const site = await open({ host, outlets: ['desk', 'lamps/left'] });
    await online(site, 'desk');
    await online(site, 'lamps/left');
    await online(site, 3);
    expect(await receipt(site, 'museum/strip/lamps', { state: 'OFF' })).toMatchObject({ total: 1 });
  });

  it('keeps those of its outlets that are locked as they are when the others are switched', async () => {
    const server = await stripOn();
    const site = await open(
      { host: server.host, outlets: ['desk', 'safe/freezer'] },
      { places: { 'strip/safe': { locked: true } } },
    );
    await online(site, 'safe/freezer');
    expect(await receipt(site, 'museum/strip', { state: 'OFF' })).toMatchObject({
      ...{ outcome: 'confirmed', confirmed: 5, locked: 1, total: 6 },
    });
    expect(server.device.relays).toEqual([false, true, false, false, false, false]);
    expect(server.switched).toEqual([5]);
  });

  it('has outlets that are configured one by one, with a name or by their numbers', async () => {
    const server = await stripOn();
    const places = { 'strip/desk': { locked: true }, 'strip/3': { locked: true, name: 'Freezer' } };
    const site = await open({ host: server.host, outlets: ['desk'] }, { places });
    await online(site, 3);
    expect(await receipt(site, 'museum/strip', { state: 'OFF' })).toMatchObject({
      ...{ outcome: 'confirmed', confirmed: 4, locked: 2, total: 6 },
    });
    expect(server.device.relays).toEqual([true, false, true, false, false, false]);
  });

  it('is taken in under its name like a plug, and stays what it is when it is found again', async () => {
    const { host } = await stripOn();
    const site = await Site.open([], {
      ...{ plugs: [], poll: { interval: '200ms' } },
      discovery: { adopt: true, targets: [host], interval: '1s' },
    });
    closing.push(() => site.close());
    await site.observer.message('museum/desk/6/availability', (payload) => payload === 'online');
    const after = await site.observer.say('museum/bridge/request/discover', '{}');
    await site.observer.message('museum/bridge/response/discover', () => true, after);
    expect(await receipt(site, 'museum/desk', { state: 'OFF' })).toMatchObject({ confirmed: 6 });
    expect(site.bridge.lines.filter(({ msg }) => msg === 'plug taken in')).toHaveLength(1);
  });

  it('speaks KLAP as well', async () => {
    const device = strip();
    const plug = await KlapPlug.startedFor(device);
    closing.push(() => plug.stop());
    const site = await open({ host: `127.0.0.1:${plug.port}` }, { kasa: ACCOUNT });
    await site.observer.json('museum/strip/6', ({ power }) => power !== null);
    expect(await receipt(site, 'museum/strip', { state: 'OFF' })).toMatchObject({ confirmed: 6 });
    expect(device.relays).toEqual(Array.from({ length: 6 }, () => false));
  });

  it('whose outlets cannot be told apart is not switched', async () => {
    const device = strip();
    const answer = device.answer.bind(device);
    device.answer = (query, transport) =>
      JSON.parse(JSON.stringify(answer(query, transport)).replaceAll(/"id":"[^"]*"/g, '"id":"00"'));
    const server = await stripOn(device);
    const site = await open({ host: server.host });
    await site.observer.message('museum/bridge/plugs', (list) => list.includes('"unsupported"'));
    expect((await receipt(site, 'museum/strip', { state: 'OFF' })).outcome).toBe('refused');
    expect(server.switched).toEqual([]);
  });

  it('has its outlets from the start when the bridge is started again, also while it is away', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'strip-'));
    closing.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const server = await stripOn();
    const site = await open({ host: server.host }, { dataDir });
    await online(site, 6);
    await site.bridge.stop();
    await server.stop();
    const after = site.observer.seen.length;
    await site.startBridge();
    const plugs = await site.observer.message(
      'museum/bridge/plugs',
      (list) => list.includes('strip/6'),
      after,
    );
    expect(JSON.parse(plugs.payload)).toHaveLength(6);
  });
});
