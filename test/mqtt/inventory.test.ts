import { describe, expect, it } from 'vitest';
import { plugReceipt } from '../../src/bridge/command.ts';
import { Health } from '../../src/mqtt/health.ts';
import { Inventory } from '../../src/mqtt/inventory.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import { FakeBridge, INFO } from '../support/fake-bridge.ts';
import { FakeSession } from '../support/fake-session.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';
import { RunningTask } from '../support/running-task.ts';

function open(...paths: readonly string[]) {
  const bridge = new FakeBridge(...paths);
  const session = new FakeSession();
  const clock = new ManualClock();
  return { bridge, session, clock, topics: new Topics('museum'), retained: memoryStore(clock) };
}

describe('the inventory', () => {
  function inventory(...paths: readonly string[]) {
    const site = open(...paths);
    const task = new RunningTask(new Inventory(site));
    const lists = () => site.session.on('museum/bridge/plugs').map((payload) => JSON.parse(payload));
    return { ...site, task, lists };
  }

  it('says of each plug what and where it is, retained', async () => {
    const { bridge, session, clock, lists } = inventory('lamp', 'desk');
    bridge.seen('lamp', true, {
      info: INFO,
      rssi: -52,
      clock: 'right',
      cloud: { bound: true, connected: false },
    });
    await clock.advance(1000);
    expect(session.messages[0]).toMatchObject({ topic: 'museum/bridge/plugs', retain: true });
    expect(lists()).toEqual([
      [
        {
          path: 'lamp',
          availability: 'online',
          problem: null,
          model: 'HS110(EU)',
          hardware: '2.0',
          firmware: '1.5.4',
          alias: 'Lamp',
          mac: '50:C7:BF:00:00:01',
          address: '192.0.2.1:9999',
          rssi: -52,
          cloud: { bound: true, connected: false },
          clock: 'right',
          warning: null,
        },
        expect.objectContaining({ path: 'desk', availability: 'unknown', mac: null, warning: null }),
      ],
    ]);
  });

  it('says of a plug alone, retained, what rarely changes, also who switched it last', async () => {
    const { bridge, session, clock } = inventory('lamp');
    bridge.locked.add('lamp');
    bridge.seen('lamp', true, { info: INFO, changedBy: 'mqtt', lastSeen: 1000 });
    await clock.advance(1000);
    const details = () =>
      session.messages
        .splice(0)
        .filter(({ topic }) => topic === 'museum/bridge/plugs/lamp')
        .map(({ payload, retain }) => ({ ...JSON.parse(payload), retain }));
    expect(details()).toEqual([
      expect.objectContaining({
        alias: 'Lamp',
        locked: true,
        changed_by: 'mqtt',
        last_seen: null,
        retain: true,
      }),
    ]);
    bridge.change('lamp', { power: 41, lastSeen: 2000 });
    await clock.advance(1000);
    expect(session.messages).toEqual([]);
    bridge.change('lamp', { changedBy: 'plug' });
    await clock.advance(1000);
    expect(session.messages.map(({ topic }) => topic)).toEqual(['museum/bridge/plugs/lamp']);
    expect(details()).toMatchObject([{ changed_by: 'plug' }]);
  });

  it('says since when a plug has been silent, and that it is again there', async () => {
    const { bridge, session, clock } = inventory('lamp');
    bridge.seen('lamp', true, { info: INFO, lastSeen: Date.UTC(2026, 0, 1) });
    bridge.change('lamp', { availability: 'offline', problem: 'timeout' });
    await clock.advance(1000);
    const last = () => JSON.parse(session.on('museum/bridge/plugs/lamp').at(-1) ?? '');
    expect(last()).toMatchObject({ problem: 'timeout', last_seen: '2026-01-01T00:00:00.000Z' });
    bridge.seen('lamp', true, { info: INFO });
    await clock.advance(1000);
    expect(last()).toMatchObject({ problem: null, last_seen: null });
  });

  it('takes back what it said of a plug that is no more, also of one that went while it was not running', async () => {
    const { bridge, session, clock, task, ...site } = inventory('lamp', 'desk');
    session.connect();
    await clock.advance(1000);
    bridge.remove('lamp');
    await clock.advance(3000);
    expect(session.on('museum/bridge/plugs/lamp').at(-1)).toBe('');
    await task.stop();
    const later = new FakeBridge();
    const next = new RunningTask(new Inventory({ ...site, session, clock, bridge: later }));
    session.messages.length = 0;
    session.connect();
    await clock.advance(3000);
    expect(session.on('museum/bridge/plugs/desk').at(-1)).toBe('');
    await next.stop();
  });

  it('describes a large site in parts, and waits while the broker takes no more', async () => {
    const { session, clock } = inventory(...Array.from({ length: 100 }, (_, index) => `lamp-${index}`));
    session.congested = true;
    session.connect();
    await clock.advance(2000);
    const described = () => session.messages.filter(({ topic }) => topic.startsWith('museum/bridge/plugs/'));
    expect(described()).toEqual([]);
    session.free();
    expect(described()).toHaveLength(64);
    await clock.advance(0);
    expect(described()).toHaveLength(100);
  });

  it('warns of hardware whose firmware can be updated to what this bridge cannot speak to', async () => {
    const { bridge, clock, lists } = inventory('lamp');
    bridge.seen('lamp', true, { info: { ...INFO, hardware: '4.1' } });
    await clock.advance(1000);
    expect(lists()[0]).toMatchObject([{ warning: expect.stringMatching(/do not accept updates/) }]);
  });

  it('is published once for all that changes at about the same time, later the more plugs there are', async () => {
    const { bridge, clock, lists } = inventory('lamp', 'desk');
    bridge.seen('lamp', true, { info: INFO });
    await clock.advance(400);
    bridge.seen('desk', true);
    await clock.advance(101);
    expect(lists()).toEqual([]);
    await clock.advance(1);
    expect(lists()).toHaveLength(1);
  });

  it.each([
    ['availability', { availability: 'offline' }, true],
    ['problem', { problem: 'flapping' }, true],
    ['info', { info: { ...INFO, alias: 'Desk' } }, true],
    ['cloud', { cloud: { bound: false, connected: false } }, true],
    ['clock', { clock: 'unset' }, true],
    ['power', { power: 17 }, false],
    ['signal', { rssi: -80 }, false],
  ] as const)('is news or not when the %s of a plug is another', async (_, change, news) => {
    const { bridge, clock, session, lists } = inventory('lamp');
    bridge.seen('lamp', true, { info: INFO });
    await clock.advance(1000);
    session.news();
    bridge.change('lamp', change);
    await clock.advance(1000);
    expect(lists()).toHaveLength(news ? 1 : 0);
  });

  it('is not repeated when it turns out to be the same, yet is after each connect', async () => {
    const { bridge, session, clock, lists } = inventory('lamp');
    bridge.seen('lamp', true, { info: INFO });
    await clock.advance(1000);
    bridge.change('lamp', { availability: 'offline' });
    bridge.change('lamp', { availability: 'online' });
    await clock.advance(1000);
    expect(lists()).toHaveLength(1);
    session.connect();
    await clock.advance(1000);
    expect(lists()).toHaveLength(2);
  });

  it('loses a plug that is removed', async () => {
    const { bridge, clock, lists } = inventory('lamp', 'desk');
    bridge.remove('desk');
    await clock.advance(1000);
    expect(lists()).toMatchObject([[{ path: 'lamp' }]]);
  });

  it('ends without a timer left armed', async () => {
    const { bridge, clock, task, lists } = inventory('lamp');
    bridge.seen('lamp', true);
    await task.stop();
    expect(clock.armed).toBe(0);
    bridge.change('lamp', { availability: 'offline' });
    await clock.advance(5000);
    expect(lists()).toEqual([]);
  });
});

describe('the health', () => {
  const DONE = { id: null, origin: 'mqtt', user: null, relay: 'on' } as const;

  function watch(...paths: readonly string[]) {
    const { bridge, session, clock, topics } = open(...paths);
    let problem: string | null = null;
    const fail = (why: string) => {
      problem = why;
    };
    const task = new RunningTask(new Health({ bridge, session, topics, storeProblem: () => problem, clock }));
    const end = (outcome: 'confirmed' | 'expired') =>
      bridge.end(
        plugReceipt('a', DONE, outcome === 'confirmed' ? { outcome } : { outcome, reason: 'timeout' }, 5),
      );
    const told = () => session.on('museum/bridge/health').map((payload) => JSON.parse(payload));
    return { bridge, session, clock, task, fail, end, told };
  }

  it('counts plugs, commands and connects, at each connect and once a minute, retained', async () => {
    const { bridge, session, clock, task, end, told } = watch('a', 'b', 'c');
    expect(task.ready).toBe(1);
    await clock.advance(1000);
    session.connect();
    bridge.seen('a', true);
    bridge.change('b', { availability: 'offline' });
    end('confirmed');
    await clock.advance(1000);
    expect(session.messages.every(({ topic, retain }) => topic === 'museum/bridge/health' && retain)).toBe(
      true,
    );
    expect(told()).toEqual([
      {
        time: '2026-01-01T12:00:01.000Z',
        uptime_s: 1,
        refused_subscriptions: [],
        broker_connects: 1,
        plugs: { total: 3, online: 0, offline: 0, unknown: 3 },
        commands: {},
        failed_commands: 0,
        meter_glitches: 0,
        database: 'ok',
      },
      {
        time: '2026-01-01T12:00:02.000Z',
        uptime_s: 2,
        refused_subscriptions: [],
        broker_connects: 1,
        plugs: { total: 3, online: 1, offline: 1, unknown: 1 },
        commands: { confirmed: 1 },
        failed_commands: 0,
        meter_glitches: 0,
        database: 'ok',
      },
    ]);
    await clock.advance(120_000);
    expect(told()).toHaveLength(4);
    await task.stop();
    expect(clock.armed).toBe(0);
  });

  it('counts anew as plugs come and go, within a second', async () => {
    const { bridge, clock, told } = watch('a', 'b');
    const counted = async () => {
      await clock.advance(1000);
      return told().at(-1)?.plugs;
    };
    bridge.seen('a', true);
    expect(await counted()).toEqual({ total: 2, online: 1, offline: 0, unknown: 1 });
    bridge.change('a', { availability: 'offline' });
    bridge.remove('b');
    expect(await counted()).toEqual({ total: 1, online: 0, offline: 1, unknown: 0 });
  });

  it('says that nothing would survive a restart, and why', async () => {
    const { clock, fail, told } = watch('a');
    fail('the disk is full');
    await clock.advance(60_000);
    expect(told()).toMatchObject([{ database: 'the disk is full' }]);
  });

  it('names the subscriptions that the broker refuses, and no longer once it grants them', async () => {
    const { session, told } = watch('a');
    session.refused = [{ filter: 'museum/+/set', code: 135 }];
    session.connect();
    expect(told().at(-1)).toMatchObject({ refused_subscriptions: [{ filter: 'museum/+/set', code: 135 }] });
    session.refused = [];
    session.deliver();
    expect(told().at(-1)).toMatchObject({ refused_subscriptions: [] });
  });

  it('tells once that commands have ended, as soon as the broker has all receipts', async () => {
    const { session, task, end, told } = watch('a');
    session.deliver();
    expect(told()).toEqual([]);
    for (const outcome of ['confirmed', 'confirmed', 'expired'] as const) end(outcome);
    session.deliver();
    session.deliver();
    expect(told()).toMatchObject([{ commands: { confirmed: 2, expired: 1 } }]);
    await task.stop();
    end('confirmed');
    session.deliver();
    expect(told()).toHaveLength(1);
  });
});
