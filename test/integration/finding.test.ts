import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { Site, type SiteOptions, SURROUNDINGS } from '../support/site.ts';

describe('finding plugs', () => {
  let site: Site;
  const extra: PlugServer[] = [];

  afterEach(async () => {
    await site.close();
    await Promise.all(extra.splice(0).map((server) => server.stop()));
  });

  const target = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;

  /** A site whose bridge starts anew, once the ports of its plugs are known, with the options made of them. */
  async function open(paths: readonly string[], options: (site: Site) => SiteOptions): Promise<void> {
    site = await Site.open(paths);
    await site.bridge.stop();
    await site.startBridge(options(site));
  }

  /** The same plug at another address, as after a new lease. */
  async function move(path: string): Promise<PlugServer> {
    const { device, server } = site.plug(path);
    const elsewhere = new PlugServer({ ...SURROUNDINGS, device, host: '127.0.0.1', port: 0 });
    await elsewhere.start();
    extra.push(elsewhere);
    await server.stop();
    return elsewhere;
  }

  it('finds a plug that is known by its MAC alone', async () => {
    await open(['lamp'], ({ plugs }) => ({
      plugs: [{ path: 'lamp', mac: '50-c7-bf-00-00-01' }],
      discovery: { targets: [...plugs.values()].map(({ server }) => target(server)) },
    }));
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'online');
    expect(
      await site.observer.json('museum/bridge/plugs', (list) => Array.isArray(list) && list.length === 1),
    ).toMatchObject([
      {
        path: 'lamp',
        mac: '50:C7:BF:00:00:01',
        model: 'HS110(EU)',
        hardware: '2.0',
        address: target(site.plug('lamp').server),
        availability: 'online',
      },
    ]);
  });

  it('leaves a plug alone that answers from outside of the networks that are named', async () => {
    await open(['lamp', 'other'], ({ plugs }) => ({
      plugs: [{ path: 'lamp', mac: '50-c7-bf-00-00-01' }],
      discovery: {
        targets: [...plugs.values()].map(({ server }) => target(server)),
        adopt: true,
        networks: '192.168.0.0/16',
      },
    }));
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'offline');
    const list = await site.observer.json('museum/bridge/plugs', (plugs) =>
      JSON.stringify(plugs).includes('not-found'),
    );
    expect(list).toMatchObject([{ path: 'lamp', address: null }]);
  });

  it('finds a plug by the name it has in the Kasa app', async () => {
    await open(['lamp', 'other'], ({ plugs }) => ({
      plugs: [{ path: 'found', alias: 'Lamp 2' }],
      discovery: { targets: [...plugs.values()].map(({ server }) => target(server)) },
    }));
    const state = await site.observer.json('museum/bridge/plugs', (list) =>
      JSON.stringify(list).includes('Lamp 2'),
    );
    expect(state).toMatchObject([{ path: 'found', mac: '50:C7:BF:00:00:02' }]);
  });

  it('follows a plug whose address changed', async () => {
    site = await Site.open(['lamp']);
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'online');
    await site.bridge.stop();
    const moved = await move('lamp');
    const after = site.observer.seen.length;
    await site.startBridge({
      plugs: [{ path: 'lamp', host: target(site.plug('lamp').server), mac: '50:C7:BF:00:00:01' }],
      discovery: { targets: [target(moved)] },
    });
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'online', after);
    const said = await site.observer.say('museum/lamp/set', 'ON');
    expect(await site.observer.json('museum/lamp/result', () => true, said)).toMatchObject({
      outcome: 'confirmed',
    });
    expect(site.plug('lamp').device.relay).toBe(true);
  });

  it('never switches another plug that answers at a known address', async () => {
    await open(['lamp', 'stranger'], ({ plugs }) => ({
      plugs: [
        {
          path: 'lamp',
          host: target([...plugs.values()][1]?.server ?? { host: '', port: 0 }),
          mac: '50:C7:BF:00:00:01',
        },
      ],
      discovery: { interval: 0 },
    }));
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'offline');
    const after = await site.observer.say('museum/lamp/set', '{"state":"ON","ttl":"300ms"}');
    expect(await site.observer.json('museum/lamp/result', () => true, after)).toMatchObject({
      outcome: 'expired',
      reason: 'wrong-plug',
    });
    expect(site.plug('stranger').device.relay).toBe(false);
    expect(site.observer.latest('museum/lamp/availability')).toBe('offline');
  });

  it('takes in every plug that it finds when none is configured, under its own name', async () => {
    await open(['lamp', 'other'], ({ plugs }) => ({
      plugs: [],
      discovery: { targets: [...plugs.values()].map(({ server }) => target(server)) },
    }));
    await site.observer.message('museum/lamp-1/availability', (payload) => payload === 'online');
    await site.observer.message('museum/lamp-2/availability', (payload) => payload === 'online');
    const after = await site.observer.say('museum/set', 'ON');
    expect(await site.observer.json('museum/result', () => true, after)).toMatchObject({
      outcome: 'confirmed',
      total: 2,
    });
    expect(site.bridge.lines.filter(({ msg }) => msg === 'plug taken in').map(({ topic }) => topic)).toEqual(
      expect.arrayContaining(['museum/lamp-1', 'museum/lamp-2']),
    );
  });

  it('moves the topics of a plug that is renamed, and clears the old ones', async () => {
    await open(['lamp'], ({ plugs }) => ({
      plugs: [],
      discovery: { targets: [...plugs.values()].map(({ server }) => target(server)) },
    }));
    await site.observer.message('museum/lamp-1/availability', (payload) => payload === 'online');
    const after = site.observer.seen.length;
    site.plug('lamp').device.answer({ system: { set_dev_alias: { alias: 'Größe 2/3' } } });
    await site.observer.message('museum/grosse-2-3/availability', (payload) => payload === 'online', after);
    await site.observer.message('museum/lamp-1', (payload) => payload === '', after);
    await site.observer.message('museum/lamp-1/availability', (payload) => payload === '', after);
    const config = await site.observer.json(
      'homeassistant/device/hs110mqtt_50c7bf000001/config',
      (payload) => JSON.stringify(payload).includes('museum/grosse-2-3'),
      after,
    );
    expect(config).toMatchObject({ device: { name: 'Größe 2/3' } });
  });

  it('says of a plug whose firmware speaks what is not spoken here that it has it', async () => {
    const newer = createSocket('udp4');
    await new Promise<void>((resolve) => newer.bind(20_002, '127.0.0.1', resolve));
    newer.on('message', (_message, { port, address }) => {
      const result = {
        device_type: 'IOT.SMARTPLUGSWITCH',
        device_model: 'HS110(UK)',
        mac: '50-C7-BF-00-00-01',
        hw_ver: '4.1',
        mgt_encrypt_schm: { encrypt_type: 'AES', http_port: 80 },
      };
      const body = Buffer.from(JSON.stringify({ result, error_code: 0 }));
      newer.send(
        Buffer.concat([Buffer.from('02000001000000000000000000000000', 'hex'), body]),
        port,
        address,
      );
    });
    await open(['lamp'], () => ({
      plugs: [{ path: 'lamp', host: '127.0.0.1:9', mac: '50:C7:BF:00:00:01' }],
      discovery: { targets: ['127.0.0.1:9'] },
    }));
    await site.observer.json('museum/bridge/plugs', (list) =>
      JSON.stringify(list).includes('newer-firmware'),
    );
    newer.close();
  });
});

describe('requests to the bridge', () => {
  let site: Site;

  afterEach(() => site.close());

  async function ask(request: object, name = 'plug/command') {
    // It listens before it says that it is there.
    await site.observer.message('museum/bridge/plugs');
    const after = await site.observer.say(`museum/bridge/request/${name}`, JSON.stringify(request));
    return site.observer.json(`museum/bridge/response/${name}`, () => true, after);
  }

  it('answers any command that only reads, with the transaction echoed', async () => {
    site = await Site.open(['lamp']);
    expect(await ask({ plug: 'lamp', command: 'info', transaction: 7 })).toMatchObject({
      status: 'ok',
      plug: 'lamp',
      command: 'info',
      transaction: 7,
      data: { model: 'HS110(EU)' },
    });
  });

  it('refuses what the configuration does not allow, by name, and says how to allow it', async () => {
    site = await Site.open(['lamp'], { allow: ['alias'] });
    expect(await ask({ plug: 'lamp', command: 'reboot' })).toMatchObject({
      status: 'error',
      code: 'not-allowed',
      error: expect.stringMatching(/allow: \[reboot\]/),
    });
    expect(await ask({ plug: 'lamp', command: 'raw', query: { system: { reset: {} } } })).toMatchObject({
      status: 'error',
      code: 'not-allowed',
    });
    expect(await ask({ plug: 'lamp', command: 'alias', args: ['Stage 5'] })).toMatchObject({ status: 'ok' });
    expect(site.plug('lamp').device.answer({ system: { get_sysinfo: {} } })).toMatchObject({
      system: { get_sysinfo: { alias: 'Stage 5' } },
    });
  });

  it('sends any query where raw is allowed', async () => {
    site = await Site.open(['lamp'], { allow: 'raw' });
    expect(await ask({ plug: 'lamp', command: 'raw', query: { time: { get_timezone: {} } } })).toMatchObject({
      status: 'ok',
      data: { time: { get_timezone: { err_code: 0 } } },
    });
  });

  it.each([
    [{ plug: 'nowhere', command: 'info' }, /there is no plug nowhere/],
    [{ plug: 'lamp', command: 'explode' }, /there is no command "explode"/],
    [{ plug: 'lamp' }, /send \{"plug"/],
    [{ plug: 'lamp', command: 'info', args: [{}] }, /"args" must be/],
    [[1], /a request is a JSON object/],
  ])('refuses %j with words', async (request, words) => {
    site = await Site.open(['lamp']);
    expect(await ask(request)).toMatchObject({ status: 'error', error: expect.stringMatching(words) });
  });

  it('says of an unknown request which there are', async () => {
    site = await Site.open(['lamp']);
    expect(await ask({}, 'nonsense')).toMatchObject({
      status: 'error',
      error: expect.stringMatching(/discover, .*plug\/command/),
    });
  });

  it('looks for plugs on request', async () => {
    site = await Site.open(['lamp']);
    await site.bridge.stop();
    const { host, port } = site.plug('lamp').server;
    await site.startBridge({ discovery: { targets: [`${host}:${port}`] } });
    expect(await ask({}, 'discover')).toMatchObject({
      status: 'ok',
      data: [{ mac: '50:C7:BF:00:00:01', alias: 'Lamp 1', joined: true }],
    });
  });
});

describe('the clock and the cloud of a plug', () => {
  let site: Site;

  afterEach(() => site.close());

  it('shows whether the plug is connected to the cloud', async () => {
    site = await Site.open(['lamp']);
    expect(await site.observer.json('museum/lamp', ({ cloud }) => cloud !== null)).toMatchObject({
      cloud: 'OFF',
    });
    const list = await site.observer.json('museum/bridge/plugs', (plugs) =>
      JSON.stringify(plugs).includes('"cloud":{'),
    );
    expect(list).toMatchObject([{ cloud: { bound: false, connected: false } }]);
  });

  it('sets a clock that is not set where that is wanted, and reports it as right', async () => {
    site = await Site.open(['lamp']);
    await site.bridge.stop();
    site.plug('lamp').device.setClock(undefined);
    await site.startBridge({ clock: { sync: true } });
    await site.observer.json('museum/bridge/plugs', (plugs) =>
      JSON.stringify(plugs).includes('"clock":"right"'),
    );
    const { time } = site.plug('lamp').device.answer({ time: { get_time: {} } });
    expect(time).toMatchObject({ get_time: { year: new Date().getFullYear(), mday: new Date().getDate() } });
  });
});
