import { describe, expect, it } from 'vitest';
import { type Appearance, Names } from '../../src/bridge/names.ts';
import { Announcer } from '../../src/homeassistant/announcer.ts';
import { PlaceIds, PlugIds } from '../../src/homeassistant/ids.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeBridge, INFO } from '../support/fake-bridge.ts';
import { FakeSession } from '../support/fake-session.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { memoryStore } from '../support/memory-store.ts';
import { RunningTask } from '../support/running-task.ts';

const STATUS = 'homeassistant/status';
const LAMP = 'homeassistant/device/hs110mqtt_50c7bf000001/config';
const DESK = 'homeassistant/device/hs110mqtt_50c7bf000002/config';
const BRIDGE = 'homeassistant/device/hs110mqtt_bridge_museum/config';
const SITE = 'homeassistant/device/hs110mqtt_site_museum/config';
const EAST = 'homeassistant/device/hs110mqtt_place_museum_east/config';
const RELAY = 'homeassistant/switch/hs110mqtt_50c7bf000001/relay/config';
const DESK_INFO = { ...INFO, mac: '50:C7:BF:00:00:02' };

interface Options {
  readonly form?: 'device' | 'single' | 'off';
  readonly places?: boolean;
  readonly allow?: readonly string[];
  readonly random?: () => number;
  readonly paths?: readonly string[];
  readonly store?: Store;
}

const called = (name: string, more: Partial<Appearance> = {}): Appearance => ({
  name,
  area: undefined,
  as: undefined,
  ...more,
});

function open(options: Options = {}) {
  const {
    form = 'device',
    places = false,
    allow = [],
    random = () => 0.5,
    paths = ['lamp', 'desk'],
  } = options;
  const bridge = new FakeBridge(...paths);
  const session = new FakeSession();
  const clock = new ManualClock();
  const { log, lines } = memoryLog();
  const memory = options.store ?? memoryStore(clock);
  const topics = new Topics('museum');
  const republished: number[] = [];
  const names = new Names({ site: 'museum', plugs: new Map(), places: new Map(), areas: 'off' });
  const announcer = new Announcer({
    bridge,
    session,
    memory,
    topics,
    names,
    prefix: 'homeassistant',
    form,
    places,
    plugIds: new PlugIds(memory),
    placeIds: new PlaceIds(memory, topics),
    origin: { name: 'hs110-mqtt', sw_version: '1.0.0', support_url: 'https://hs110.example' },
    checksLamp: (path) => bridge.checksLamp(path),
    as: (path) => names.as(path),
    json: true,
    flat: true,
    allow: new Set(allow),
    republish: () => republished.push(clock.now()),
    clock,
    random,
    log,
  });
  const task = new RunningTask(announcer);
  /** What was published since this was last asked; withdrawals and migrations marked as such. */
  const told = () =>
    session.messages
      .splice(0)
      .map(({ topic, payload }) =>
        payload === '' ? `withdrawn ${topic}` : payload.includes('migrate') ? `migrated ${topic}` : topic,
      );
  /** The broker takes what was published so far. */
  const deliver = () => {
    for (const { taken } of session.messages) taken?.();
    memory.transaction(() => {});
  };
  return { bridge, session, clock, lines, republished, task, told, deliver, memory, announcer, names };
}

/** A site whose broker has said what it retains. */
async function opened(options: Options = {}) {
  const site = open(options);
  site.session.connect();
  await site.clock.advance(500);
  site.told();
  return site;
}

describe('the announcer', () => {
  it('announces nothing before the broker has been silent about what it retains', async () => {
    const { bridge, session, clock, told } = open();
    bridge.seen('lamp', true, { info: INFO });
    session.connect();
    await clock.advance(400);
    session.receive('homeassistant/switch/hs110mqtt_50c7bf000009/relay/config', '{}', { retain: true });
    await clock.advance(499);
    expect(told()).toEqual([]);
    await clock.advance(1);
    expect(told()).toEqual([BRIDGE, LAMP]);
  });

  it('announces a plug when it says what it is, retained, once until that changes', async () => {
    const { bridge, session, told } = await opened();
    bridge.change('lamp', { availability: 'offline' });
    expect(told()).toEqual([]);
    bridge.seen('lamp', true, { info: INFO });
    expect(session.messages).toMatchObject([{ topic: LAMP, retain: true, qos: 1 }]);
    expect(told()).toEqual([LAMP]);
    bridge.seen('lamp', false);
    bridge.change('lamp', { rssi: -60 });
    bridge.change('lamp', { availability: 'offline' });
    expect(told()).toEqual([]);
    bridge.change('lamp', { info: { ...INFO, alias: 'Reading lamp' } });
    expect(JSON.parse(session.on(LAMP)[0] ?? '')).toMatchObject({ device: { name: 'Reading lamp' } });
  });

  it('announces the bridge and every plug that is known, again after each connect', async () => {
    const { bridge, session, clock, told } = open();
    session.connect();
    await clock.advance(500);
    expect(told()).toEqual([BRIDGE]);
    bridge.seen('lamp', true, { info: INFO });
    told();
    session.connect();
    await clock.advance(500);
    expect(told()).toEqual([BRIDGE, LAMP]);
  });

  it('calls plugs what the site calls them, from the moment it does', async () => {
    const { bridge, session, names, told } = await opened();
    bridge.seen('lamp', true, { info: INFO });
    bridge.seen('desk', true, { info: DESK_INFO });
    told();
    names.setPlug('lamp', called('By the door', { area: 'East' }));
    expect(JSON.parse(session.on(LAMP)[0] ?? '')).toMatchObject({
      device: { name: 'By the door', suggested_area: 'East' },
    });
    expect(told()).toEqual([LAMP]);
  });

  it('does not announce a plug that does not tell its MAC', async () => {
    const { bridge, told } = await opened();
    bridge.seen('lamp', true, { info: { ...INFO, mac: null } });
    expect(told()).toEqual([]);
  });

  it('announces a plug that two paths lead to once, for the first, and says so', async () => {
    const { bridge, lines, told } = await opened();
    bridge.seen('desk', true, { info: INFO });
    bridge.seen('lamp', true, { info: INFO });
    expect(told()).toEqual([LAMP]);
    expect(lines).toMatchObject([{ plug: 'lamp', sameAs: 'desk' }]);
  });

  it('announces a plug for its new path once it is no longer at the old one', async () => {
    const { bridge, session, clock, told } = await opened({ paths: ['lamp'] });
    bridge.seen('lamp', true, { info: INFO });
    told();
    bridge.remove('lamp');
    bridge.seen('moved', true, { info: INFO });
    await clock.advance(5000);
    expect(session.on(LAMP).map((payload) => JSON.parse(payload))).toMatchObject([
      { availability: [{}, { topic: 'museum/moved/availability' }] },
    ]);
  });

  it('withdraws a plug that is no more', async () => {
    const { bridge, clock, told } = await opened();
    bridge.seen('lamp', true, { info: INFO });
    bridge.seen('desk', true, { info: DESK_INFO });
    told();
    bridge.remove('lamp');
    await clock.advance(500);
    expect(told()).toEqual([`withdrawn ${LAMP}`]);
  });

  it('withdraws an entity that the configuration no longer allows, once, also after a restart', async () => {
    const first = await opened({ allow: ['reboot'], paths: ['lamp'] });
    first.bridge.seen('lamp', true, { info: INFO });
    first.deliver();
    const { bridge, session, clock } = await opened({ paths: ['lamp'], store: first.memory });
    bridge.seen('lamp', true, { info: INFO });
    const entities = () =>
      session.on(LAMP).map((payload) => JSON.parse(payload).components.restart as unknown);
    expect(entities()).toEqual([{ platform: 'button' }, undefined]);
    session.messages.length = 0;
    await clock.advance(0);
    bridge.change('lamp', { info: { ...INFO, firmware: '2' } });
    expect(entities()).toEqual([undefined]);
  });
});

describe('the places that are announced', () => {
  const groups = (session: FakeSession, topic: string) =>
    session.on(topic).map((payload) => JSON.parse(payload).components.relay.group as unknown);

  it('are announced when their plugs are known, once for a crowd', async () => {
    const { bridge, session, clock, told } = await opened({
      places: true,
      paths: ['east/lamp', 'east/desk'],
    });
    bridge.seen('east/lamp', true, { info: INFO });
    bridge.seen('east/desk', true, { info: DESK_INFO });
    expect(told()).toEqual([LAMP, DESK]);
    await clock.advance(2000);
    const members = ['hs110mqtt_50c7bf000001_relay', 'hs110mqtt_50c7bf000002_relay'];
    expect(groups(session, EAST)).toEqual([members]);
    expect(groups(session, SITE)).toEqual([members]);
    expect(told()).toEqual([SITE, EAST]);
  });

  it('are announced anew when a plug comes or goes, and withdrawn with their last', async () => {
    const { bridge, session, clock, told } = await opened({ places: true, paths: ['east/lamp', 'desk'] });
    bridge.seen('east/lamp', true, { info: INFO });
    bridge.seen('desk', true, { info: DESK_INFO });
    await clock.advance(2000);
    told();
    bridge.remove('east/lamp');
    await clock.advance(2000);
    expect(groups(session, SITE)).toEqual([['hs110mqtt_50c7bf000002_relay']]);
    expect(told()).toEqual([`withdrawn ${LAMP}`, `withdrawn ${EAST}`, SITE]);
  });

  it('are called otherwise as soon as they are', async () => {
    const { bridge, session, clock, names, told } = await opened({ places: true, paths: ['east/lamp'] });
    bridge.seen('east/lamp', true, { info: INFO });
    await clock.advance(2000);
    told();
    names.setPlace('east', called('Ostflügel'));
    await clock.advance(2000);
    expect(JSON.parse(session.on(EAST)[0] ?? '')).toMatchObject({ device: { name: 'Ostflügel' } });
  });

  it('are left out where the configuration says so, and withdrawn if they were announced', async () => {
    const first = await opened({ places: true, paths: ['east/lamp'] });
    first.bridge.seen('east/lamp', true, { info: INFO });
    await first.clock.advance(2000);
    first.deliver();
    const { session, clock, told } = open({ paths: ['east/lamp'], store: first.memory });
    session.connect();
    await clock.advance(5000);
    expect(told()).toEqual([BRIDGE, `withdrawn ${EAST}`, `withdrawn ${SITE}`]);
  });
});

describe('the birth of Home Assistant', () => {
  const born = async (options: Options = {}) => {
    const site = await opened(options);
    site.bridge.seen('lamp', true, { info: INFO });
    await site.clock.advance(2000);
    site.told();
    return site;
  };

  it.each([
    [0, 1000],
    [0.5, 5500],
    [1, 10_000],
  ])('is answered after a while, as chance (%f) has it after %i ms', async (chance, delayMs) => {
    const { session, clock, told } = await born({ random: () => chance, places: true });
    session.receive(STATUS, 'online');
    await clock.advance(delayMs - 1);
    expect(told()).toEqual([]);
    await clock.advance(1);
    expect(told()).toEqual([BRIDGE, LAMP, SITE]);
  });

  it('has all states published anew two seconds after the announcements', async () => {
    const { session, clock, republished } = await born();
    const now = clock.now();
    session.receive(STATUS, 'online');
    await clock.advance(20_000);
    expect(republished).toEqual([now + 7500]);
  });

  it('that is said several times is answered once', async () => {
    const { session, clock, told } = await born();
    session.receive(STATUS, 'online');
    await clock.advance(3000);
    session.receive(STATUS, 'online');
    await clock.advance(20_000);
    expect(told()).toEqual([BRIDGE, LAMP]);
  });

  it.each([
    ['long ago', STATUS, 'online', true],
    ['followed by its death', STATUS, 'offline', false],
    ['elsewhere', 'other/status', 'online', false],
  ])('is not answered when it was %s', async (_, topic, payload, retain) => {
    const { session, clock, told, republished } = await born();
    session.receive(topic, payload, { retain });
    await clock.advance(20_000);
    expect(told()).toEqual([]);
    expect(republished).toEqual([]);
  });

  it('is not answered any more at the end, and no timer is left armed', async () => {
    const { session, clock, task, told } = await born({ places: true });
    session.receive(STATUS, 'online');
    session.receive(RELAY, '{}', { retain: true });
    session.connect();
    await task.stop();
    expect(clock.armed).toBe(0);
    await clock.advance(20_000);
    expect(told()).toEqual([]);
  });
});

describe('what a user has deleted in Home Assistant', () => {
  it('is announced again, once, when that is asked for, and all states after it', async () => {
    const { bridge, announcer, clock, republished, told } = await opened({ places: true, paths: ['lamp'] });
    bridge.seen('lamp', true, { info: INFO });
    await clock.advance(2000);
    told();
    const now = clock.now();
    expect(announcer.announceAll()).toBe(3);
    expect(told()).toEqual([BRIDGE, LAMP, SITE]);
    await clock.advance(20_000);
    expect(told()).toEqual([]);
    expect(republished).toEqual([now + 2000]);
  });

  it('is not while the broker has not said what it retains, nor where nothing is announced', async () => {
    expect(open().announcer.announceAll()).toBe(0);
    expect((await opened({ form: 'off' })).announcer.announceAll()).toBe(0);
  });
});

describe('a site that changed the form of discovery', () => {
  it('has Home Assistant migrate each entity, then clears what was announced before, then announces', async () => {
    const { bridge, session, clock, told } = open();
    bridge.seen('lamp', true, { info: INFO });
    session.connect();
    session.receive(RELAY, '{}', { retain: true });
    await clock.advance(500);
    expect(told()).toEqual([BRIDGE, `migrated ${RELAY}`]);
    await clock.advance(1000);
    expect(told()).toEqual([`withdrawn ${RELAY}`]);
    bridge.change('lamp', { info: { ...INFO, firmware: '2' } });
    expect(told()).toEqual([]);
    await clock.advance(1000);
    expect(JSON.parse(session.on(LAMP)[0] ?? '')).toMatchObject({ device: { sw_version: '2' } });
    expect(told()).toEqual([LAMP]);
    session.connect();
    await clock.advance(5000);
    expect(told()).toEqual([BRIDGE, LAMP]);
  });

  it('knows what it announced before also where the broker has forgotten it', async () => {
    const first = await opened({ form: 'single' });
    first.bridge.seen('lamp', true, { info: INFO });
    first.deliver();
    const { bridge, session, clock, told } = open({ store: first.memory });
    session.connect();
    await clock.advance(500);
    expect(told()).toContain('migrated homeassistant/button/hs110mqtt_bridge_museum/search/config');
    bridge.seen('lamp', true, { info: INFO });
    expect(told()).toContain(`migrated ${RELAY}`);
    await clock.advance(1000);
    expect(told()).toContain(`withdrawn ${RELAY}`);
    await clock.advance(1000);
    expect(told()).toEqual([BRIDGE, LAMP]);
  });

  it('waits for the plug to be known before it touches what was announced of it', async () => {
    const { bridge, session, clock } = open();
    session.connect();
    session.receive(RELAY, '{}', { retain: true });
    await clock.advance(1000);
    expect(session.on(RELAY)).toEqual([]);
    bridge.seen('lamp', true, { info: INFO });
    await clock.advance(2000);
    expect(session.on(RELAY)).toEqual(['{"migrate_discovery":true}', '']);
  });

  it('begins again with what is still there when the connection is lost on the way', async () => {
    const { bridge, session, clock, told } = open();
    bridge.seen('lamp', true, { info: INFO });
    session.connect();
    session.receive(RELAY, '{}', { retain: true });
    await clock.advance(500);
    told();
    session.connect();
    session.receive(RELAY, '{"migrate_discovery":true}', { retain: true });
    await clock.advance(2500);
    expect(told()).toEqual([BRIDGE, `migrated ${RELAY}`, `withdrawn ${RELAY}`, LAMP]);
  });

  it('is not disturbed by another bridge that announces its own plugs in another form', async () => {
    const { session, clock, told } = await opened();
    session.receive('homeassistant/switch/hs110mqtt_50c7bf00000f/relay/config', '{}', { retain: true });
    await clock.advance(5000);
    expect(told()).toEqual([]);
  });

  it('that turned it off announces nothing, and withdraws what was announced', async () => {
    const first = await opened({ places: true, paths: ['lamp'] });
    first.bridge.seen('lamp', true, { info: INFO });
    await first.clock.advance(2000);
    first.deliver();
    const { bridge, session, clock, told } = open({ form: 'off', places: true, store: first.memory });
    session.connect();
    session.receive(RELAY, '{}', { retain: true });
    bridge.seen('lamp', true, { info: INFO });
    session.receive(STATUS, 'online');
    await clock.advance(20_000);
    const all = told();
    expect(all.filter((topic) => !topic.startsWith('withdrawn'))).toEqual([]);
    expect(new Set(all)).toEqual(new Set([BRIDGE, LAMP, SITE, RELAY].map((topic) => `withdrawn ${topic}`)));
  });
});
