import { describe, expect, it } from 'vitest';
import { type PublisherOptions, StatePublisher } from '../../src/mqtt/state-publisher.ts';
import { FLAT_VALUES, Topics } from '../../src/mqtt/topics.ts';
import { FakeBridge, INFO } from '../support/fake-bridge.ts';
import { FakeSession } from '../support/fake-session.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';
import { RunningTask } from '../support/running-task.ts';

const HEARTBEAT_MS = 600_000;
const NO_DEADBAND = { change: undefined, percent: undefined };
const NO_DEADBANDS = {
  power: NO_DEADBAND,
  voltage: NO_DEADBAND,
  current: NO_DEADBAND,
  rssi: NO_DEADBAND,
};

function open(
  paths: readonly string[],
  output: 'json' | 'flat' | 'both' = 'both',
  options: Partial<PublisherOptions> = {},
) {
  const bridge = new FakeBridge(...paths);
  const session = new FakeSession();
  const clock = new ManualClock();
  const topics = new Topics('museum');
  const retained = memoryStore(clock);
  const publisher = new StatePublisher({
    bridge,
    session,
    topics,
    retained,
    clock,
    output,
    offlineValues: 'keep',
    publishPlaces: true,
    qos: 0,
    heartbeatMs: HEARTBEAT_MS,
    report: NO_DEADBANDS,
    ...options,
  });
  const task = new RunningTask(publisher);
  return { bridge, session, clock, publisher, task, retained };
}

/** A publisher whose plugs have been seen, off, and published. */
async function published(
  paths: readonly string[],
  output: 'json' | 'flat' | 'both' = 'both',
  options: Partial<PublisherOptions> = {},
) {
  const site = open(paths, output, options);
  for (const path of paths) site.bridge.seen(path, false, { voltage: 230, led: true });
  await settled();
  site.session.news();
  return site;
}

describe('what is published of a plug', () => {
  it('is taken back while it is offline, if so configured: no dashboard draws a flat line', async () => {
    const { bridge, session, task } = await published(['lamp'], 'both', {
      offlineValues: 'clear',
    });
    bridge.change('lamp', { availability: 'offline', problem: 'timeout' });
    await settled();
    const news = session.news();
    expect(news).toMatchObject({ 'museum/lamp/availability': 'offline', 'museum/lamp/state': '' });
    expect(news['museum/lamp/voltage']).toBe('');
    const json = JSON.parse(news['museum/lamp'] ?? '');
    expect(json).toMatchObject({ state: null, power: null, voltage: null, problem: 'timeout' });
    expect(json.last_seen).not.toBeNull();

    bridge.seen('lamp', true);
    await settled();
    expect(session.news()).toMatchObject({ 'museum/lamp/state': 'ON', 'museum/lamp/availability': 'online' });
    await task.stop();
    expect(session.news()).toMatchObject({ 'museum/lamp/state': '', 'museum/lamp/availability': 'offline' });
  });

  it('is taken back at the start, where a former run left it, if so configured', async () => {
    const { session, publisher } = open(['lamp'], 'flat', { offlineValues: 'clear' });
    publisher.publishAll();
    await settled();
    const news = session.news();
    for (const name of FLAT_VALUES) expect(news[`museum/lamp/${name}`]).toBe('');
  });

  it('is sent at the QoS that is configured', async () => {
    const { bridge, session } = open(['lamp'], 'both', { qos: 1 });
    bridge.seen('lamp', true);
    await settled();
    expect(new Set(session.messages.map(({ qos }) => qos))).toEqual(new Set([1]));
  });

  it('is that it is offline, and nothing else, before anything is known', async () => {
    const { session, publisher } = open(['lamp']);
    publisher.publishAll();
    await settled();
    const news = Object.entries(session.news()).filter(([topic]) => topic.includes('lamp'));
    expect(news).toEqual([['museum/lamp/availability', 'offline']]);
  });

  it('is all of it at first: JSON, each value and the availability, retained', async () => {
    const { bridge, session } = open(['lamp']);
    bridge.seen('lamp', true);
    await settled();
    const { messages } = session;
    expect(messages.every(({ retain }) => retain)).toBe(true);
    expect(messages.find(({ topic }) => topic === 'museum/lamp/availability')).toMatchObject({ qos: 1 });
    const news = session.news();
    expect(JSON.parse(news['museum/lamp'] ?? '')).toMatchObject({ state: 'ON', power: 40, voltage: null });
    expect(news).toMatchObject({
      'museum/lamp/state': 'ON',
      'museum/lamp/power': '40',
      'museum/lamp/voltage': '',
      'museum/lamp/availability': 'online',
      'museum/state': 'ON',
      'museum/power': '40',
    });
    expect(Object.keys(news).filter((topic) => topic.startsWith('museum/lamp/'))).toHaveLength(
      FLAT_VALUES.length + 1,
    );
  });

  it('is only its absence while it has never answered', async () => {
    const { bridge, session } = open(['lamp']);
    bridge.change('lamp', { availability: 'offline', problem: 'timeout' });
    await settled();
    const mine = Object.entries(session.news()).filter(([topic]) => topic.startsWith('museum/lamp'));
    expect(mine).toEqual([['museum/lamp/availability', 'offline']]);
  });

  it('is afterwards only what changed', async () => {
    const { bridge, session } = await published(['lamp']);
    bridge.change('lamp', { voltage: 231, lastSeen: 5000 });
    await settled();
    expect(Object.keys(session.news())).toEqual(['museum/lamp', 'museum/lamp/voltage']);
    bridge.change('lamp', { availability: 'offline', problem: 'timeout' });
    await settled();
    expect(Object.keys(session.news())).toEqual([
      'museum/lamp',
      'museum/lamp/availability',
      'museum',
      'museum/state',
      'museum/power',
      'museum/energy',
      'museum/bridge/places',
    ]);
  });

  it.each([
    ['power', { power: 1 }],
    ['current', { current: 1 }],
    ['voltage', { voltage: 1 }],
    ['relay', { relay: true }],
    ['signal', { rssi: -1 }],
    ['energy', { energy: 1 }],
    ['LED', { led: false }],
    ['problem', { problem: 'flapping' }],
    ['start', { onSince: 1 }],
    ['cause', { changedBy: 'plug' }],
    ['energy of the day', { energyToday: 1 }],
    ['energy of the month', { energyMonth: 1 }],
    ['cloud', { cloud: { bound: true, connected: true } }],
  ] as const)('is told when its %s is another', async (_, change) => {
    const { bridge, session } = await published(['lamp'], 'json');
    bridge.change('lamp', change);
    await settled();
    expect(session.on('museum/lamp')).toHaveLength(1);
  });

  it('is nothing when only the time of its last answer is another, until the heartbeat', async () => {
    const { bridge, session, clock } = await published(['lamp']);
    bridge.date('lamp', 5000);
    await clock.advance(HEARTBEAT_MS - 1);
    expect(session.news()).toEqual({});
    await clock.advance(1);
    expect(session.news()).toEqual({ 'museum/lamp': expect.stringContaining('00:00:05.000Z') });
    bridge.date('lamp', 10_000);
    await clock.advance(HEARTBEAT_MS);
    expect(session.news()).toEqual({ 'museum/lamp': expect.stringContaining('00:00:10.000Z') });
  });

  it('is nothing more of a plug that no longer answers', async () => {
    const { bridge, session, clock } = await published(['lamp']);
    bridge.change('lamp', { availability: 'offline', problem: 'timeout' });
    await settled();
    session.news();
    await clock.advance(3 * HEARTBEAT_MS);
    expect(session.news()).toEqual({});
    bridge.date('lamp', 5000);
    await clock.advance(HEARTBEAT_MS);
    expect(Object.keys(session.news())).toEqual(['museum/lamp']);
  });

  it('is told again after the heartbeat counted from its own last message', async () => {
    const { bridge, session, clock } = await published(['lamp', 'desk'], 'json');
    await clock.advance(HEARTBEAT_MS / 2);
    bridge.change('lamp', { power: 7 });
    await settled();
    session.news();
    for (const path of ['lamp', 'desk']) bridge.date(path, 5000);
    await clock.advance(HEARTBEAT_MS / 2);
    expect(Object.keys(session.news())).toEqual(['museum', 'museum/desk']);
    await clock.advance(HEARTBEAT_MS / 2);
    expect(Object.keys(session.news())).toEqual(['museum/lamp']);
  });

  it('is all of it again when somebody asked', async () => {
    const { bridge, session } = await published(['lamp']);
    bridge.change('lamp', { lastSeen: 5000 }, true);
    await settled();
    expect(Object.keys(session.news())).toHaveLength(FLAT_VALUES.length + 2);
  });

  it('is told at once when it was switched, and its place once all input is dealt with', async () => {
    const { bridge, session } = await published(['lamp'], 'json');
    bridge.seen('lamp', true);
    expect(Object.keys(session.news())).toEqual(['museum/lamp']);
    await settled();
    expect(Object.keys(session.news())).toEqual(['museum', 'museum/bridge/places']);
  });

  it('is its last state when several come at once', async () => {
    const { bridge, session } = await published(['lamp']);
    bridge.change('lamp', { led: false });
    bridge.seen('lamp', true);
    bridge.seen('lamp', false);
    await settled();
    expect(session.on('museum/lamp/state')).toEqual([]);
    expect(session.on('museum/lamp/led')).toEqual(['OFF']);
    expect(session.on('museum/lamp')).toHaveLength(1);
  });

  it.each([
    ['json', ['museum/lamp', 'museum/lamp/availability', 'museum', 'museum/bridge/places']],
    [
      'flat',
      [
        'museum/lamp/state',
        'museum/lamp/power',
        'museum/lamp/availability',
        'museum/state',
        'museum/power',
        'museum/bridge/places',
      ],
    ],
  ] as const)('is in the form that is wanted: %s', async (output, topics) => {
    const { bridge, session } = open(['lamp'], output);
    bridge.seen('lamp', true);
    await settled();
    const news = Object.entries(session.news()).filter(([, payload]) => payload !== '');
    expect(news.map(([topic]) => topic)).toEqual(topics);
  });

  it('is all of it anew after each connect', async () => {
    const { session } = await published(['lamp', 'east/desk']);
    session.connect();
    await settled();
    const news = session.news();
    for (const topic of ['museum/lamp/voltage', 'museum/lamp/availability', 'museum/east', 'museum']) {
      expect(news).toHaveProperty([topic]);
    }
  });

  it('is taken back when it is removed, and so are the places that went with it', async () => {
    const { bridge, session, clock } = await published(['lamp', 'east/hall/desk']);
    bridge.seen('lamp', true, { energy: 1 });
    await settled();
    session.news();
    bridge.remove('east/hall/desk');
    await settled();
    // Home Assistant hears first that it is no more.
    expect(session.on('museum/east/hall/desk/availability')).toEqual(['offline']);
    expect(session.messages.some(({ payload }) => payload === '')).toBe(false);
    await clock.advance(3000);
    const { messages } = session;
    const emptied = messages
      .filter(({ payload, retain }) => payload === '' && retain)
      .map(({ topic }) => topic);
    expect(new Set(emptied)).toEqual(
      new Set([
        'museum/bridge/places/east',
        'museum/bridge/places/east/hall',
        'museum/east/hall/desk',
        ...[...FLAT_VALUES, 'availability'].map((name) => `museum/east/hall/desk/${name}`),
        ...['museum/east/hall', 'museum/east'].flatMap((place) => [
          place,
          `${place}/state`,
          `${place}/power`,
          `${place}/energy`,
        ]),
      ]),
    );
    expect(JSON.parse(session.on('museum')[0] ?? '')).toMatchObject({ total: 1 });
  });

  it('is its absence at the end, after what was still to be said', async () => {
    const { bridge, session, clock, task } = await published(['lamp']);
    bridge.seen('lamp', true);
    await task.stop();
    expect(session.on('museum/lamp/state')).toEqual(['ON']);
    expect(session.messages.at(-1)).toMatchObject({ topic: 'museum/lamp/availability', payload: 'offline' });
    expect(clock.armed).toBe(0);
    session.news();
    session.connect();
    bridge.seen('lamp', false);
    await settled();
    expect(session.news()).toEqual({});
  });
});

describe('a plug that is taken away and comes back at once', () => {
  it('keeps what is retained of it', async () => {
    const { bridge, session, clock } = await published(['lamp']);
    bridge.remove('lamp');
    bridge.seen('lamp', true);
    await clock.advance(5000);
    expect(
      session.messages.filter(({ topic, payload }) => topic === 'museum/lamp' && payload === ''),
    ).toEqual([]);
  });
});

describe('what is published of a place', () => {
  it('is nothing if so configured, and what a former run left is cleared', async () => {
    const { bridge, session, publisher, retained, clock } = open(['hall/lamp'], 'both', {
      publishPlaces: false,
    });
    retained.keepRetained('place', 'museum/hall');
    await settled();
    publisher.publishAll();
    bridge.seen('hall/lamp', true);
    await clock.advance(3000);
    const news = session.news();
    expect(news).toMatchObject({
      'museum/hall': '',
      'museum/hall/state': '',
      'museum/hall/lamp/state': 'ON',
    });
    expect(news['museum/state']).toBeUndefined();
  });

  it('follows a plug that is switched at once', async () => {
    const { bridge, session } = await published(['east/a', 'east/b']);
    bridge.seen('east/a', true);
    await settled();
    expect(JSON.parse(session.on('museum/east')[0] ?? '')).toEqual({
      kind: 'place',
      state: 'MIXED',
      on: 1,
      off: 1,
      unknown: 0,
      total: 2,
      power: 40,
      energy: null,
    });
    expect(session.on('museum/east/power')).toEqual(['40']);
  });

  it('follows the power at most once a second', async () => {
    const { bridge, session, clock } = await published(['east/a', 'east/b']);
    for (let step = 1; step <= 5; step++) {
      bridge.change('east/a', { power: step });
      await clock.advance(300);
    }
    expect(session.on('museum/east/power')).toEqual(['4']);
    await clock.advance(1000);
    expect(session.on('museum/east/power')).toEqual(['4', '5']);
    expect(session.on('museum/east/a/power')).toEqual(['1', '2', '3', '4', '5']);
  });

  it('is empty where its state is not known, which clears what was retained', async () => {
    const { bridge, session } = await published(['east/a']);
    bridge.change('east/a', { availability: 'offline', problem: 'timeout' });
    await settled();
    expect(session.on('museum/east/state')).toEqual(['']);
    expect(session.on('museum/east/power')).toEqual(['']);
  });

  it('is not repeated while it is the same', async () => {
    const { bridge, session, clock } = await published(['east/a']);
    bridge.change('east/a', { voltage: 229 });
    await clock.advance(2000);
    expect(session.on('museum/east')).toEqual([]);
  });
});

describe('a broker that takes no more', () => {
  it('gets the last state of every plug once it takes more, and nothing in between', async () => {
    const { bridge, session } = await published(['a', 'b', 'c']);
    session.congested = true;
    for (const path of ['a', 'b', 'c']) bridge.seen(path, true);
    await settled();
    bridge.seen('b', false);
    bridge.change('c', { power: 77 });
    await settled();
    expect(session.news()).toEqual({});
    session.free();
    await settled();
    expect(session.on('museum/a/state')).toEqual(['ON']);
    expect(session.on('museum/b/state')).toEqual([]);
    expect(session.on('museum/c/power')).toEqual(['77']);
    expect(session.on('museum')).toHaveLength(1);
  });

  it('is waited for in the middle of many, and gets the rest afterwards', async () => {
    const paths = Array.from({ length: 10 }, (_, index) => `lamp-${index}`);
    const { bridge, session } = await published(paths);
    session.onPublish = ({ topic }) => {
      if (topic === 'museum/lamp-3/state') session.congested = true;
    };
    for (const path of paths) bridge.seen(path, true);
    await settled();
    const switched = () => paths.filter((path) => session.on(`museum/${path}/state`).length > 0).length;
    expect(switched()).toBe(4);
    session.free();
    await settled();
    expect(switched()).toBe(10);
  });

  it('is waited for once, however much changes meanwhile', async () => {
    const { bridge, session } = await published(['lamp']);
    session.congested = true;
    for (let change = 0; change < 20; change++) {
      bridge.change('lamp', { power: change + 1 });
      await settled();
    }
    expect(session.waiting).toHaveLength(1);
  });

  it('is not waited for over the end of its connection', async () => {
    const { bridge, session } = await published(['lamp']);
    session.congested = true;
    bridge.seen('lamp', true);
    await settled();
    // The connection that was waited for is gone, and with it whoever would have called.
    session.waiting.length = 0;
    session.congested = false;
    session.connect();
    await settled();
    expect(session.on('museum/lamp/state')).toEqual(['ON']);
    session.congested = true;
    bridge.seen('lamp', false);
    await settled();
    session.free();
    await settled();
    expect(session.on('museum/lamp/state')).toEqual(['ON', 'OFF']);
  });
});

describe('the first report of a plug', () => {
  const METERED = { info: INFO, power: 40 };

  it('waits for the energy of the day and the month, so that it is complete', async () => {
    const { bridge, session, clock } = open(['lamp'], 'json');
    bridge.seen('lamp', true, METERED);
    await clock.advance(400);
    expect(session.messages.filter(({ topic }) => topic.startsWith('museum/lamp'))).toEqual([]);
    bridge.change('lamp', { energyToday: 0.12, energyMonth: 3.4, clock: 'right' });
    await settled();
    expect(session.on('museum/lamp').map((payload) => JSON.parse(payload))).toMatchObject([
      { state: 'ON', power: 40, energy_today: 0.12, energy_month: 3.4 },
    ]);
    expect(session.on('museum/lamp/availability')).toEqual(['online']);
  });

  it('does not wait longer than half a second, nor for a plug without a meter', async () => {
    const { bridge, session, clock } = open(['lamp', 'desk', 'late'], 'json');
    bridge.seen('lamp', true, METERED);
    bridge.seen('desk', true, { info: { ...INFO, hasMeter: false } });
    await clock.advance(250);
    bridge.seen('late', true, METERED);
    await settled();
    expect(session.on('museum/desk')).toHaveLength(1);
    await clock.advance(249);
    expect(session.on('museum/lamp')).toEqual([]);
    await clock.advance(1);
    expect(session.on('museum/lamp')).toHaveLength(1);
    expect(session.on('museum/late')).toEqual([]);
    await clock.advance(250);
    expect(session.on('museum/late')).toHaveLength(1);
  });

  it.each([
    ['switches it', { relay: false }, false],
    ['asks for it', {}, true],
    ['takes it off the network', { availability: 'offline' }, false],
  ] as const)('does not wait when somebody %s', async (_, change, asked) => {
    const { bridge, session } = open(['lamp'], 'json');
    bridge.seen('lamp', true, METERED);
    bridge.change('lamp', change, asked);
    await settled();
    expect(session.on('museum/lamp')).toHaveLength(1);
  });

  it('leaves no timer armed at the end', async () => {
    const { bridge, clock, task } = open(['lamp'], 'json');
    bridge.seen('lamp', true, METERED);
    await task.stop();
    expect(clock.armed).toBe(0);
  });
});

describe('with a deadband', () => {
  const report = { ...NO_DEADBANDS, power: { change: 1, percent: 2 } };
  const powers = (session: FakeSession, topic: string) =>
    session.on(topic).map((payload) => JSON.parse(payload).power as unknown);

  it('a plug is published when its power has changed by more, when it is switched, and as a heartbeat', async () => {
    const { bridge, session, clock } = await published(['lamp'], 'json', { report });
    bridge.seen('lamp', true, { power: 60 });
    await settled();
    for (const power of [60.4, 60.9, 61.5, 61.6, 0]) {
      bridge.change('lamp', { power, lastSeen: 1 });
      await settled();
    }
    expect(powers(session, 'museum/lamp')).toEqual([60, 61.5, 0]);
    bridge.seen('lamp', false, { power: 0.3 });
    await settled();
    bridge.change('lamp', { power: 0.4, lastSeen: 2 });
    await clock.advance(HEARTBEAT_MS + 1000);
    expect(powers(session, 'museum/lamp').slice(3)).toEqual([0.3, 0.3]);
  });

  it('a plug is published when anything else has changed, with the power it had', async () => {
    const { bridge, session } = await published(['lamp'], 'json', { report });
    bridge.seen('lamp', true, { power: 60 });
    await settled();
    bridge.change('lamp', { power: 60.5, energy: 1.5 });
    await settled();
    expect(JSON.parse(session.on('museum/lamp')[1] ?? '')).toMatchObject({ power: 60, energy: 1.5 });
  });

  it('a plug that is asked for is published exactly', async () => {
    const { bridge, session } = await published(['lamp'], 'json', { report });
    bridge.seen('lamp', true, { power: 60 });
    await settled();
    bridge.change('lamp', { power: 60.5 }, true);
    await settled();
    expect(powers(session, 'museum/lamp')).toEqual([60, 60.5]);
  });

  it('a place is published as its power changes by more, and when a plug of it is switched', async () => {
    const { bridge, session, clock } = await published(['east/a', 'east/b'], 'json', { report });
    bridge.seen('east/a', true, { power: 60 });
    await clock.advance(1000);
    for (const power of [60.5, 61.5]) {
      bridge.change('east/a', { power });
      await clock.advance(1000);
    }
    bridge.seen('east/b', true, { power: 0.2 });
    await clock.advance(1000);
    expect(powers(session, 'museum/east')).toEqual([60, 61.5, 61.7]);
  });
});
