import { describe, expect, it } from 'vitest';
import { Announcer } from '../../src/homeassistant/announcer.ts';
import type { Naming } from '../../src/homeassistant/discovery.ts';
import { Topics } from '../../src/mqtt/topics.ts';
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
const RELAY = 'homeassistant/switch/hs110mqtt_50c7bf000001/relay/config';

interface Options {
  readonly form?: 'device' | 'single' | 'off';
  readonly names?: readonly (readonly [string, Naming])[];
  readonly random?: () => number;
}

function open({ form = 'device', names = [], random = () => 0.5 }: Options = {}) {
  const bridge = new FakeBridge('lamp', 'desk');
  const session = new FakeSession();
  const clock = new ManualClock();
  const { log, lines } = memoryLog();
  const retained = memoryStore(clock);
  const republished: number[] = [];
  const announcer = new Announcer({
    bridge,
    session,
    retained,
    discovery: {
      topics: new Topics('museum'),
      prefix: 'homeassistant',
      form,
      origin: { name: 'hs110-mqtt', sw_version: '1.0.0' },
      json: true,
    },
    names: new Map(names),
    republish: () => republished.push(clock.now()),
    clock,
    random,
    log,
  });
  const task = new RunningTask(announcer);
  /** Topics on which something was announced since this was last asked. */
  const announced = () => session.messages.splice(0).map(({ topic }) => topic);
  return { bridge, session, clock, lines, republished, task, announced, retained };
}

describe('the announcer', () => {
  it('announces a plug when it says what it is, retained, once until that changes', () => {
    const { bridge, session, announced } = open();
    bridge.change('lamp', { availability: 'offline' });
    expect(announced()).toEqual([]);
    bridge.seen('lamp', true, { info: INFO });
    expect(session.messages).toMatchObject([{ topic: LAMP, retain: true, qos: 1 }]);
    expect(announced()).toEqual([LAMP]);
    bridge.seen('lamp', false);
    bridge.change('lamp', { rssi: -60 });
    bridge.change('lamp', { availability: 'offline' });
    expect(announced()).toEqual([]);
    bridge.change('lamp', { info: { ...INFO, alias: 'Reading lamp' } });
    expect(JSON.parse(session.on(LAMP)[0] ?? '')).toMatchObject({ device: { name: 'Reading lamp' } });
  });

  it('announces the bridge and every plug that is known, again after each connect', () => {
    const { bridge, session, announced } = open();
    session.connect();
    expect(announced()).toEqual([BRIDGE]);
    bridge.seen('lamp', true, { info: INFO });
    announced();
    session.connect();
    expect(announced()).toEqual([BRIDGE, LAMP]);
  });

  it('calls plugs what the site calls them', () => {
    const { bridge, session } = open({
      names: [['lamp', { path: 'lamp', name: 'By the door', area: 'East' }]],
    });
    bridge.seen('lamp', true, { info: INFO });
    bridge.seen('desk', true, { info: { ...INFO, mac: '50:C7:BF:00:00:02' } });
    expect(JSON.parse(session.on(LAMP)[0] ?? '')).toMatchObject({
      device: { name: 'By the door', suggested_area: 'East' },
    });
    expect(JSON.parse(session.on(DESK)[0] ?? '')).toMatchObject({
      device: { name: 'Lamp' },
      availability: [{}, { topic: 'museum/desk/availability' }],
    });
  });

  it('does not announce a plug that does not tell its MAC', () => {
    const { bridge, announced } = open();
    bridge.seen('lamp', true, { info: { ...INFO, mac: null } });
    expect(announced()).toEqual([]);
  });

  it('announces a plug that two paths lead to once, for the first, and says so', () => {
    const { bridge, lines, announced } = open();
    bridge.seen('desk', true, { info: INFO });
    bridge.seen('lamp', true, { info: INFO });
    expect(announced()).toEqual([LAMP]);
    expect(lines).toMatchObject([{ plug: 'lamp', sameAs: 'desk' }]);
  });

  it('announces a plug for its new path once it is no longer at the old one', () => {
    const { bridge, session, announced } = open();
    bridge.seen('lamp', true, { info: INFO });
    announced();
    bridge.remove('lamp');
    bridge.seen('moved', true, { info: INFO });
    expect(JSON.parse(session.on(LAMP)[0] ?? '')).toMatchObject({
      availability: [{}, { topic: 'museum/moved/availability' }],
    });
  });
});

describe('the birth of Home Assistant', () => {
  const born = (options: Options = {}) => {
    const site = open(options);
    site.bridge.seen('lamp', true, { info: INFO });
    site.announced();
    return site;
  };

  it.each([
    [0, 1000],
    [0.5, 5500],
    [1, 10_000],
  ])('is answered after a while, as chance (%f) has it after %i ms', async (chance, delayMs) => {
    const { session, clock, announced } = born({ random: () => chance });
    session.receive(STATUS, 'online');
    await clock.advance(delayMs - 1);
    expect(announced()).toEqual([]);
    await clock.advance(1);
    expect(announced()).toEqual([BRIDGE, LAMP]);
  });

  it('has all states published anew two seconds after the announcements', async () => {
    const { session, clock, republished } = born();
    session.receive(STATUS, 'online');
    await clock.advance(20_000);
    expect(republished).toEqual([7500]);
  });

  it('that is said several times is answered once', async () => {
    const { session, clock, announced } = born();
    session.receive(STATUS, 'online');
    await clock.advance(3000);
    session.receive(STATUS, 'online');
    await clock.advance(20_000);
    expect(announced()).toEqual([BRIDGE, LAMP]);
  });

  it.each([
    ['long ago', STATUS, 'online', true],
    ['followed by its death', STATUS, 'offline', false],
    ['elsewhere', 'other/status', 'online', false],
  ])('is not answered when it was %s', async (_, topic, payload, retain) => {
    const { session, clock, announced, republished } = born();
    session.receive(topic, payload, { retain });
    await clock.advance(20_000);
    expect(announced()).toEqual([]);
    expect(republished).toEqual([]);
  });

  it('is not answered any more at the end, and no timer is left armed', async () => {
    const { session, clock, task, announced } = born();
    session.receive(STATUS, 'online');
    session.receive(RELAY, '{}', { retain: true });
    await task.stop();
    expect(clock.armed).toBe(0);
    await clock.advance(20_000);
    expect(announced()).toEqual([]);
  });
});

describe('a site that changed the form of discovery', () => {
  it('has Home Assistant migrate each entity and then clears what was announced before', async () => {
    const { bridge, session, clock } = open();
    bridge.seen('lamp', true, { info: INFO });
    session.messages.length = 0;
    session.receive(RELAY, '{}', { retain: true });
    await clock.advance(1000);
    expect(
      session.messages.filter(({ topic }) => topic !== BRIDGE).map(({ topic, payload }) => [topic, payload]),
    ).toEqual([
      [RELAY, '{"migrate_discovery":true}'],
      [LAMP, expect.stringContaining('components')],
      [RELAY, ''],
    ]);
    session.messages.length = 0;
    session.connect();
    expect(session.messages.map(({ topic }) => topic)).toEqual([BRIDGE, LAMP]);
  });

  it('waits for the plug to be known before it touches what was announced of it', async () => {
    const { bridge, session, clock } = open();
    session.receive(RELAY, '{}', { retain: true });
    await clock.advance(1000);
    expect(session.on(RELAY)).toEqual([]);
    bridge.seen('lamp', true, { info: INFO });
    expect(session.on(RELAY)).toEqual(['{"migrate_discovery":true}', '']);
  });

  it('that turned it off announces nothing, and withdraws what was announced', async () => {
    const { bridge, session, clock, announced } = open({ form: 'off' });
    session.connect();
    bridge.seen('lamp', true, { info: INFO });
    session.receive(STATUS, 'online');
    await clock.advance(20_000);
    expect(announced()).toEqual([]);
    for (const topic of [RELAY, LAMP, BRIDGE]) session.receive(topic, '{}', { retain: true });
    await clock.advance(1000);
    const withdrawn = session.messages.map(({ topic, payload, retain }) => [topic, payload, retain]);
    expect(withdrawn).toEqual([BRIDGE, RELAY, LAMP].map((topic) => [topic, '', true]));
  });
});
