import { afterEach, describe, expect, it } from 'vitest';
import { SimulatedBulb } from '../../src/simulator/bulb.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import type { PlugDevice } from '../../src/simulator/plug-device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { RecordedDevice } from '../../src/simulator/recorded-device.ts';
import { Site, SURROUNDINGS } from '../support/site.ts';
import { until } from '../support/until.ts';

const { clock } = SURROUNDINGS;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function hostOf(device: PlugDevice): Promise<string> {
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
  await server.start();
  closing.push(() => server.stop());
  return `127.0.0.1:${server.port}`;
}

async function open(devices: { readonly [path: string]: PlugDevice }): Promise<Site> {
  const plugs = await Promise.all(
    Object.entries(devices).map(async ([path, device]) => ({ path, host: await hostOf(device) })),
  );
  const site = await Site.open([], { plugs });
  closing.push(() => site.close());
  for (const path of Object.keys(devices))
    await site.observer.message(`museum/${path}/availability`, (payload) => payload === 'online');
  return site;
}

/** All that a device is asked from now on. */
function queriesTo(device: SimulatedDevice): object[] {
  const queries: object[] = [];
  const answer = device.answer.bind(device);
  device.answer = (query) => {
    queries.push(query);
    return answer(query);
  };
  return queries;
}

let count = 0;

async function receipt(
  site: Site,
  target: string,
  payload: object,
): Promise<{ readonly [key: string]: unknown }> {
  const id = `c${count++}`;
  await site.observer.say(`museum/${target}/set`, JSON.stringify({ id, ...payload }));
  return await site.observer.json(`museum/${target}/result`, (said) => said.id === id);
}

const dimmer = () =>
  new SimulatedDevice(
    { alias: 'Hall', mac: '50:C7:BF:02:00:01', model: 'HS220(US)', hardware: '2.0', loadW: 40 },
    clock,
  );

const bulb = (model = 'KL130(EU)') =>
  new SimulatedBulb({ alias: 'Desk', mac: '50:C7:BF:02:00:02', model }, clock);

const plug = () =>
  new SimulatedDevice({ alias: 'Shed', mac: '50:C7:BF:02:00:03', hardware: '2.0', loadW: 40 }, clock);

describe('a dimmer', () => {
  it('is switched on at the brightness that it is given, and reports it', async () => {
    const hall = dimmer();
    const site = await open({ hall });
    expect(await receipt(site, 'hall', { brightness: 40 })).toMatchObject({
      outcome: 'confirmed',
      wanted: 'ON',
      brightness: 40,
    });
    expect([hall.relay, hall.brightness]).toEqual([true, 40]);
    await site.observer.json('museum/hall', ({ brightness }) => brightness === 40);
    await site.observer.message('museum/hall/brightness', (payload) => payload === '40');
  });

  it('is off at a brightness of 0, and keeps the one it had', async () => {
    const hall = dimmer();
    const site = await open({ hall });
    await receipt(site, 'hall', { brightness: 70 });
    expect(await receipt(site, 'hall', { brightness: 0 })).toMatchObject({
      outcome: 'confirmed',
      wanted: 'OFF',
    });
    expect([hall.relay, hall.brightness]).toEqual([false, 70]);
  });

  it('carries out a brightness and the ON that follows it at once, as Home Assistant sends them', async () => {
    const hall = dimmer();
    const site = await open({ hall });
    const [first, second] = await Promise.all([
      receipt(site, 'hall', { brightness: 25 }),
      receipt(site, 'hall', { state: 'ON' }),
    ]);
    expect([first.outcome, second.outcome]).toEqual(['confirmed', 'confirmed']);
    expect([hall.relay, hall.brightness]).toEqual([true, 25]);
  });

  it('has no colour temperature, and says so', async () => {
    const hall = dimmer();
    const site = await open({ hall });
    const { outcome, reason } = await receipt(site, 'hall', { color_temp: 2700 });
    expect([outcome, reason]).toEqual(['failed', 'its colour temperature cannot be set']);
    expect(hall.relay).toBe(false);
  });

  it.each([[-1], [101], [40.5], ['bright'], [null], [[40]]])(
    'refuses %j as a brightness',
    async (brightness) => {
      const hall = dimmer();
      const site = await open({ hall });
      expect((await receipt(site, 'hall', { brightness })).outcome).toBe('refused');
      expect((await receipt(site, 'hall', { state: 'OFF', brightness: 40 })).outcome).toBe('refused');
      expect(hall.brightness).toBe(100);
    },
  );
});

describe('a dimmer with sensors', () => {
  const sensing = () =>
    new SimulatedDevice(
      { alias: 'Hall', mac: '50:C7:BF:02:00:09', model: 'ES20M(US)', hardware: '2.0', loadW: 40 },
      clock,
    );

  it('says with each poll whether something moves, and how light it is', async () => {
    const device = sensing();
    const { observer } = await open({ hall: device });
    await observer.json('museum/hall', (said) => said.motion === 'OFF' && said.ambient_light === 35);
    if (device.sensors === undefined) throw new Error('it has no sensors');
    Object.assign(device.sensors, { motion: true, ambientLight: 4 });
    await observer.json('museum/hall', (said) => said.motion === 'ON' && said.ambient_light === 4);
    await observer.message('museum/hall/motion', (payload) => payload === 'ON');
    await observer.message('museum/hall/ambient_light', (payload) => payload === '4');
    device.sensors.watches = false;
    await observer.json('museum/hall', (said) => said.motion === null && said.ambient_light === 4);
  });

  it('is dimmed, and then says no less than before', async () => {
    const site = await open({ hall: sensing() });
    expect(await receipt(site, 'hall', { brightness: 40 })).toMatchObject({ outcome: 'confirmed' });
    const said = await site.observer.json('museum/hall', ({ brightness }) => brightness === 40);
    expect(said).toMatchObject({ state: 'ON', motion: 'OFF', ambient_light: 35 });
  });

  it('is announced with both of them', async () => {
    const { observer } = await open({ hall: sensing() });
    const { payload } = await observer.message('homeassistant/device/hs110mqtt_50c7bf020009/config');
    expect(JSON.parse(payload).components).toMatchObject({
      motion: { platform: 'binary_sensor', device_class: 'motion' },
      ambient_light: { platform: 'sensor', unit_of_measurement: '%' },
    });
  });

  it('is asked in one exchange for all it has, and others are not asked for what they have not', async () => {
    const [device, plain] = [sensing(), dimmer()];
    const [asked, plainAsked] = [queriesTo(device), queriesTo(plain)];
    const { observer } = await open({ hall: device, stairs: plain });
    await observer.json('museum/hall', (said) => said.motion === 'OFF');
    const polls = asked.filter((query) => 'smartlife.iot.PIR' in query);
    expect(polls.length).toBeGreaterThan(0);
    for (const query of polls) expect(Object.keys(query)).toContain('system');
    for (const query of polls) expect(Object.keys(query)).toContain('smartlife.iot.LAS');
    expect(plainAsked.length).toBeGreaterThan(0);
    expect(
      plainAsked.filter((query) => Object.keys(query).some((name) => name.startsWith('smartlife.iot.'))),
    ).toEqual([]);
  });
});

describe('a bulb', () => {
  it('is switched, and its power is read', async () => {
    const desk = bulb();
    const site = await open({ desk });
    expect((await receipt(site, 'desk', { state: 'ON' })).outcome).toBe('confirmed');
    expect(desk.on).toBe(true);
    const state = await site.observer.json('museum/desk', ({ power }) => power === 5.8);
    expect(state).toMatchObject({ state: 'ON', brightness: 50, color_temp: 2700, voltage: null, led: null });
    expect((await receipt(site, 'desk', { state: 'TOGGLE' })).outcome).toBe('confirmed');
    expect(desk.on).toBe(false);
  });

  it('is given brightness and colour temperature in one go', async () => {
    const desk = bulb();
    const site = await open({ desk });
    const wanted = { state: 'ON', brightness: 30, color_temp: 4000 };
    expect(await receipt(site, 'desk', wanted)).toMatchObject({
      outcome: 'confirmed',
      brightness: 30,
      color_temp: 4000,
    });
    expect([desk.on, desk.brightness, desk.colorTemp]).toEqual([true, 30, 4000]);
  });

  it('is never asked for a colour temperature that it does not have', async () => {
    const desk = bulb();
    const site = await open({ desk });
    expect((await receipt(site, 'desk', { color_temp: 9500 })).reason).toBe(
      'its colour temperature is between 2500 and 9000 K',
    );
    expect(desk.on).toBe(false);
  });

  it('goes out with its place, in which a plug cannot be dimmed', async () => {
    const [desk, shed] = [bulb(), plug()];
    const site = await open({ 'barn/desk': desk, 'barn/shed': shed });
    const dimmed = await receipt(site, 'barn', { brightness: 60 });
    expect(dimmed).toMatchObject({
      outcome: 'partial',
      confirmed: 1,
      missing: [{ path: 'barn/shed', reason: 'it cannot be dimmed' }],
    });
    expect([desk.brightness, shed.relay]).toEqual([60, false]);
    expect(await receipt(site, 'barn', { state: 'OFF' })).toMatchObject({ outcome: 'confirmed', total: 2 });
    expect(desk.on).toBe(false);
  });

  it('counts down by the bridge alone', async () => {
    const desk = bulb();
    const site = await open({ desk });
    const { outcome, countdown } = await receipt(site, 'desk', { state: 'ON', for: '1s' });
    expect([outcome, countdown]).toEqual(['confirmed', false]);
    await until(() => !desk.on, 'the bridge to switch it off');
  });
});

describe('a light strip', () => {
  it('is told its light by a module of its own', async () => {
    const shelf = bulb('KL430(US)');
    const site = await open({ shelf });
    expect((await receipt(site, 'shelf', { brightness: 80, color_temp: 9000 })).outcome).toBe('confirmed');
    expect([shelf.on, shelf.brightness, shelf.colorTemp]).toEqual([true, 80, 9000]);
  });
});

describe('a light that is played from a recording', () => {
  it('is switched, dimmed and read as it was recorded', async () => {
    const simulated = bulb('KL110(US)').answer({ system: { get_sysinfo: {} } });
    const desk = new RecordedDevice(simulated, clock);
    const site = await open({ desk });
    expect((await receipt(site, 'desk', { brightness: 20 })).outcome).toBe('confirmed');
    await site.observer.json('museum/desk', ({ brightness }) => brightness === 20);
    expect((await receipt(site, 'desk', { state: 'OFF' })).outcome).toBe('confirmed');
  });
});

describe('a plug', () => {
  it('says nothing of a brightness, and cannot be dimmed', async () => {
    const shed = plug();
    const site = await open({ shed });
    const state = await site.observer.json('museum/shed', ({ power }) => power !== null);
    expect(Object.keys(state)).not.toContain('brightness');
    expect((await receipt(site, 'shed', { brightness: 40 })).reason).toBe('it cannot be dimmed');
    expect(shed.relay).toBe(false);
  });
});
