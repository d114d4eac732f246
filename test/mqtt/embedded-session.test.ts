import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker } from '../../src/mqtt/broker.ts';
import { EmbeddedSession } from '../../src/mqtt/embedded-session.ts';
import type { Incoming, Message } from '../../src/mqtt/session.ts';
import { type Clock, SystemClock } from '../../src/runtime/clock.ts';
import { brokerOptions } from '../support/broker-options.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { Observer } from '../support/observer.ts';
import { RunningTask } from '../support/running-task.ts';
import { until } from '../support/until.ts';

const clock = new SystemClock();

const message = (payload: string, more: Partial<Message> = {}): Message => ({
  topic: 'museum/lamp',
  payload,
  retain: true,
  qos: 0,
  ...more,
});

describe('the session at the embedded broker', () => {
  const stops: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  /** A broker with a client, and a session that has not begun. */
  async function open(filter = '#', sessionClock: Clock = clock) {
    const { log } = memoryLog();
    const broker = new Broker(brokerOptions(log));
    const running = new RunningTask(broker);
    stops.push(() => running.stop());
    await until(() => running.ready === 1, 'the broker');
    const watch = await Observer.connect(broker.url, 4, filter);
    stops.push(() => watch.end());
    const session = new EmbeddedSession({
      broker,
      stateTopic: 'museum/bridge/state',
      clock: sessionClock,
      log,
    });
    const begin = () => {
      const task = new RunningTask(session);
      stops.push(() => task.stop());
      return task;
    };
    return { session, broker, watch, begin };
  }

  it('says that the bridge is there, what it publishes, and at the end that it is not', async () => {
    const { session, watch, begin } = await open();
    session.onConnect(() => session.publish(message('a reading')));
    const task = begin();
    await watch.message('museum/lamp', (payload) => payload === 'a reading');
    await task.stop();
    await watch.message('museum/bridge/state', (payload) => payload === 'offline');
    expect(watch.seen.map(({ payload }) => payload).toSorted()).toEqual(['a reading', 'offline', 'online']);
  });

  it('loses nothing when messages of all kinds come in a crowd', async () => {
    const { session, watch, begin } = await open();
    begin();
    const sent = Array.from({ length: 400 }, (_, n) => `${n}`);
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    for (const payload of sent) {
      const n = Number(payload);
      session.publish(message(payload, { qos: n % 2 === 0 ? 0 : 1, retain: n % 3 === 0 }));
    }
    await until(() => watch.seen.length >= 401, 'all of them');
    expect(watch.seen.slice(1).map(({ payload }) => Number(payload))).toHaveLength(400);
    expect(new Set(watch.seen.slice(1).map(({ payload }) => payload))).toEqual(new Set(sent));
  });

  it('keeps until it begins what must not be lost, and nothing else', async () => {
    const { session, watch, begin } = await open();
    session.publish(message('an old reading'));
    session.publish(message('a receipt', { qos: 1, keep: true }));
    begin();
    await watch.message('museum/lamp', (payload) => payload === 'a receipt');
    expect(watch.seen.map(({ payload }) => payload)).toEqual(['online', 'a receipt']);
  });

  it('says each time when all is delivered that must not be lost', async () => {
    const { session, begin } = await open();
    let delivered = 0;
    session.onDelivered(() => delivered++);
    begin();
    await until(() => delivered === 1, 'the first word of the bridge');
    for (const payload of ['a', 'b', 'c']) session.publish(message(payload, { qos: 1 }));
    await until(() => delivered === 2, 'the three');
    session.publish(message('d'));
    session.publish(message('e', { qos: 1 }));
    await until(() => delivered === 3, 'the last');
  });

  it('hears what clients publish on the topics it listens to, retained or not, and not what it says itself', async () => {
    const { session, watch, begin } = await open();
    const heard: Incoming[] = [];
    session.listen(['museum/+/set', 'museum/set'], (incoming) => heard.push(incoming));
    begin();
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    await watch.say('museum/lamp/set', 'ON');
    await watch.say('museum/lamp/get', '');
    await watch.say('museum/set', 'OFF', { retain: true });
    await until(() => heard.length === 2, 'both commands');
    expect(heard.map(({ topic, payload, retain }) => [topic, payload.toString(), retain])).toEqual([
      ['museum/lamp/set', 'ON', false],
      ['museum/set', 'OFF', true],
    ]);
  });

  it('takes in who comes to listen and to publish after it has begun', async () => {
    const { session, watch, begin } = await open();
    const heard: string[] = [];
    session.listen(['museum/set'], ({ topic }) => heard.push(topic));
    begin();
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    session.onConnect(() => session.publish(message('a late reading')));
    session.listen(['museum/set', 'museum/+/set'], ({ topic }) => heard.push(`late ${topic}`));
    await watch.message('museum/lamp', (payload) => payload === 'a late reading');
    await watch.say('museum/set', 'ON');
    await watch.say('museum/lamp/set', 'ON');
    await until(() => heard.length >= 4, 'both commands, twice each');
    expect(heard).toEqual(['museum/set', 'late museum/set', 'museum/lamp/set', 'late museum/lamp/set']);
  });

  it('leaves out what no client could be told, and goes on', async () => {
    const { session, watch, begin } = await open();
    begin();
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    session.publish(message('too long', { topic: 'x'.repeat(70_000), qos: 1 }));
    session.publish(message('too deep', { topic: 'x/'.repeat(200), qos: 1 }));
    session.publish(message('well'));
    await watch.message('museum/lamp', (payload) => payload === 'well');
  });

  it('tells everything again two seconds after a client has cleared what was announced', async () => {
    const manual = new ManualClock();
    const { broker, session, watch } = await open('#', manual);
    broker.protect({ isOwn: () => false, isDiscovery: (topic) => topic.startsWith('homeassistant/') });
    let told = 0;
    session.onConnect(() => told++);
    const task = new RunningTask(session);
    stops.push(async () => {
      const stopped = task.stop();
      await manual.advance(2000);
      await stopped;
    });
    await manual.advance(0);
    await watch.message('museum/bridge/state');
    expect(told).toBe(1);
    for (const name of ['a', 'b'])
      await watch.client.publishAsync(`homeassistant/sensor/${name}/config`, '', { retain: true, qos: 1 });
    await manual.advance(1999);
    expect(told).toBe(1);
    await manual.advance(1);
    expect(told).toBe(2);
  });

  it('lets a message wait until a client has subscribed to it, if it is to', async () => {
    const { session, watch, begin } = await open('museum/bridge/#');
    let taken = 0;
    const receipt = message('confirmed', { topic: 'museum/lamp/result', retain: false, qos: 1, keep: true });
    session.publish({ ...receipt, awaitSubscriber: true, taken: () => taken++ });
    begin();
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    await watch.client.subscribeAsync('museum/other/result');
    expect(taken).toBe(0);
    await watch.client.subscribeAsync('museum/+/result');
    await watch.message('museum/lamp/result', (payload) => payload === 'confirmed');
    await until(() => taken === 1, 'the word that it is taken');
    session.publish({ ...receipt, payload: 'superseded', awaitSubscriber: true });
    await watch.message('museum/lamp/result', (payload) => payload === 'superseded');
  });

  it('ends while a message still waits for a subscriber: it is not taken, and nothing is left behind', async () => {
    const manual = new ManualClock();
    const { session, watch, begin } = await open('museum/bridge/#', manual);
    let taken = 0;
    const task = begin();
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    session.publish(message('x', { qos: 1, awaitSubscriber: true, taken: () => taken++ }));
    expect(manual.armed).toBe(1);
    const stopped = task.stop();
    // The last word of the bridge is on its way to the client meanwhile.
    for (let turn = 0; turn < 50; turn++) await manual.advance(10);
    await stopped;
    expect([taken, manual.armed]).toEqual([0, 0]);
  });

  it('sends a message again that went to a client which is gone, and says that it is taken only then', async () => {
    const { session, broker, watch, begin } = await open('museum/bridge/#');
    let taken = 0;
    begin();
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    const early = await Observer.connect(broker.url, 4, 'museum/+/result');
    await early.end();
    const topic = 'museum/lamp/result';
    session.publish({
      ...message('confirmed', { topic, retain: false, qos: 1, keep: true, awaitSubscriber: true }),
      taken: () => taken++,
    });
    const late = await Observer.connect(broker.url, 4, 'museum/bridge/#');
    stops.push(() => late.end());
    await late.message('museum/bridge/state');
    expect(taken).toBe(0);
    await late.client.subscribeAsync('museum/+/result');
    await late.message(topic, (payload) => payload === 'confirmed');
    await until(() => taken === 1, 'the word that it is taken');
  });

  it('has a command at QoS 1 before the client is told that it has: a kill in between would lose it', async () => {
    const { session, broker, begin, watch } = await open('museum/bridge/#');
    const heard: Incoming[] = [];
    const sender = new Worker(SENDER, { eval: true, workerData: new URL(broker.url).port });
    stops.push(() => sender.terminate());
    const acknowledged = new Int32Array(new SharedArrayBuffer(4));
    let before: number | undefined;
    session.listen(['museum/+/set'], (incoming) => {
      heard.push(incoming);
      // Nothing goes on in this program meanwhile; what was written before arrives.
      Atomics.wait(acknowledged, 0, 0, 300);
      before = Atomics.load(acknowledged, 0);
    });
    begin();
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    sender.postMessage(acknowledged);
    await until(() => Atomics.load(acknowledged, 0) === 1, 'the acknowledgement');
    expect(before).toBe(0);
    expect(heard.map(({ topic, packetId, dup }) => [topic, packetId, dup])).toEqual([
      ['museum/lamp/set', 7, true],
    ]);
  });

  it('hears each command once, whatever its QoS', async () => {
    const { session, watch, begin } = await open('museum/bridge/#');
    const heard: string[] = [];
    session.listen(['museum/+/set'], ({ payload }) => heard.push(payload.toString()));
    begin();
    await watch.message('museum/bridge/state', (payload) => payload === 'online');
    for (const qos of [0, 1, 2] as const)
      await watch.client.publishAsync('museum/lamp/set', `${qos}`, { qos });
    await until(() => heard.length === 3, 'all of them');
    await watch.client.publishAsync('museum/lamp/set', 'last', { qos: 2 });
    await until(() => heard.length >= 4, 'the last');
    expect(heard.toSorted()).toEqual(['0', '1', '2', 'last']);
  });
});

/** A client in another thread: it publishes packet 7 once it is told to, and sets the memory to 1 when PUBACK comes. */
const SENDER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const socket = require('node:net').connect(Number(workerData), '127.0.0.1');
  const connect = Buffer.from([0x10, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, 1, 119]);
  const topic = Buffer.from('museum/lamp/set');
  const publish = Buffer.concat([
    Buffer.from([0x3a, topic.length + 6, 0, topic.length]), topic, Buffer.from([0, 7]), Buffer.from('ON'),
  ]);
  parentPort.once('message', (acknowledged) => {
    let isConnected = false;
    socket.on('data', () => {
      if (isConnected) {
        Atomics.store(acknowledged, 0, 1);
        Atomics.notify(acknowledged, 0);
      } else socket.write(publish);
      isConnected = true;
    });
    socket.write(connect);
  });
`;
