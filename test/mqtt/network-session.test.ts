import { createServer } from 'node:net';
import mqttPacket, { type ISubscribePacket } from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker } from '../../src/mqtt/broker.ts';
import { NetworkSession, type NetworkSessionOptions } from '../../src/mqtt/network-session.ts';
import { type Incoming, type Message, SHUTDOWN_MS } from '../../src/mqtt/session.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { brokerOptions } from '../support/broker-options.ts';
import { freePort } from '../support/free-port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { Observer } from '../support/observer.ts';
import { RunningTask } from '../support/running-task.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { startBroker } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';
import { volatileSession } from '../support/volatile-session.ts';

const clock = new SystemClock();

const message = (payload: string, more: Partial<Message> = {}): Message => ({
  topic: 'museum/lamp/result',
  payload,
  retain: false,
  qos: 1,
  ...more,
});

describe('the session at a broker', () => {
  const stops: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function broker(port = 0): Promise<string> {
    const { running, url } = await startBroker(port);
    stops.push(() => running.stop());
    return url;
  }

  function session(url: string, options: Partial<NetworkSessionOptions> = {}) {
    const { log, lines } = memoryLog();
    const made = new NetworkSession({
      brokers: [url],
      version: 'auto',
      session: volatileSession('bridge'),
      sessionExpiryMs: 60_000,
      username: undefined,
      password: undefined,
      ca: undefined,
      cert: undefined,
      key: undefined,
      rejectUnauthorized: true,
      keepaliveS: 60,
      exitOnRefusedLogin: false,
      stateTopic: 'museum/bridge/state',
      clock,
      random: () => 0,
      log,
      ...options,
    });
    let connects = 0;
    made.onConnect(() => connects++);
    return { session: made, lines, connects: () => connects };
  }

  function run(made: NetworkSession): RunningTask {
    const task = new RunningTask(made);
    stops.push(() => task.stop());
    return task;
  }

  async function observer(url: string): Promise<Observer> {
    const made = await Observer.connect(url);
    stops.push(() => made.end());
    return made;
  }

  it('is ready before it is connected: plugs are polled whether there is a broker or not', async () => {
    const { session: made } = session(`mqtt://127.0.0.1:${await freePort()}`);
    expect(run(made).ready).toBe(1);
  });

  it('takes a broker that speaks MQTT 3.1.1 only, and says which version it is', async () => {
    const { session: made, lines, connects } = session(await broker());
    run(made);
    await until(() => connects() === 1, 'the connection');
    expect(lines.find(({ msg }) => msg === 'connected to broker')).toMatchObject({ version: '3.1.1' });
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('says that the bridge is there, and at the end that it is not', async () => {
    const url = await broker();
    const watch = await observer(url);
    const { session: made } = session(url);
    const task = run(made);
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    await task.stop();
    await watch.message('museum/bridge/state', (payload) => payload === 'offline');
    expect(watch.seen.map(({ payload }) => payload)).toEqual(['online', 'offline']);
  });

  it('keeps what must not be lost until there is a broker, in order, and drops what would be old by then', async () => {
    const url = `mqtt://127.0.0.1:${await freePort()}`;
    const { session: made } = session(url);
    made.publish(message('a receipt', { keep: true }));
    made.publish(message('a state', { retain: true }));
    made.publish(message('a reading', { qos: 0 }));
    made.publish(message('another receipt', { keep: true }));
    await broker(Number(new URL(url).port));
    const watch = await observer(url);
    const task = run(made);
    await watch.message('museum/lamp/result', (payload) => payload === 'another receipt');
    await task.stop();
    const results = watch.seen.filter(({ topic }) => topic === 'museum/lamp/result');
    expect(results.map(({ payload }) => payload)).toEqual(['a receipt', 'another receipt']);
  });

  it('sends many at QoS 1 in the order in which they were wanted', async () => {
    const url = await broker();
    const watch = await observer(url);
    const { session: made, connects } = session(url);
    run(made);
    await until(() => connects() === 1, 'the connection');
    const wanted = Array.from({ length: 500 }, (_, index) => String(index));
    for (const payload of wanted) made.publish(message(payload));
    await watch.message('museum/lamp/result', (payload) => payload === '499');
    const results = watch.seen.filter(({ topic }) => topic === 'museum/lamp/result');
    expect(results.map(({ payload }) => payload)).toEqual(wanted);
  });

  it('sends at QoS 0, if it is to, what must wait for a connection, and says when it is written', async () => {
    const port = await freePort();
    const url = `mqtt://127.0.0.1:${port}`;
    const { session: made } = session(url);
    let taken = 0;
    made.publish(message('a', { qos: 0, keep: true, taken: () => taken++ }));
    await broker(port);
    const watching = await observer(url);
    run(made);
    await watching.message('museum/lamp/result', (payload) => payload === 'a');
    await until(() => taken === 1, 'the message to be taken');
  });

  it('takes no more states at QoS 1 while many wait to be confirmed', async () => {
    const slow = await scripted();
    const { session: made, connects } = session(slow.url);
    run(made);
    await until(() => connects() === 1 && slow.on('museum/bridge/state').length === 1, 'the connection');
    slow.onPacket = ({ cmd }) => cmd === 'publish';
    for (let number = 0; number < 400; number++) made.publish(message(String(number)));
    expect(made.congested).toBe(true);
    let resumed = false;
    made.whenFree(() => {
      resumed = true;
    });
    expect(resumed).toBe(false);
    for (const socket of slow.sockets) socket.destroy();
    await until(() => resumed, 'the end of the connection');
  });

  it('hands on what arrives, with whether it is retained', async () => {
    const url = await broker();
    const watch = await observer(url);
    await watch.say('museum/lamp/set', 'ON', { retain: true });
    const { session: made } = session(url);
    const received: Incoming[] = [];
    made.listen(['museum/+/set'], (incoming) => received.push(incoming));
    run(made);
    await until(() => received.length === 1, 'the retained message');
    await watch.say('museum/desk/set', 'OFF');
    await until(() => received.length === 2, 'the other message');
    expect(received.map(({ topic, payload, retain }) => [topic, payload.toString(), retain])).toEqual([
      ['museum/lamp/set', 'ON', true],
      ['museum/desk/set', 'OFF', false],
    ]);
  });

  it('comes back when the broker does, and tells of each connect; the failures in between are said once', async () => {
    const { running, url } = await startBroker(0);
    const { session: made, lines, connects } = session(url);
    made.listen(['museum/+/set'], () => {});
    run(made);
    await until(() => connects() === 1, 'the connection');
    await running.stop();
    await until(() => lines.filter(({ msg }) => msg === 'cannot reach the broker').length > 1, 'attempts');
    await broker(Number(new URL(url).port));
    await until(() => connects() === 2, 'the next connection');
    const loud = lines.filter(({ level }) => level >= 40).map(({ msg }) => msg);
    expect(loud).toEqual(['lost the broker']);
  });

  it('does not take the loss of a connection for a refusal to let it listen', async () => {
    const server = createServer((socket) => {
      // Takes the login, and hangs up over the next message.
      socket.once('data', () => {
        socket.write(Buffer.from([0x20, 2, 0, 0]));
        socket.once('data', () => socket.destroy());
      });
      socket.on('error', () => socket.destroy());
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    stops.push(() => new Promise((resolve) => server.close(resolve)));
    const { session: made, lines, connects } = session(`mqtt://127.0.0.1:${port}`, { version: '3.1.1' });
    made.listen(['museum/+/set'], () => {});
    run(made);
    const opened = () => lines.filter(({ msg }) => msg === 'connected to broker');
    await until(() => opened().length === 2, 'the next connection');
    expect(connects()).toBe(0);
    const loud = lines.filter(({ level }) => level >= 40).map(({ msg }) => msg);
    expect(new Set(loud)).toEqual(new Set(['lost the broker']));
  });

  it('never shows a password that stands in an address', async () => {
    const port = await freePort();
    const { session: made, lines } = session(`mqtt://ann:secret@127.0.0.1:${port}`);
    run(made);
    await until(() => lines.some(({ msg }) => msg.startsWith('cannot reach the broker')), 'the failure');
    expect(lines[0]).toMatchObject({ broker: `mqtt://127.0.0.1:${port}` });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('connects to the one of several brokers that is reached', async () => {
    const url = await broker();
    const {
      session: made,
      lines,
      connects,
    } = session('', {
      brokers: ['mqtt://127.0.0.1:1', url],
      version: '3.1.1',
    });
    run(made);
    await until(() => connects() === 1, 'the connection');
    expect(lines.map(({ broker: at, msg }) => [at, msg])).toEqual([[url, 'connected to broker']]);
  });

  it('has room while there is no connection: what is sent then is dropped or kept, not waited for', async () => {
    const { session: made } = session(`mqtt://127.0.0.1:${await freePort()}`);
    expect(made.congested).toBe(false);
    let resumed = false;
    made.whenFree(() => {
      resumed = true;
    });
    expect(resumed).toBe(true);
  });

  it('gives up when the login is refused, if that is wanted', async () => {
    const guarded = new Broker(brokerOptions(memoryLog().log, { username: 'ann', password: 'secret' }));
    const task = new RunningTask(guarded);
    stops.push(() => task.stop());
    await until(() => task.ready === 1, 'the broker');
    const { session: made, lines } = session(guarded.url, {
      exitOnRefusedLogin: true,
      password: 'wrong',
      username: 'ann',
    });
    expect(await rejectionOf(made.run(new AbortController().signal, () => {}))).toMatchObject({
      code: 'login-refused',
      message: expect.stringMatching(/refuses the login/),
    });
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { msg: 'the broker refuses the login; check mqtt.username and mqtt.password' },
    ]);
  });

  async function scripted(): Promise<ScriptedBroker> {
    const made = await ScriptedBroker.started();
    stops.push(() => made.stop());
    return made;
  }

  /** How long a stop may take: the last messages, and a moment for a busy machine. */
  const STOP_MS = SHUTDOWN_MS + 1000;

  async function stopTime(task: RunningTask): Promise<number> {
    const start = clock.now();
    await task.stop();
    return clock.now() - start;
  }

  it('stops in time though the broker has fallen silent with messages on their way', async () => {
    const proxy = await TcpProxy.started(Number(new URL(await broker()).port));
    stops.push(() => proxy.stop());
    const { session: made, connects } = session(proxy.url);
    const task = run(made);
    await until(() => connects() === 1, 'the connection');
    proxy.hold();
    for (let n = 0; n < 100; n++) made.publish(message(`receipt ${n}`, { keep: true }));
    expect(await stopTime(task)).toBeLessThan(STOP_MS);
  });

  it('stops in time while the broker takes the connection and answers nothing', async () => {
    const mute = await scripted();
    mute.onPacket = () => true;
    const { session: made } = session(mute.url);
    const task = run(made);
    await until(() => mute.packets.length === 1, 'CONNECT');
    expect(await stopTime(task)).toBeLessThan(STOP_MS);
    await until(() => mute.sockets.size === 0, 'the socket to be closed');
  });

  it('drops a message over which the broker closes the connection twice, names it, and sends all others', async () => {
    const picky = await scripted();
    picky.onPacket = (packet, socket) => {
      if (packet.cmd !== 'publish' || packet.topic !== 'poisoned/topic') return false;
      socket.destroy();
      return true;
    };
    const { session: made, lines } = session(picky.url, { version: '5' });
    const taken: string[] = [];
    const send = (payload: string, topic = 'museum/lamp/result') =>
      made.publish(message(payload, { keep: true, topic, taken: () => taken.push(payload) }));
    for (const payload of ['a', 'b']) send(payload);
    send('poison', 'poisoned/topic');
    for (const payload of ['c', 'd']) send(payload);
    run(made);
    await until(() => picky.on('museum/lamp/result').includes('d'), 'the last message');
    expect(new Set(picky.on('museum/lamp/result'))).toEqual(new Set(['a', 'b', 'c', 'd']));
    expect(lines.filter(({ level }) => level >= 50)).toMatchObject([
      { topic: 'poisoned/topic', bytes: 6, msg: expect.stringMatching(/over this message twice; dropped/) },
    ]);
    expect(picky.connections).toBeLessThanOrEqual(4);
    await until(() => taken.length === 5, 'all to be settled');
    expect(taken.toSorted()).toEqual(['a', 'b', 'c', 'd', 'poison']);
  });

  it.each([
    ['QoS 0', 0],
    ['QoS 1', 1],
  ] as const)(
    'finds out that a broker closes the connection on large messages at %s, leaves them out, and says so',
    async (_, qos) => {
      const small = await scripted();
      small.onPacket = (packet, socket) => {
        const isTooLarge = packet.cmd === 'publish' && packet.payload.length > 8092;
        if (isTooLarge) socket.destroy();
        return isTooLarge;
      };
      const { session: made, lines } = session(small.url, { version: '3.1.1' });
      const retained = { retain: true, qos };
      made.onConnect(() => {
        made.publish(message('x'.repeat(9000), { ...retained, topic: 'museum/bridge/plugs' }));
        made.publish(message('y'.repeat(3000), { ...retained, topic: 'museum/lamp' }));
      });
      made.publish(message('a', { keep: true }));
      run(made);
      await until(
        () => small.on('museum/lamp').length > 0 && made.status === 'subscribed',
        'a connection that holds',
      );
      expect(lines.filter(({ msg }) => msg.includes('of this size')).map(({ topic }) => topic)).toEqual([
        'museum/bridge/plugs',
      ]);
      expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
      expect(small.on('museum/lamp/result')).toContain('a');
      expect(small.sockets.size).toBe(1);
    },
  );

  it('finds that message also where the confirmations of others were lost with the connection', async () => {
    const picky = await scripted();
    picky.onPacket = (packet, socket, connection) => {
      if (packet.cmd !== 'publish' || packet.qos === 0) return false;
      if (packet.topic === 'poisoned/topic') socket.destroy();
      return connection === 1 || packet.topic === 'poisoned/topic';
    };
    const { session: made, lines } = session(picky.url, { version: '5' });
    for (const payload of ['a', 'b']) made.publish(message(payload, { keep: true }));
    made.publish(message('poison', { keep: true, topic: 'poisoned/topic' }));
    made.publish(message('c', { keep: true }));
    run(made);
    await until(() => picky.on('museum/lamp/result').includes('c'), 'the last message');
    expect(picky.on('museum/lamp/result')).toEqual(['a', 'b', 'a', 'b', 'c']);
    expect(lines.filter(({ level }) => level >= 50)).toMatchObject([{ topic: 'poisoned/topic' }]);
    expect(picky.connections).toBe(4);
  });

  it('keeps a message that was only on its way when the connection was lost for another reason', async () => {
    const flaky = await scripted();
    flaky.onPacket = (packet, socket, connection) => {
      if (packet.cmd !== 'publish' || packet.qos === 0 || connection > 2) return false;
      // Each of the first two connections is lost with another message unconfirmed.
      if (connection === 1 || packet.payload.toString() !== 'a') socket.destroy();
      return connection === 1 || packet.payload.toString() !== 'a';
    };
    const { session: made, lines } = session(flaky.url, { version: '5' });
    for (const payload of ['a', 'b', 'c']) made.publish(message(payload, { keep: true }));
    run(made);
    await until(() => flaky.on('museum/lamp/result').includes('c'), 'the last message');
    expect(new Set(flaky.on('museum/lamp/result'))).toEqual(new Set(['a', 'b', 'c']));
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it('goes on after a listener has failed: the message and those after it reach the others', async () => {
    const url = await broker();
    const watch = await observer(url);
    const { session: made, lines, connects } = session(url);
    const received: string[] = [];
    made.listen(['museum/+/set'], () => {
      throw new TypeError('a mistake');
    });
    made.listen(['museum/+/set'], ({ payload }) => received.push(payload.toString()));
    run(made);
    await until(() => connects() === 1, 'the connection');
    for (const payload of ['ON', 'OFF']) await watch.say('museum/lamp/set', payload);
    await until(() => received.length === 2, 'both messages');
    expect(received).toEqual(['ON', 'OFF']);
    expect(lines.filter(({ level }) => level >= 50)).toHaveLength(2);
    expect(connects()).toBe(1);
  });

  it('subscribes for a listener that comes after the connection, and calls it', async () => {
    const url = await broker();
    const watch = await observer(url);
    const { session: made, connects } = session(url);
    run(made);
    await until(() => connects() === 1, 'the connection');
    let late = 0;
    const received: string[] = [];
    made.onConnect(() => late++);
    made.listen(['museum/+/set'], ({ payload }) => received.push(payload.toString()));
    expect(late).toBe(1);
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    await until(() => {
      watch.client.publish('museum/lamp/set', 'ON', { qos: 0 });
      return received.length > 0;
    }, 'a message');
  });

  /** The CONNECT packets that a broker has seen, as far as sessions go. */
  const sessions = (seen: ScriptedBroker) =>
    seen.of('connect').map(({ protocolVersion, clean, properties }) => ({
      version: protocolVersion,
      clean,
      expiry: properties?.sessionExpiryInterval,
    }));

  it('keeps its session on MQTT 5: a clean start only where other filters are wanted than the broker holds', async () => {
    const remembering = await scripted();
    const memory = volatileSession('bridge');
    const connectWith = async (filters: readonly string[]) => {
      const { session: made, connects } = session(remembering.url, { version: '5', session: memory });
      made.listen(filters, () => {}, 1);
      const task = new RunningTask(made);
      await until(() => connects() === 1 && memory.filters() !== null, 'the connection');
      await until(() => remembering.on('museum/bridge/state').at(-1) === 'online', 'all to be granted');
      await task.stop();
    };
    for (const filters of [['museum/set'], ['museum/set'], ['hall/set']]) await connectWith(filters);
    expect(sessions(remembering)).toEqual([
      { version: 5, clean: true, expiry: 60 },
      { version: 5, clean: false, expiry: 60 },
      { version: 5, clean: true, expiry: 60 },
    ]);
    expect(new Set(remembering.of('connect').map(({ clientId }) => clientId))).toEqual(new Set(['bridge']));
  });

  it('starts clean each time on MQTT 3.1.1, where sessions have no end', async () => {
    const old = await scripted();
    const memory = volatileSession('bridge');
    for (let round = 1; round <= 2; round++) {
      const { session: made, connects } = session(old.url, { version: '3.1.1', session: memory });
      made.listen(['museum/set'], () => {}, 1);
      const task = new RunningTask(made);
      await until(() => connects() === 1, 'the connection');
      await task.stop();
    }
    expect(sessions(old).map(({ version, clean }) => [version, clean])).toEqual([
      [4, true],
      [4, true],
    ]);
  });

  it('subscribes each filter with its own QoS', async () => {
    const strict = await scripted();
    const { session: made, connects } = session(strict.url, { version: '5' });
    made.listen(['museum/+/set'], () => {}, 1);
    made.listen(['museum/+/get'], () => {});
    run(made);
    await until(() => connects() === 1, 'the connection');
    const asked = strict.of('subscribe').flatMap(({ subscriptions }) => subscriptions);
    expect(asked).toMatchObject([
      { topic: 'museum/+/set', qos: 1, nl: true, rap: true },
      { topic: 'museum/+/get', qos: 0, nl: true, rap: true },
    ]);
  });

  it('says online once every subscription is granted, after all that is published at a connect', async () => {
    const slow = await scripted();
    let grant = () => {};
    slow.onPacket = (packet, socket) => {
      if (packet.cmd !== 'subscribe') return false;
      grant = () => socket.write(suback(packet, [1]));
      return true;
    };
    const { session: made } = session(slow.url, { version: '5' });
    made.listen(['museum/+/set'], () => {}, 1);
    made.onConnect(() => made.publish(message('offline', { topic: 'museum/lamp/availability' })));
    made.publish(message('a receipt', { keep: true }));
    run(made);
    await until(() => slow.on('museum/lamp/result').length === 1, 'what does not depend on it');
    expect(slow.on('museum/bridge/state')).toEqual([]);
    grant();
    await until(() => slow.on('museum/bridge/state').length === 1, 'online');
    expect(slow.of('publish').map(({ topic }) => topic)).toEqual([
      'museum/lamp/result',
      'museum/lamp/availability',
      'museum/bridge/state',
    ]);
  });

  it('asks again for a subscription that is refused, says so once, and is online when it is granted', async () => {
    const stern = await scripted();
    let asked = 0;
    stern.onPacket = (packet, socket) => {
      if (packet.cmd !== 'subscribe' || ++asked > 2) return false;
      socket.write(
        suback(
          packet,
          packet.subscriptions.map(({ topic }) => (topic === 'a/set' ? 128 : 1)),
        ),
      );
      return true;
    };
    const { session: made, lines, connects } = session(stern.url, { version: '5' });
    made.listen(['a/set', 'b/set'], () => {}, 1);
    run(made);
    await until(() => connects() === 1, 'the first answer');
    expect(stern.on('museum/bridge/state')).toEqual([]);
    expect(made.refused).toEqual([{ filter: 'a/set', code: 128 }]);
    await until(() => stern.on('museum/bridge/state').length === 1, 'online');
    const topics = stern.of('subscribe').map(({ subscriptions }) => subscriptions.map(({ topic }) => topic));
    expect(topics).toEqual([['a/set', 'b/set'], ['a/set'], ['a/set']]);
    expect(connects()).toBe(1);
    expect(made.refused).toEqual([]);
    const refusals = () =>
      lines.filter(({ msg }) => msg.startsWith('the broker does not let the bridge sub'));
    expect(refusals()).toMatchObject([{ level: 50, refused: [{ filter: 'a/set', code: 128 }] }]);
    asked = 0;
    for (const socket of stern.sockets) socket.destroy();
    await until(() => connects() === 2, 'the next connection');
    expect(refusals()).toHaveLength(2);
  });

  it('acknowledges a command once the listener has it, with what tells a second delivery from a new message', async () => {
    const serving = await scripted();
    const order: string[] = [];
    serving.onPacket = (packet, socket) => {
      if (packet.cmd === 'puback') order.push(`acknowledged ${packet.messageId}`);
      if (packet.cmd === 'connect') {
        const sessionPresent = serving.connections > 1;
        const taken = { cmd: 'connack', sessionPresent, reasonCode: 0 } as const;
        socket.write(mqttPacket.generate(taken, { protocolVersion: 5 }));
        // Before the bridge has subscribed: the session has it.
        socket.write(publish(7, true, 30));
        return true;
      }
      return false;
    };
    const { session: made } = session(serving.url, { version: '5' });
    const received: Incoming[] = [];
    made.listen(['museum/+/set'], (incoming) => {
      order.push(`received ${incoming.packetId}`);
      received.push(incoming);
      throw new TypeError('a mistake, after which it is acknowledged all the same');
    });
    run(made);
    await until(() => order.length === 2, 'the first delivery');
    for (const socket of serving.sockets) socket.destroy();
    await until(() => order.length === 4, 'the second');
    expect(order).toEqual(['received 7', 'acknowledged 7', 'received 7', 'acknowledged 7']);
    expect(received.map(({ packetId, dup, expiresInMs }) => [packetId, dup, expiresInMs])).toEqual([
      [7, false, 30_000],
      [7, true, 30_000],
    ]);
  });

  it('knows a command again that a broker sends twice on one connection, as Moquette does, but no new one', async () => {
    const impatient = await scripted();
    impatient.onPacket = (packet, socket) => {
      const deliveries = [publish(7, false, 30), publish(7, true, 30), publish(8, true, 30)];
      if (packet.cmd === 'subscribe') for (const delivery of deliveries) socket.write(delivery);
      return false;
    };
    const { session: made } = session(impatient.url, { version: '5' });
    const received: Incoming[] = [];
    made.listen(['museum/+/set'], (incoming) => received.push(incoming));
    run(made);
    await until(() => received.length === 3, 'three deliveries');
    expect(received.map(({ packetId, dup }) => [packetId, dup])).toEqual([
      [7, false],
      [7, true],
      [8, false],
    ]);
  });

  it('speaks MQTT 3.1.1 to a broker that closes without a word on 5, at once and from then on', async () => {
    const rude = await scripted();
    rude.onPacket = (packet, socket) => {
      if (packet.cmd !== 'connect' || packet.protocolVersion !== 5) return false;
      socket.end();
      return true;
    };
    const { session: made, lines, connects } = session(rude.url);
    run(made);
    await until(() => connects() === 1, 'the connection');
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
    for (const socket of rude.sockets) socket.destroy();
    await until(() => connects() === 2, 'the next connection');
    expect(rude.of('connect').map(({ protocolVersion }) => protocolVersion)).toEqual([5, 4, 4]);
  });

  it('does so before it turns to the next of several brokers', async () => {
    const [rude, next] = [await scripted(), await scripted()];
    rude.onPacket = (packet, socket) => {
      if (packet.cmd !== 'connect' || packet.protocolVersion !== 5) return false;
      socket.end();
      return true;
    };
    const { session: made, connects } = session('', { brokers: [rude.url, next.url] });
    run(made);
    await until(() => connects() === 1, 'the connection');
    expect([rude.of('connect').length, next.of('connect').length]).toEqual([2, 0]);
  });

  it('does not take a failure of TLS for a matter of the version', async () => {
    const plain = await scripted();
    const { session: made, lines } = session(plain.url.replace('mqtt:', 'mqtts:'));
    run(made);
    await until(() => plain.connections >= 2, 'the second attempt');
    expect(lines.filter(({ msg }) => msg.includes('does not speak'))).toEqual([]);
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { msg: 'cannot reach the broker; trying again' },
    ]);
  });

  it('tries MQTT 5 again at a connect ten minutes later: the broker may be another by now', async () => {
    const old = await scripted();
    let isOld = true;
    old.onPacket = (packet, socket) => {
      if (packet.cmd !== 'connect' || packet.protocolVersion !== 5 || !isOld) return false;
      socket.end();
      return true;
    };
    const manual = new ManualClock();
    const { session: made, connects } = session(old.url, { clock: manual });
    run(made);
    const reconnect = async (count: number) => {
      for (const socket of old.sockets) socket.destroy();
      await until(() => manual.armed > 0, 'the wait');
      await manual.advance(30_000);
      await until(() => connects() === count, 'the connection');
    };
    await until(() => connects() === 1, 'the connection');
    await reconnect(2);
    manual.sleep(600_000);
    isOld = false;
    await reconnect(3);
    expect(old.of('connect').map(({ protocolVersion }) => protocolVersion)).toEqual([5, 4, 4, 5]);
    for (const socket of old.sockets) socket.destroy();
  });

  it('asks the next of several brokers when one does not answer CONNECT, never two at a time', async () => {
    const [silent, next] = [await scripted(), await scripted()];
    silent.onPacket = () => true;
    const { session: made, connects } = session('', { brokers: [silent.url, next.url] });
    const began = clock.now();
    run(made);
    await until(() => silent.of('connect').length === 1, 'CONNECT');
    expect(next.of('connect')).toHaveLength(0);
    await until(() => connects() === 1, 'the connection');
    expect(silent.sockets.size).toBe(0);
    expect(next.of('connect')).toHaveLength(1);
    expect(clock.now() - began).toBeLessThan(5000);
  });

  it('says once that the broker takes no message of a kind, at each connect again none', async () => {
    const stern = await scripted();
    stern.onPacket = (packet, socket) => {
      if (packet.cmd !== 'publish' || !packet.topic.startsWith('homeassistant/')) return false;
      const { messageId = 0 } = packet;
      socket.write(
        mqttPacket.generate({ cmd: 'puback', messageId, reasonCode: 135 }, { protocolVersion: 5 }),
      );
      return true;
    };
    const { session: made, lines, connects } = session(stern.url);
    made.onConnect(() => {
      for (const plug of ['a', 'b', 'c'])
        made.publish(message('{}', { topic: `homeassistant/device/${plug}/config`, retain: true }));
    });
    run(made);
    for (const count of [1, 2]) {
      await until(() => connects() === count, 'the connection');
      await until(() => stern.of('publish').length >= 4 * count, 'the messages');
      for (const socket of stern.sockets) socket.destroy();
    }
    await until(() => connects() === 3, 'the next connection');
    expect(lines.filter(({ msg }) => msg.startsWith('the broker refuses a message'))).toMatchObject([
      { topic: 'homeassistant/device/a/config', below: 'homeassistant' },
    ]);
  });

  it('leaves a broker that does not answer SUBSCRIBE, and tries again', async () => {
    const mute = await scripted();
    mute.onPacket = ({ cmd }) => cmd === 'subscribe';
    const manual = new ManualClock();
    const { session: made } = session(mute.url, { version: '5', clock: manual });
    made.listen(['museum/set'], () => {}, 1);
    run(made);
    await until(() => mute.of('subscribe').length === 1, 'SUBSCRIBE');
    await manual.advance(9999);
    expect(mute.sockets.size).toBe(1);
    await manual.advance(1);
    await until(() => mute.sockets.size === 0, 'the connection to be closed');
    await until(() => manual.armed === 1, 'the wait');
    await manual.advance(500);
    await until(() => mute.of('subscribe').length === 2, 'the next SUBSCRIBE');
    mute.onPacket = () => false;
    for (const socket of mute.sockets) socket.destroy();
  });

  it('leaves a broker that confirms nothing for the next one, which gets what was not confirmed', async () => {
    const [deaf, next] = [await scripted(), await scripted()];
    deaf.onPacket = ({ cmd }) => cmd === 'publish';
    const manual = new ManualClock();
    const { session: made, lines } = session(deaf.url, {
      ...{ brokers: [deaf.url, next.url], version: '5', clock: manual },
    });
    run(made);
    await until(() => made.status === 'subscribed', 'a connection');
    made.publish(message('a', { keep: true }));
    await until(() => deaf.of('publish').length > 0, 'the message');
    await manual.advance(19_999);
    expect(deaf.sockets.size).toBe(1);
    await manual.advance(10_001);
    await until(() => next.on('museum/lamp/result').length > 0, 'the message at the other broker');
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { msg: 'lost the broker', reason: 'it confirms no messages' },
    ]);
    for (const socket of next.sockets) socket.destroy();
  });

  it('stays with a broker that is busy for a minute, and confirms then', async () => {
    const busy = await scripted();
    const late: (() => void)[] = [];
    let isBusy = false;
    busy.onPacket = (packet, socket) => {
      if (!isBusy || (packet.cmd !== 'publish' && packet.cmd !== 'pingreq')) return false;
      const answer =
        packet.cmd === 'publish'
          ? ({ cmd: 'puback', messageId: packet.messageId ?? 0 } as const)
          : ({ cmd: 'pingresp' } as const);
      late.push(() => socket.write(mqttPacket.generate(answer, { protocolVersion: 5 })));
      return true;
    };
    const manual = new ManualClock();
    const { session: made, connects } = session(busy.url, { version: '5', clock: manual });
    run(made);
    await until(() => made.status === 'subscribed', 'a connection');
    await until(() => busy.of('publish').length === 1, 'what it says first');
    isBusy = true;
    let taken = false;
    made.publish(
      message('a', {
        keep: true,
        taken: () => {
          taken = true;
        },
      }),
    );
    await until(() => late.length === 1, 'the message');
    await manual.advance(60_000);
    expect(connects()).toBe(1);
    await until(() => late.length === 2, 'the question for a sign of life');
    for (const answer of late) answer();
    await until(() => taken, 'the confirmation');
    expect(connects()).toBe(1);
    for (const socket of busy.sockets) socket.destroy();
  });

  it('goes back to MQTT 5 when it was not the version, and stays with what has worked', async () => {
    const starting = await scripted();
    starting.onPacket = (packet, socket, connection) => {
      // It starts up, or restarts later: it closes without a word whatever is said.
      if (packet.cmd !== 'connect' || connection === 3 || connection === 5) return false;
      socket.end();
      return true;
    };
    const { session: made, connects } = session(starting.url);
    run(made);
    await until(() => connects() === 1, 'the connection');
    for (const socket of starting.sockets) socket.destroy();
    await until(() => connects() === 2, 'the next connection');
    expect(starting.of('connect').map(({ protocolVersion }) => protocolVersion)).toEqual([5, 4, 5, 5, 5]);
  });
});

function suback({ messageId = 0 }: ISubscribePacket, granted: number[]): Buffer {
  return mqttPacket.generate({ cmd: 'suback', messageId, granted }, { protocolVersion: 5 });
}

function publish(messageId: number, dup: boolean, messageExpiryInterval: number): Buffer {
  const packet = { cmd: 'publish', topic: 'museum/lamp/set', payload: 'ON', qos: 1, retain: false } as const;
  const properties = { messageExpiryInterval };
  return mqttPacket.generate({ ...packet, messageId, dup, properties }, { protocolVersion: 5 });
}
