import { afterEach, describe, expect, it } from 'vitest';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { ACCOUNT, KlapPlug } from '../support/klap-plug.ts';
import { Site, SURROUNDINGS } from '../support/site.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const OTHER = { username: ACCOUNT.username, password: 'another one' };

async function open(plug: KlapPlug, kasa: object = ACCOUNT, more: object = {}): Promise<Site> {
  const plugs = [{ path: 'lamp', host: `127.0.0.1:${plug.server.port}` }];
  const site = await Site.open([], { plugs, kasa, poll: { interval: '100ms', backoffMax: '1s' }, ...more });
  closing.push(() => site.close());
  return site;
}

async function plugOn(options: Parameters<typeof KlapPlug.started>[0] = {}): Promise<KlapPlug> {
  const plug = await KlapPlug.started(options);
  closing.push(() => plug.server.stop());
  return plug;
}

async function receipt(site: Site, payload: object): Promise<{ readonly [key: string]: unknown }> {
  await site.observer.say('museum/lamp/set', JSON.stringify({ id: 'x', ...payload }));
  return await site.observer.json('museum/lamp/result', ({ id }) => id === 'x');
}

const online = (site: Site) =>
  site.observer.message('museum/lamp/availability', (payload) => payload === 'online');

describe('a plug with newer firmware', () => {
  it.each([1, 2] as const)('is read and switched like any other, in version %i', async (version) => {
    const plug = await plugOn({ version });
    const site = await open(plug);
    expect(await site.observer.json('museum/lamp', ({ power }) => power !== null)).toMatchObject({
      state: 'OFF',
      led: 'ON',
    });
    expect(await receipt(site, { state: 'ON' })).toMatchObject({ outcome: 'confirmed' });
    expect(plug.device.relay).toBe(true);
  });

  it('is read and switched though it bears one question in a session', async () => {
    const plug = await plugOn({ version: 1, singly: true });
    const site = await open(plug);
    await site.observer.json('museum/lamp', ({ power }) => power !== null);
    expect(await receipt(site, { state: 'ON', led: 'OFF' })).toMatchObject({ outcome: 'confirmed' });
    expect([plug.device.relay, plug.device.led]).toEqual([true, false]);
  });

  it('answers queries of clients, and its countdown switches back', async () => {
    const plug = await plugOn();
    const site = await open(plug);
    await online(site);
    expect(await receipt(site, { state: 'ON', for: '1h' })).toMatchObject({
      outcome: 'confirmed',
      countdown: true,
    });
    const after = await site.observer.say(
      'museum/bridge/request/plug/command',
      '{"plug":"lamp","command":"time"}',
    );
    expect(await site.observer.json('museum/bridge/response/plug/command', () => true, after)).toMatchObject({
      status: 'ok',
    });
  });

  it('with a wrong password is offline for that reason, and the receipt of a command says so', async () => {
    const plug = await plugOn();
    const site = await open(plug, OTHER, { command: { ttl: '500ms' } });
    await site.observer.message('museum/bridge/plugs', (list) => list.includes('"problem":"login-refused"'));
    expect(await receipt(site, { state: 'ON' })).toMatchObject({
      outcome: 'expired',
      reason: 'login-refused',
    });
    expect([plug.device.relay, plug.server.handshakes, plug.server.wrongHashes]).toEqual([false, 1, 0]);
    const said = site.bridge.lines.filter(({ msg }) => msg === 'plug is offline');
    expect(said).toHaveLength(1);
    expect(said[0]?.detail).toContain('kasa.username');
    expect(JSON.stringify(site.bridge.lines)).not.toContain(OTHER.password);
  });

  it('whose password is changed goes on in its session, and is offline for that reason once that ends', async () => {
    const plug = await plugOn();
    const site = await open(plug);
    await online(site);
    plug.server.credentials = OTHER;
    expect(await receipt(site, { state: 'ON' })).toMatchObject({ outcome: 'confirmed' });
    plug.server.dropSession();
    await site.observer.json('museum/lamp', ({ problem }) => problem === 'login-refused');
    expect(plug.server.wrongHashes).toBe(0);
  });

  it('that the phone app talks to all the time is switched all the same, and never counts as offline', async () => {
    const plug = await plugOn();
    const site = await open(plug);
    await online(site);
    const { onQuery } = plug.server;
    plug.server.onQuery = (query) => {
      onQuery(query);
      // Right after its answer: each question of the bridge finds the session gone.
      setImmediate(() => plug.server.dropSession());
    };
    for (const state of ['ON', 'OFF', 'ON']) {
      await site.observer.say('museum/lamp/set', JSON.stringify({ state, id: state + plug.queries.length }));
      await site.observer.json('museum/lamp/result', ({ outcome }) => outcome === 'confirmed');
    }
    expect(site.bridge.lines.filter(({ msg }) => msg === 'plug is offline')).toEqual([]);
  });

  it('has a login of its own where its plug says so', async () => {
    const plug = await plugOn({ credentials: OTHER });
    const site = await open(plug, ACCOUNT, {
      plugs: [{ path: 'lamp', host: `127.0.0.1:${plug.server.port}`, kasa: OTHER }],
    });
    await online(site);
  });
});

describe('an update of the firmware', () => {
  it('that takes a plug from XOR to KLAP is followed, and what was commanded meanwhile is carried out', async () => {
    const plug = await plugOn();
    const { port } = plug.server;
    await plug.server.stop();
    const { clock } = SURROUNDINGS;
    const older = new PlugServer({
      device: plug.device,
      host: '127.0.0.1',
      port,
      clock,
      random: Math.random,
    });
    await older.start();
    const site = await open(plug);
    await online(site);

    await older.stop();
    await site.observer.json('museum/lamp', ({ problem }) => problem === 'refused');
    const confirmed = receipt(site, { state: 'ON' });
    await plug.server.start();
    expect(await confirmed).toMatchObject({ outcome: 'confirmed' });
    expect(plug.device.relay).toBe(true);
    await site.observer.json('museum/lamp', ({ problem, state }) => problem === null && state === 'ON');
  });
});
