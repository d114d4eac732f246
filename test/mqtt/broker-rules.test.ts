import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker, type BrokerOptions } from '../../src/mqtt/broker.ts';
import type { BrokerUser } from '../../src/mqtt/broker-users.ts';
import { hashPassword, readHash } from '../../src/runtime/password-hash.ts';
import { brokerOptions } from '../support/broker-options.ts';
import { memoryLog } from '../support/memory-log.ts';
import { RunningTask } from '../support/running-task.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';

const hash = readHash(await hashPassword('paintings'));
const FREE = { publish: undefined, subscribe: undefined, rate: undefined };

function user(name: string, more: Partial<BrokerUser> = {}): BrokerUser {
  if (hash === undefined) throw new Error('the hash cannot be read');
  return { name, password: hash, ...FREE, ...more };
}

describe('the rules of the embedded broker', () => {
  const stops: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function start(users: readonly BrokerUser[], more: Partial<BrokerOptions> = {}) {
    const { log, lines } = memoryLog();
    const broker = new Broker({ ...brokerOptions(log), users, ...more });
    const task = new RunningTask(broker);
    stops.push(() => task.stop());
    await until(() => task.ready === 1, 'the broker');
    const warnings = () => lines.filter(({ level }) => level >= 40);
    return { broker, warnings };
  }

  async function login(broker: Broker, username?: string, more: IClientOptions = {}): Promise<MqttClient> {
    const password = 'paintings';
    const who = username === undefined ? {} : { username, password };
    const client = await mqtt.connectAsync(broker.url, { reconnectPeriod: 0, ...who, ...more });
    client.on('error', () => {});
    stops.push(() => client.endAsync(true));
    return client;
  }

  /** Everything on these topics, as a client of its own sees it. */
  async function watch(broker: Broker, filter: string, username?: string) {
    const client = await login(broker, username);
    const seen: { topic: string; payload: string }[] = [];
    client.on('message', (topic, payload) => seen.push({ topic, payload: payload.toString() }));
    await client.subscribeAsync(filter);
    return seen;
  }

  it('let in who gives the password of a hash, and nobody else', async () => {
    const { broker, warnings } = await start([user('ann'), user('bob', { password: 'sculptures' })]);
    expect((await login(broker, 'ann')).connected).toBe(true);
    expect((await login(broker, 'ann')).connected).toBe(true);
    expect((await login(broker, 'bob', { password: 'sculptures' })).connected).toBe(true);
    for (const wrong of [{ username: 'bob' }, { username: 'eve' }, { username: 'ann', password: 'x' }])
      expect(await rejectionOf(login(broker, wrong.username, wrong))).toMatchObject({ code: 5 });
    expect(await rejectionOf(login(broker))).toMatchObject({ code: 5 });
    expect(warnings()).toMatchObject([
      { user: 'bob', address: '127.0.0.1', msg: 'a client of the broker gave a wrong name or password' },
    ]);
    expect(JSON.stringify(warnings())).not.toContain('paintings');
  });

  it('make guessing slow, and do not make those wait who are known', async () => {
    const { broker, warnings } = await start([user('ann', { password: 'sculptures' })]);
    const right = { password: 'sculptures' };
    await login(broker, 'ann', right);
    let refused = 0;
    for (let number = 0; number < 60; number++) {
      const guess = { username: 'ann', password: `guess ${number}`, reconnectPeriod: 0 };
      const client = mqtt.connect(broker.url, guess);
      client.on('error', () => refused++);
      stops.push(() => client.endAsync(true));
    }
    const began = performance.now();
    expect((await login(broker, 'ann', right)).connected).toBe(true);
    expect(performance.now() - began).toBeLessThan(2000);
    // Those beyond what may wait are refused at once; of the others, few have been checked.
    await until(() => refused >= 40, 'forty refusals');
    expect(refused).toBeLessThan(55);
    expect(warnings()).toHaveLength(1);
  });

  it('let a user publish and subscribe within its topic filters only, and say what they refuse', async () => {
    const staff = user('staff', { publish: ['museum/+/set'], subscribe: ['museum/#'] });
    const { broker, warnings } = await start([staff, user('admin')]);
    const seen = await watch(broker, '#', 'admin');
    const client = await login(broker, 'staff');
    await client.publishAsync('museum/lamp/set', 'ON', { qos: 1 });
    await client.publishAsync('museum/lamp/other', 'x', { qos: 1, retain: true });
    await client.publishAsync('museum/shed/set', 'OFF', { qos: 0 });
    await until(() => seen.length === 2, 'two messages');
    expect(seen.map(({ topic }) => topic)).toEqual(['museum/lamp/set', 'museum/shed/set']);
    const granted = await client.subscribeAsync({ 'museum/+/state': { qos: 1 } });
    expect(granted.map(({ qos }) => qos)).toEqual([1]);
    expect(await rejectionOf(client.subscribeAsync('#'))).toBeInstanceOf(Error);
    expect(warnings()).toMatchObject([
      { user: 'staff', topic: 'museum/lamp/other', reason: 'its user may not publish there' },
    ]);
    expect(client.connected).toBe(true);
  });

  it('let no client say what only the bridge may, not in a last will either', async () => {
    const { broker, warnings } = await start([]);
    broker.protect({ isOwn: (topic) => topic === 'museum/bridge/state', isDiscovery: () => false });
    const seen = await watch(broker, '#');
    const will = {
      topic: 'museum/bridge/state',
      payload: Buffer.from('offline'),
      retain: true,
      qos: 1 as const,
    };
    const client = await login(broker, undefined, { will });
    await client.publishAsync('museum/bridge/state', 'offline', { retain: true, qos: 1 });
    client.stream.destroy();
    const other = await login(broker);
    await other.publishAsync('museum/lamp/set', 'ON', { qos: 1 });
    await until(() => seen.length > 0, 'the command');
    expect(seen).toEqual([{ topic: 'museum/lamp/set', payload: 'ON' }]);
    const late = await watch(broker, 'museum/bridge/state');
    await other.publishAsync('museum/bridge', '', { qos: 1 });
    expect(late).toEqual([]);
    expect(warnings()).toMatchObject([
      { topic: 'museum/bridge/state', reason: 'only the bridge may publish there' },
    ]);
  });

  it('let a client clear a discovery config of the bridge, which hears of it, and publish none', async () => {
    const { broker } = await start([]);
    const topic = 'homeassistant/device/hs110mqtt_1/config';
    broker.protect({ isOwn: () => false, isDiscovery: (one) => one === topic });
    let cleared = 0;
    broker.onCleared(() => cleared++);
    const seen = await watch(broker, '#');
    const client = await login(broker);
    await client.publishAsync(topic, '{"fake":true}', { retain: true, qos: 1 });
    await client.publishAsync(topic, '', { retain: true, qos: 1 });
    await until(() => seen.length > 0, 'the empty message');
    expect(seen).toEqual([{ topic, payload: '' }]);
    expect(cleared).toBe(1);
  });

  it('slow a user down to its rate, without losing a message', async () => {
    const { broker } = await start([user('meter', { rate: 20 }), user('admin')]);
    const seen = await watch(broker, '#', 'admin');
    const client = await login(broker, 'meter');
    const began = performance.now();
    await Promise.all(Array.from({ length: 40 }, () => client.publishAsync('t', 'x', { qos: 1 })));
    await until(() => seen.length === 40, 'all of them');
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  it('keep one user from taking over the client id of another', async () => {
    const { broker } = await start([user('ann'), user('bob')]);
    const first = await login(broker, 'ann', { clientId: 'dashboard' });
    expect(await rejectionOf(login(broker, 'bob', { clientId: 'dashboard' }))).toMatchObject({ code: 2 });
    expect(first.connected).toBe(true);
    const again = await login(broker, 'ann', { clientId: 'dashboard' });
    await until(() => !first.connected, 'the first to be taken over');
    expect(again.connected).toBe(true);
  });

  it('bound what clients have retained: in number, in bytes, and where it is cleared there is room again', async () => {
    const { broker, warnings } = await start([]);
    const client = await login(broker);
    const big = Buffer.alloc(3 * 1024 * 1024);
    for (let number = 0; number < 6; number++)
      await client.publishAsync(`big/${number}`, big, { retain: true, qos: 1 });
    expect(warnings()).toMatchObject([{ topic: 'big/5', reason: 'clients have too much retained' }]);
    for (let number = 0; number < 5; number++)
      await client.publishAsync(`big/${number}`, '', { retain: true, qos: 1 });
    for (let number = 0; number < 10_050; number++)
      client.publish(`small/${number}`, 'x', { retain: true, qos: 0 });
    await client.publishAsync('end', '', { qos: 1 });
    const kept = await watch(broker, 'small/#');
    await until(() => kept.length >= 10_000, 'ten thousand');
    await client.publishAsync('small/last', 'x', { qos: 1 });
    await until(() => kept.some(({ topic }) => topic === 'small/last'), 'the last');
    expect(kept).toHaveLength(10_001);
  });

  it('bound the subscriptions of a client', async () => {
    const { broker } = await start([]);
    const client = await login(broker);
    const filters = Array.from({ length: 11_000 }, (_, number) => `a/${number}`);
    const granted = await new Promise<number[]>((resolve) => {
      client.subscribe(filters, (_error, _subscriptions, packet) =>
        resolve((packet?.granted ?? []).map(Number)),
      );
    });
    expect(granted.filter((code) => code === 128)).toHaveLength(1000);
    await client.unsubscribeAsync(filters.slice(0, 100));
    expect(await client.subscribeAsync('b')).toMatchObject([{ qos: 0 }]);
  });
});
