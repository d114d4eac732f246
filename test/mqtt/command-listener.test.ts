import { describe, expect, it } from 'vitest';
import { type Command, plugReceipt, type Receipt, unattempted } from '../../src/bridge/command.ts';
import { CommandListener } from '../../src/mqtt/command-listener.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import { FakeBridge, INFO } from '../support/fake-bridge.ts';
import { FakeSession } from '../support/fake-session.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { RunningTask } from '../support/running-task.ts';

const COMMAND: Command = { relay: 'on', id: 'x1', origin: 'mqtt', user: null };

function open(
  paths: readonly string[] = ['lamp', 'east/hall/desk'],
  left: readonly Receipt[] = [],
  responsePrefix?: string,
) {
  const bridge = new FakeBridge(...paths);
  bridge.left = [...left];
  bridge.outcome = async (path, command) => plugReceipt(path, command, { outcome: 'confirmed' }, 12);
  const session = new FakeSession();
  const clock = new ManualClock();
  const { log, lines } = memoryLog();
  const topics = new Topics('museum');
  const responseTopics = { discoveryPrefix: 'homeassistant', responsePrefix };
  const listener = new CommandListener({
    bridge,
    session,
    topics,
    responseTopics,
    qos: 1,
    ttlMs: 60_000,
    clock,
    log,
  });
  const task = new RunningTask(listener);
  const results = (topic = 'museum/lamp/result') => session.on(topic).map((payload) => JSON.parse(payload));
  return { bridge, session, clock, lines, listener, task, results };
}

describe('the listener', () => {
  it('subscribes as deep as the deepest plug, and one level for those that are taken in later', () => {
    const topics = new Topics('museum');
    const filters = (depth: number) => [...topics.filters('set', depth), ...topics.filters('get', depth)];
    expect(open().session.filters).toEqual(filters(3));
    expect(open([]).session.filters).toEqual(filters(1));
  });

  it('subscribes deeper once a plug is moved there, and carries out each command once', () => {
    const { bridge, session } = open(['lamp']);
    bridge.change('east/hall/desk', { info: INFO });
    expect(new Set(session.queued)).toEqual(new Set(new Topics('museum').filters('set', 3)));
    session.receive('museum/east/hall/desk/set', 'ON');
    expect(bridge.commands).toMatchObject([{ path: 'east/hall/desk' }]);
  });

  it('has the broker keep commands for a bridge that is away, and nothing else', () => {
    expect(open().session.queued).toEqual(new Topics('museum').filters('set', 3));
  });

  it.each([
    ['ON', undefined, undefined],
    ['ON', 5000, 5000],
    ['ON', 100_000, 60_000],
    ['{"state":"ON","ttl":"90s"}', 80_000, 80_000],
    ['{"state":"ON","ttl":"10s"}', 80_000, 10_000],
    ['{"state":"ON","ttl":0}', 80_000, 0],
  ])('tries %s, in a message that expires in %s ms, for %s ms', async (payload, expiresInMs, ttlMs) => {
    const { bridge, session } = open();
    session.receive('museum/lamp/set', payload, { expiresInMs });
    await settled();
    expect(bridge.commands.map(({ command }) => command.ttlMs)).toEqual([ttlMs]);
  });

  it('says with which number a command was delivered, and whether it may have been before', async () => {
    const { bridge, session } = open();
    session.receive('museum/lamp/set', 'ON', { packetId: 7, dup: true });
    session.receive('museum/lamp/set', 'ON');
    await settled();
    expect(bridge.commands.map(({ command }) => command.delivery)).toEqual([
      { packetId: 7, dup: true },
      undefined,
    ]);
  });

  it('hands a command to the bridge before the message is acknowledged', () => {
    const { bridge, session } = open();
    session.receive('museum/lamp/set', 'ON');
    expect(bridge.commands).toHaveLength(1);
  });

  it('hands a command to the bridge and sends its receipt, at QoS 1, not retained, kept over an outage', async () => {
    const { bridge, session } = open();
    session.receive('museum/lamp/set', '{"state":"ON","id":"x1"}');
    await settled();
    expect(bridge.commands).toMatchObject([
      { path: 'lamp', command: { relay: 'on', id: 'x1', origin: 'mqtt' } },
    ]);
    expect(session.messages).toEqual([
      {
        topic: 'museum/lamp/result',
        payload: expect.stringContaining('"outcome":"confirmed"'),
        retain: false,
        qos: 1,
        keep: true,
        awaitSubscriber: true,
        taken: expect.any(Function),
      },
    ]);
  });

  it.each([
    ['museum/set', ''],
    ['museum/east/set', 'east'],
    ['museum/east/hall/desk/set', 'east/hall/desk'],
  ])('takes a message on %s as a command to %j', async (topic, path) => {
    const { bridge, session } = open();
    session.receive(topic, 'OFF');
    await settled();
    expect(bridge.commands).toMatchObject([{ path, command: { relay: 'off' } }]);
    expect(session.messages[0]?.topic).toBe(topic.replace(/set$/, 'result'));
  });

  it('has a plug read on get, but not because of a retained message', () => {
    const { bridge, session } = open();
    session.receive('museum/lamp/get', '');
    session.receive('museum/east/get', '', { retain: true });
    expect(bridge.refreshed).toEqual(['lamp']);
    expect(session.messages).toEqual([]);
  });

  it('refuses to read what there is not', () => {
    const { session, results } = open();
    session.receive('museum/nowhere/get', '');
    expect(results('museum/nowhere/result')).toMatchObject([
      { outcome: 'refused', reason: 'there is no plug or place nowhere' },
    ]);
    expect(session.messages).toHaveLength(1);
  });

  it.each(['museum/bridge/request/discover', 'museum/lamp/state', 'other/lamp/set', 'museum'])(
    'leaves %s to others',
    async (topic) => {
      const { bridge, session } = open();
      session.receive(topic, 'ON');
      await settled();
      expect(bridge.commands).toEqual([]);
      expect(session.messages).toEqual([]);
    },
  );

  it.each([
    ['museum//set', 'museum/'],
    ['museum///set', 'museum//'],
    ['museum//get', 'museum/'],
    ['museum/lamp//set', 'museum/lamp/'],
    ['museum//lamp/set', 'museum//lamp'],
  ])('refuses %s, which has an empty level, on a topic of the bridge', async (topic, target) => {
    const { bridge, session, lines, results } = open();
    session.receive(topic, 'OFF');
    await settled();
    expect(bridge.commands).toEqual([]);
    expect(bridge.refreshed).toEqual([]);
    const reason = `${topic} has an empty level; the whole site is museum/set`;
    expect(results('museum/bridge/result')).toMatchObject([{ target, outcome: 'refused', reason }]);
    expect(session.messages).toHaveLength(1);
    expect(lines).toMatchObject([{ topic, reason, msg: 'command refused' }]);
  });

  it('refuses what it does not understand, with the id where it can be read', async () => {
    const { bridge, session, results } = open();
    session.receive('museum/lamp/set', '{"state":"MAYBE","id":"x7"}');
    await settled();
    expect(bridge.commands).toEqual([]);
    expect(results()).toMatchObject([{ id: 'x7', outcome: 'refused', total: 0 }]);
  });

  it('refuses a retained command, says how to be rid of it, and keeps its id', async () => {
    const { bridge, session, results } = open();
    session.receive('museum/lamp/set', '{"state":"ON","id":"x7"}', { retain: true });
    session.receive('museum/lamp/set', 'nonsense', { retain: true });
    await settled();
    expect(bridge.commands).toEqual([]);
    expect(results()).toMatchObject([
      {
        id: 'x7',
        outcome: 'refused',
        reason: expect.stringMatching(/empty retained message to museum\/lamp\/set/),
      },
      { id: null, outcome: 'refused', reason: expect.stringMatching(/^retained commands/) },
    ]);
  });

  it('repeats receipts that may not have arrived before the bridge was killed, and says so', async () => {
    const receipt = plugReceipt('lamp', COMMAND, { outcome: 'confirmed' }, 5);
    const { results } = open(['lamp'], [receipt]);
    expect(results()).toMatchObject([{ id: 'x1', outcome: 'confirmed', repeated: true }]);
  });

  it('tells the bridge which receipts have arrived, and which have not yet', async () => {
    const { bridge, session } = open(['lamp']);
    session.receive('museum/lamp/set', 'ON');
    await settled();
    expect(bridge.acknowledged).toEqual([]);
    session.messages.at(-1)?.taken?.();
    expect(bridge.acknowledged).toEqual([1]);
  });
});

describe('a refusal', () => {
  it('is logged once a minute, with the number of those in between', async () => {
    const { session, clock, lines } = open();
    for (let each = 0; each < 4; each++) session.receive('museum/lamp/set', 'nonsense');
    await clock.advance(59_999);
    session.receive('museum/lamp/set', 'nonsense');
    expect(lines.map(({ topic, othersSince }) => [topic, othersSince])).toEqual([
      ['museum/lamp/set', undefined],
    ]);
    await clock.advance(1);
    session.receive('museum/desk/set', '');
    await clock.advance(60_000);
    session.receive('museum/lamp/set', 'nonsense');
    expect(lines.slice(1).map(({ topic, othersSince }) => [topic, othersSince])).toEqual([
      ['museum/desk/set', 4],
      ['museum/lamp/set', undefined],
    ]);
    expect(session.messages).toHaveLength(7);
  });

  it('by the bridge is logged too', async () => {
    const { bridge, session, lines } = open();
    bridge.outcome = async (path, command) => unattempted(path, command, 'refused', 'locked');
    session.receive('museum/lamp/set', 'ON');
    await settled();
    expect(lines).toMatchObject([{ topic: 'museum/lamp/set', reason: 'locked', msg: 'command refused' }]);
  });
});

describe('a response topic', () => {
  const answered = async (responseTopic: string, payload = 'ON', responsePrefix?: string) => {
    const { session } = open(undefined, undefined, responsePrefix);
    session.receive('museum/lamp/set', payload, { responseTopic, correlationData: Buffer.from([1, 255]) });
    await settled();
    return session.messages;
  };

  it('gets the receipt too, with the correlation data of the command', async () => {
    const [usual, answer] = await answered('answers/here');
    expect(usual).toMatchObject({ topic: 'museum/lamp/result' });
    expect(usual).not.toHaveProperty('correlationData');
    expect(answer).toEqual({ ...usual, topic: 'answers/here', correlationData: Buffer.from([1, 255]) });
  });

  it('gets the receipt of a refused command too', async () => {
    expect((await answered('answers/here', 'nonsense')).map(({ topic }) => topic)).toEqual([
      'museum/lamp/result',
      'answers/here',
    ]);
  });

  it('may come without correlation data', async () => {
    const { session } = open();
    session.receive('museum/lamp/set', 'ON', { responseTopic: 'answers/here' });
    await settled();
    expect(session.messages[1]).not.toHaveProperty('correlationData');
  });

  it.each([
    '',
    'answers/+',
    'answers/#',
    'a\0b',
    'a\nb',
    'a\u009bb',
    'a\ufffe',
    'museum',
    'museum/lamp/set',
    'museum/set',
    'museum/bridge/state',
    'museum/bridge/request/discover',
    'museum//set',
    'homeassistant/device/evil/config',
    'homeassistant',
    '$SYS/broker/uptime',
    '$share/x/y',
    'x'.repeat(600),
    'a/'.repeat(300),
  ])('that is %.40j gets nothing, the usual topic all the same', async (topic) => {
    expect((await answered(topic)).map((message) => message.topic)).toEqual(['museum/lamp/result']);
  });

  it.each([
    ['answers/here', true],
    ['answers/', true],
    ['answers', false],
    ['answers2/here', false],
    ['zigbee2mqtt/lamp/set', false],
    ['museum/lamp/set', false],
  ])('%s is used where mqtt.responsePrefix is "answers": %s', async (topic, used) => {
    const topics = (await answered(topic, 'ON', 'answers')).map((message) => message.topic);
    expect(topics).toEqual(['museum/lamp/result', ...(used ? [topic] : [])]);
  });

  it('that is refused is logged once a minute, with the reason', async () => {
    const { session, bridge, lines } = open();
    for (let each = 0; each < 3; each++)
      session.receive('museum/lamp/set', 'ON', { responseTopic: 'museum/bridge/state' });
    await settled();
    expect(bridge.commands).toHaveLength(3);
    expect(lines).toMatchObject([
      {
        responseTopic: 'museum/bridge/state',
        reason: "topics below museum are the bridge's own",
        msg: 'receipt not sent to a response topic',
      },
    ]);
  });
});
