import { Client } from 'tplink-smarthome-api';
import { Device } from 'tplink-smarthome-simulator';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { buildApp } from '../../src/app/app.ts';
import { LiveConfig } from '../../src/config/live-config.ts';
import { isObject } from '../../src/protocol/json.ts';
import { freePort } from '../support/free-port.ts';
import { Observer } from '../support/observer.ts';
import { Running, SURROUNDINGS } from '../support/site.ts';

/** What the meter of the other people's plug shows, in the units of hardware 1; hardware 2 multiplies. */
const METER = { current: 0.262, voltage: 231.4, power: 60.5, total: 12.345 };

/** A plug that other people wrote, from outside; its own types leave out what its models can do. */
interface Other {
  readonly device: Device;
  /** What its own inside says, not what it answers. */
  readonly sysinfo: { readonly relay_state?: number; readonly led_off?: number };
}

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function startDevice(model: string): Promise<Device> {
  const data = { mac: '50:c7:bf:0d:91:8c', alias: 'Mock lamp' };
  // Left to itself it takes any UDP port, and fails where the TCP port of that number is taken.
  const device = new Device({ model, address: '127.0.0.1', port: await freePort(), data });
  const inside: object = device.data;
  if ('emeter' in inside) Object.assign(inside.emeter ?? {}, { realtime: { ...METER } });
  await device.start();
  closing.push(() => device.stop());
  return device;
}

async function startOther(model: string): Promise<Other> {
  const device = await startDevice(model);
  const { sysinfo } = device.data.system;
  if (!('led_off' in sysinfo)) throw new Error(`${model} is no plug`);
  return { device, sysinfo };
}

/** The whole bridge with its own broker, and somebody who watches. */
async function bridge({ device }: Pick<Other, 'device'>): Promise<Observer> {
  const text = stringify({
    broker: { listen: '127.0.0.1:0' },
    poll: { interval: '200ms', timeout: '2s' },
    dataDir: 'off',
    plugs: [{ path: 'shed3', host: `127.0.0.1:${device.port}` }],
  });
  const live = LiveConfig.of({
    file: { name: 'interop.yaml', text },
    env: {},
    flags: new Map(),
    readFile: SURROUNDINGS.readFile,
  });
  const running = new Running((log) => buildApp(live, { ...SURROUNDINGS, log }));
  await running.ready;
  closing.push(() => running.stop());
  const port = running.lines.find(({ msg }) => msg === 'embedded broker listens')?.port;
  const observer = await Observer.connect(`mqtt://127.0.0.1:${port}`);
  closing.push(() => observer.end());
  return observer;
}

describe.each(['hs110', 'hs110v2'])('the bridge with the %s of tplink-smarthome-simulator', (model) => {
  it('publishes its state and readings', async () => {
    const observer = await bridge(await startOther(model));

    const state = await observer.json('museum/shed3', ({ last_seen }) => last_seen !== null);
    expect(state).toMatchObject({
      state: 'OFF',
      power: 60.5,
      voltage: 231.4,
      current: 0.262,
      energy: 12.345,
      led: 'ON',
      rssi: -65,
      on_since: null,
      problem: null,
    });
    for (const [name, payload] of [
      ['availability', 'online'],
      ['state', 'OFF'],
      ['power', '60.5'],
      ['voltage', '231.4'],
      ['current', '0.262'],
      ['energy', '12.345'],
    ]) {
      await observer.message(`museum/shed3/${name}`, (said) => said === payload);
    }
  });

  it('switches its relay both ways and confirms', async () => {
    const other = await startOther(model);
    const observer = await bridge(other);
    await observer.message('museum/shed3/availability', (payload) => payload === 'online');

    for (const [word, state, relay] of [
      ['ON', 'ON', 1],
      ['OFF', 'OFF', 0],
      ['TOGGLE', 'ON', 1],
    ] as const) {
      const after = await observer.say('museum/shed3/set', word);
      const receipt = await observer.json('museum/shed3/result', () => true, after);
      expect(receipt).toMatchObject({ target: 'museum/shed3', wanted: state, outcome: 'confirmed' });
      expect(other.sysinfo.relay_state).toBe(relay);
      const { changed_by } = await observer.json('museum/shed3', (value) => value.state === state, after);
      expect(changed_by).toBe('mqtt');
      expect(observer.latest('museum/shed3/state')).toBe(state);
    }
  });

  it('switches its LED and confirms', async () => {
    const other = await startOther(model);
    const observer = await bridge(other);
    await observer.message('museum/shed3/availability', (payload) => payload === 'online');

    const after = await observer.say('museum/shed3/set', '{"led":"OFF","id":"dark"}');
    const receipt = await observer.json('museum/shed3/result', () => true, after);
    expect(receipt).toMatchObject({ id: 'dark', led: 'OFF', outcome: 'confirmed' });
    expect(other.sysinfo.led_off).toBe(1);
    await observer.message('museum/shed3/led', (payload) => payload === 'OFF', after);
  });

  it('notices that somebody else switched it', async () => {
    const { device } = await startOther(model);
    const observer = await bridge({ device });
    await observer.message('museum/shed3/state', (payload) => payload === 'OFF');

    const plug = await new Client().getDevice({ host: '127.0.0.1', port: device.port });
    await plug.setPowerState(true);
    const state = await observer.json('museum/shed3', (value) => value.state === 'ON');
    expect(state.changed_by).toBe('plug');
  });
});

describe.each([
  ['hs220', undefined],
  ['lb100', undefined],
  ['lb120', 3000],
  ['lb130', 3000],
  ['kl430', 3000],
])('the bridge with the %s of tplink-smarthome-simulator', (model, colorTemp) => {
  it('switches and dims it, and confirms', async () => {
    const observer = await bridge({ device: await startDevice(model) });
    await observer.message('museum/shed3/availability', (payload) => payload === 'online');
    const light = { brightness: 40, ...(colorTemp === undefined ? {} : { color_temp: colorTemp }) };
    for (const [command, state] of [
      [{ state: 'ON' }, 'ON'],
      [light, 'ON'],
      [{ state: 'OFF' }, 'OFF'],
    ] as const) {
      const after = await observer.say('museum/shed3/set', JSON.stringify(command));
      const receipt = await observer.json('museum/shed3/result', () => true, after);
      const { state: _, ...set } = { state: undefined, ...command };
      expect(receipt).toMatchObject({ ...set, wanted: state, outcome: 'confirmed' });
      expect(observer.latest('museum/shed3/state')).toBe(state);
      if ('brightness' in command) expect(observer.latest('museum/shed3/brightness')).toBe('40');
    }
  });
});

describe('the energy of the day and the month from tplink-smarthome-simulator', () => {
  it('is published as its own client reads it', async () => {
    const { device } = await startOther('hs110v2');
    const observer = await bridge({ device });

    const state = await observer.json('museum/shed3', ({ energy_today }) => energy_today !== null);
    const now = new Date();
    const [year, month] = [now.getFullYear(), now.getMonth() + 1];
    const plug = await new Client().getDevice({ host: '127.0.0.1', port: device.port });
    if (!('emeter' in plug)) throw new Error('it has no meter');
    const days = await plug.emeter.getDayStats(year, month);
    const months = await plug.emeter.getMonthStats(year);
    expect(state.energy_today).toBeCloseTo(energyOf(days, 'day_list', 'day', now.getDate()), 3);
    expect(state.energy_month).toBeCloseTo(energyOf(months, 'month_list', 'month', month), 3);
  });

  it('is no more than a plug can measure, though its hs110 makes up thousands of kWh a day', async () => {
    const observer = await bridge(await startOther('hs110'));
    const state = await observer.json('museum/shed3', ({ cloud }) => cloud !== null);
    expect(state.energy_today ?? 0).toBeLessThanOrEqual(120);
    expect(state.energy_month ?? 0).toBeLessThanOrEqual(3720);
  });
});

describe('the bridge with the hs300 of tplink-smarthome-simulator', () => {
  it('publishes each outlet, and switches one of them or all', async () => {
    const device = new Device({ model: 'hs300', address: '127.0.0.1', port: await freePort(), data: {} });
    await device.start();
    closing.push(() => device.stop());
    const observer = await bridge({ device });
    for (const outlet of [1, 6])
      await observer.json(`museum/shed3/${outlet}`, ({ power, state }) => power !== null && state !== null);

    const plug = await new Client().getDevice({ host: '127.0.0.1', port: device.port });
    const relays = async () => {
      const sysinfo: unknown = await plug.getSysInfo();
      const children = isObject(sysinfo) ? sysinfo.children : undefined;
      return Array.isArray(children) ? children.map(({ state }) => state).join('') : '';
    };
    for (const [path, word, expected] of [
      ['museum/shed3', 'ON', '111111'],
      ['museum/shed3/2', 'OFF', '101111'],
      ['museum/shed3', 'OFF', '000000'],
      ['museum/shed3/6', 'ON', '000001'],
    ]) {
      const after = await observer.say(`${path}/set`, `${word}`);
      expect(await observer.json(`${path}/result`, () => true, after)).toMatchObject({
        outcome: 'confirmed',
      });
      expect(await relays()).toBe(expected);
    }
  });
});

describe('the bridge with the hs100 of tplink-smarthome-simulator', () => {
  it('publishes its state, and no readings, for it has no meter', async () => {
    const observer = await bridge(await startOther('hs100'));

    const state = await observer.json('museum/shed3', ({ last_seen }) => last_seen !== null);
    expect(state).toMatchObject({ state: 'OFF', power: null, voltage: null, energy: null, problem: null });
  });
});

/** The energy in kWh of one day or month in an answer of the meter, in either dialect. */
function energyOf(answer: unknown, list: string, key: string, wanted: number): number {
  const records = isObject(answer) ? answer[list] : undefined;
  const record: unknown = Array.isArray(records) ? records.find((one) => one[key] === wanted) : undefined;
  if (!isObject(record)) throw new Error(`there is no ${key} ${wanted} in ${JSON.stringify(answer)}`);
  return typeof record.energy === 'number' ? record.energy : Number(record.energy_wh) / 1000;
}
