import { describe, expect, it } from 'vitest';
import { plugReceipt } from '../../src/bridge/command.ts';
import { Health } from '../../src/mqtt/health.ts';
import { Inventory } from '../../src/mqtt/inventory.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import { FakeBridge, INFO } from '../support/fake-bridge.ts';
import { FakeSession } from '../support/fake-session.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RunningTask } from '../support/running-task.ts';

function open(...paths: readonly string[]) {
  const bridge = new FakeBridge(...paths);
  const session = new FakeSession();
  const clock = new ManualClock();
  return { bridge, session, clock, topics: new Topics('museum') };
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
    expect(session.messages).toMatchObject([{ retain: true }]);
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
        database: 'ok',
      },
      {
        time: '2026-01-01T12:00:02.000Z',
        uptime_s: 2,
        refused_subscriptions: [],
        broker_connects: 1,
        plugs: { total: 3, online: 1, offline: 1, unknown: 1 },
        commands: { confirmed: 1 },
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
