import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/bridge/command.ts';
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
  it('counts plugs, commands and connects, at each connect and once a minute, retained', async () => {
    const { bridge, session, clock, topics } = open('a', 'b', 'c');
    const outcomes = new Map([['confirmed' as const, 3]]);
    await clock.advance(5000);
    const task = new RunningTask(new Health({ bridge, session, topics, outcomes, clock }));
    expect(task.ready).toBe(1);
    await clock.advance(1000);
    session.connect();
    bridge.seen('a', true);
    bridge.change('b', { availability: 'offline' });
    outcomes.set('confirmed', 4);
    await clock.advance(119_000);
    const { messages } = session;
    expect(messages.every(({ topic, retain }) => topic === 'museum/bridge/health' && retain)).toBe(true);
    expect(messages.map(({ payload }) => JSON.parse(payload))).toEqual([
      {
        uptime_s: 1,
        broker_connects: 1,
        plugs: { total: 3, online: 0, offline: 0, unknown: 3 },
        commands: { confirmed: 3 },
      },
      {
        uptime_s: 60,
        broker_connects: 1,
        plugs: { total: 3, online: 1, offline: 1, unknown: 1 },
        commands: { confirmed: 4 },
      },
      expect.objectContaining({ uptime_s: 120 }),
    ]);
    await task.stop();
    expect(clock.armed).toBe(0);
  });

  it('counts anew as plugs come and go', async () => {
    const { bridge, session, clock, topics } = open('a', 'b');
    const outcomes = new Map<Outcome, number>();
    const task = new RunningTask(new Health({ bridge, session, topics, outcomes, clock }));
    const counted = () => {
      outcomes.set('confirmed', (outcomes.get('confirmed') ?? 0) + 1);
      session.deliver();
      return JSON.parse(session.on('museum/bridge/health').at(-1) ?? '{}').plugs;
    };
    expect(counted()).toEqual({ total: 2, online: 0, offline: 0, unknown: 2 });
    bridge.seen('a', true);
    expect(counted()).toEqual({ total: 2, online: 1, offline: 0, unknown: 1 });
    bridge.change('a', { availability: 'offline' });
    bridge.remove('b');
    expect(counted()).toEqual({ total: 1, online: 0, offline: 1, unknown: 0 });
    await task.stop();
    expect(bridge.listeners.size).toBe(0);
  });

  it('tells once that commands have ended, as soon as the broker has all receipts', async () => {
    const { bridge, session, clock, topics } = open('a');
    const outcomes = new Map<Outcome, number>();
    const task = new RunningTask(new Health({ bridge, session, topics, outcomes, clock }));
    const counted = () => session.on('museum/bridge/health').map((payload) => JSON.parse(payload).commands);
    session.deliver();
    expect(counted()).toEqual([]);
    outcomes.set('confirmed', 2);
    outcomes.set('expired', 1);
    session.deliver();
    session.deliver();
    expect(counted()).toEqual([{ confirmed: 2, expired: 1 }]);
    await task.stop();
    outcomes.set('failed', 1);
    session.deliver();
    expect(counted()).toHaveLength(1);
  });
});
