import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const MANY = 10_000;

/** Valid commands are said between so many others. */
const STRIDE = 500;

describe('hostile input on set', () => {
  let site: Site;
  let client: MqttClient;
  /** Receipts seen, by outcome; nothing else of them is kept. */
  let outcomes: Map<string, number>;
  let confirmed: Set<string>;

  beforeEach(async () => {
    outcomes = new Map();
    confirmed = new Set();
    site = await Site.open(['lamp', 'hall/lamp'], {}, { on: true });
    await site.observer.message('museum/lamp/availability', (payload) => payload === 'online');
    // From here on only receipts are looked at, and not kept.
    await site.observer.client.unsubscribeAsync('#');
    client = await mqtt.connectAsync(site.url, { reconnectPeriod: 0 });
    client.on('message', (topic, payload) => {
      if (!topic.endsWith('/result')) return;
      const { outcome, id } = JSON.parse(payload.toString());
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (outcome === 'confirmed') confirmed.add(id);
    });
    await client.subscribeAsync('museum/#', { qos: 1 });
  });

  afterEach(async () => {
    await client.endAsync(true);
    await site.close();
  });

  const total = () => [...outcomes.values()].reduce((sum, count) => sum + count, 0);

  /** Says every payload, and a valid command now and then; resolves when each has its receipt. */
  async function sayAll(count: number, say: (index: number) => Promise<unknown>): Promise<void> {
    const before = total();
    const valid: string[] = [];
    for (let index = 0; index < count; index += STRIDE) {
      const crowd = Math.min(STRIDE, count - index);
      await Promise.all(Array.from({ length: crowd }, (_, offset) => say(index + offset)));
      const id = `valid-${before + index}`;
      valid.push(id);
      await client.publishAsync('museum/lamp/set', JSON.stringify({ state: 'TOGGLE', id }), { qos: 1 });
      await until(() => confirmed.has(id), `the receipt of ${id}`);
    }
    await until(() => total() >= before + count + valid.length, 'a receipt for everything');
    expect(total()).toBe(before + count + valid.length);
    expect(outcomes.get('refused')).toBe(before + count - (confirmed.size - valid.length));
  }

  /** The log warns, but not of each: the others are counted. */
  function expectFewWarnings(): void {
    const warnings = site.bridge.lines.filter(({ msg }) => msg === 'command refused');
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings.length).toBeLessThanOrEqual(3);
    expect(site.bridge.lines.filter(({ level }) => level >= 50)).toEqual([]);
  }

  it('of 10,000 malformed payloads is refused one by one, in flat memory, and valid commands are answered in between', async () => {
    const say = (index: number) => client.publishAsync('museum/lamp/set', malformed(index), { qos: 1 });
    await sayAll(MANY / 2, say);
    const before = usedHeap();
    await sayAll(MANY / 2, (index) => say(index + MANY / 2));
    expect(usedHeap() - before).toBeLessThan(4 * 1024 * 1024);
    expectFewWarnings();
  }, 60_000);

  it('of payloads of 1 MiB is refused by its size', async () => {
    const large = Buffer.alloc(1024 * 1024, '{"state":"ON",');
    const say = () => client.publishAsync('museum/lamp/set', large, { qos: 1 });
    await sayAll(20, say);
    const before = usedHeap();
    await sayAll(40, say);
    expect(usedHeap() - before).toBeLessThan(4 * 1024 * 1024);
    expectFewWarnings();
  }, 60_000);

  it('on topics with odd characters is refused on just those topics, and harms nobody', async () => {
    const odd = ODD_SEGMENTS.map((segment) => `museum/${segment}/set`);
    await sayAll(odd.length, (index) => client.publishAsync(odd[index] ?? '', 'ON', { qos: 1 }));
    expect(site.plug('hall/lamp').device.relay).toBe(true);
    expectFewWarnings();
  });

  it('on a topic so long that its receipt has none is dropped with a warning, and the bridge stays', async () => {
    const topic = `museum/${'x'.repeat(65_535 - 'museum//set'.length)}/set`;
    await client.publishAsync(topic, 'ON', { qos: 1 });
    await sayAll(1, () => client.publishAsync('museum/lamp/set', 'BLINK', { qos: 1 }));
    const { lines } = site.bridge;
    expect(lines.filter(({ msg }) => msg.includes('of this size; left out'))).toHaveLength(1);
    expect(lines.filter(({ msg }) => msg === 'connected to broker')).toHaveLength(1);
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  });
});

describe('hostile input on requests', () => {
  it('nested 7,000 deep, wherever it stands, is refused, and the next request is answered', async () => {
    await using site = await Site.open(['lamp']);
    const { observer } = site;
    await observer.message('museum/lamp/availability', (payload) => payload === 'online');
    const deep = `${'['.repeat(7000)}${']'.repeat(7000)}`;
    const ask = async (request: string) => {
      const after = await observer.say('museum/bridge/request/plug/command', request);
      return observer.json('museum/bridge/response/plug/command', () => true, after);
    };
    for (const key of ['transaction', 'plug', 'command', 'query', 'args', 'id'])
      expect(await ask(`{"plug":"lamp","command":"info","${key}":${deep}}`)).toMatchObject({
        status: 'error',
        code: 'not-understood',
      });
    expect(await ask('{"plug":"lamp","command":"info","transaction":"T"}')).toMatchObject({
      status: 'ok',
      transaction: 'T',
    });
    expect(site.bridge.lines.filter(({ level }) => level >= 50)).toEqual([]);
  });
});

const ODD_SEGMENTS = [
  '',
  ' ',
  '..',
  '.',
  '%00',
  '$SYS',
  '__proto__',
  'constructor',
  'toString',
  'lamp ',
  'LAMP',
  'lämp',
  '🔌',
  '\u202Epmal',
  '\uFEFFlamp',
  'a\tb',
  'a\nb',
  '"quoted"',
  '{}',
  "'; DROP TABLE plugs; --",
  '<script>',
  'bridge',
  'set',
  'x'.repeat(5000),
];

/** Payloads that are no commands, each with something else about it. */
function malformed(index: number): Buffer {
  const kinds = [
    () => Buffer.from(`BLINK ${index}`),
    () => Buffer.alloc(0),
    () => Buffer.from([0xff, 0xfe, index % 256, 0]),
    () => Buffer.from(`{"state":"ON","id":{"deep":${index}}}`),
    () => Buffer.from(`{"state":"SIDEWAYS","id":"x${index}"}`),
    () => Buffer.from(`{"state":"ON","for":"-${index}s"}`),
    () => Buffer.from(`{"state":"ON","ttl":1e${300 + (index % 100)}}`),
    () => Buffer.from('['.repeat(4000)),
    () => Buffer.from('{"state":'.repeat(400)),
    () => Buffer.from(`${'{"a":'.repeat(600)}1${'}'.repeat(600)}`),
    () => Buffer.from(`{"__proto__":{"state":"ON"},"x":${index}}`),
    () => Buffer.from(`{"state":"ON","state2":"OFF","n":${index}}`),
    () => Buffer.from(`{"state":"ON","id":"${'y'.repeat(300)}"}`),
    () => Buffer.from(`{"state":null,"id":${index}}`),
    () => Buffer.from(`"${index}"`),
    () => Buffer.from('true false'),
    () => Buffer.alloc(4097, 'O'),
    () => Buffer.from(`{"led":"TOGGLE","id":"l${index}"}`),
    () => Buffer.from(`{"for":"5s","id":"f${index}"}`),
    () => Buffer.from(`\u0000ON${index}`),
  ];
  return kinds[index % kinds.length]?.() ?? Buffer.alloc(0);
}

/** Bytes in use once everything that can go is gone. */
function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
