import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NetworkSession } from '../../src/mqtt/network-session.ts';
import type { Incoming, SessionMemory } from '../../src/mqtt/session.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { freePort } from '../support/free-port.ts';
import { memoryLog } from '../support/memory-log.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { Observer } from '../support/observer.ts';
import { RunningTask } from '../support/running-task.ts';
import { Site } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { volatileSession } from '../support/volatile-session.ts';

if (noMosquitto !== undefined)
  process.stderr.write(`The tests of MQTT sessions are skipped: ${noMosquitto}.\n`);

const VERSIONS = [
  ['5', 5],
  ['3.1.1', 4],
] as const;

describe.skipIf(noMosquitto !== undefined)('the session at Mosquitto', () => {
  let mosquitto: Mosquitto;
  let proxy: TcpProxy;
  const stops: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    mosquitto = await Mosquitto.started();
    proxy = await TcpProxy.started(mosquitto.port);
  });

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    await proxy.stop();
    await mosquitto.stop();
  });

  /** A site whose bridge reaches the broker through the proxy, and a client that reaches it directly. */
  async function open(mqtt: object = {}, options: object = {}): Promise<{ site: Site; client: Observer }> {
    const site = await Site.open(['shed3'], { ...options, mqtt: { url: proxy.url, ...mqtt } });
    stops.push(() => site.close());
    const client = await Observer.connect(mosquitto.url, 5);
    stops.push(() => client.end());
    await client.message('museum/bridge/state', (payload) => payload === 'online');
    await client.message('museum/shed3/availability', (payload) => payload === 'online');
    return { site, client };
  }

  /** Resolves once the bridge has carried out a command that is sent now. */
  async function answers(client: Observer, id: string): Promise<void> {
    const after = await client.say('museum/shed3/set', `{"led":"ON","id":"${id}"}`);
    await client.json('museum/shed3/result', (receipt) => receipt.id === id, after);
  }

  const receiptsOf = (client: Observer, id: string) =>
    client.seen.filter(({ topic, payload }) => topic.endsWith('/result') && JSON.parse(payload).id === id);

  it.each(VERSIONS)('leaves a last will that says that the bridge is gone, on MQTT %s', async (version) => {
    const { client } = await open({ version });
    const after = client.seen.length;
    proxy.close();
    expect(await client.message('museum/bridge/state', () => true, after)).toMatchObject({
      payload: 'offline',
    });
    const late = await Observer.connect(mosquitto.url, 5, 'museum/bridge/state');
    stops.push(() => late.end());
    expect(await late.message('museum/bridge/state')).toMatchObject({ payload: 'offline', retain: true });
    proxy.open();
    await client.message('museum/bridge/state', (payload) => payload === 'online', after);
  });

  it.each(VERSIONS)('refuses a command that was retained before it came, on MQTT %s', async (version) => {
    const early = await Observer.connect(mosquitto.url, 5);
    stops.push(() => early.end());
    await early.say('museum/shed3/set', '{"state":"ON","id":"kept"}', { retain: true });
    const { site } = await open({ version });
    expect(await early.json('museum/shed3/result')).toMatchObject({
      id: 'kept',
      outcome: 'refused',
      reason: expect.stringMatching(/^retained commands are not carried out/),
    });
    await answers(early, 'next');
    expect(site.plug('shed3').device.relay).toBe(false);
  });

  it('carries out a command that was sent while the bridge was off the broker, on MQTT 5, with one receipt', async () => {
    const { site, client } = await open({ version: '5' });
    proxy.close();
    const after = client.seen.length;
    await client.message('museum/bridge/state', (payload) => payload === 'offline', after);
    await client.say('museum/bridge/request/discover', '{"transaction":"T1"}');
    await client.say('museum/shed3/set', '{"state":"TOGGLE","id":"away"}');
    proxy.open();
    expect(await client.json('museum/shed3/result')).toMatchObject({ id: 'away', outcome: 'confirmed' });
    expect(site.plug('shed3').device.relay).toBe(true);
    await answers(client, 'next');
    expect(receiptsOf(client, 'away')).toHaveLength(1);
    // What is no command was not kept.
    expect(client.seen.filter(({ topic }) => topic === 'museum/bridge/response/discover')).toEqual([]);
  });

  it('does not carry it out when its ttl had passed at the broker', async () => {
    const { site, client } = await open({ version: '5', clientId: 'bridge' }, { command: { ttl: '1s' } });
    proxy.close();
    const after = client.seen.length;
    await client.message('museum/bridge/state', (payload) => payload === 'offline', after);
    await client.say('museum/shed3/set', '{"state":"ON","id":"late"}');
    const expired = () => mosquitto.lines.some((line) => line.includes('Expiring client bridge'));
    await until(expired, 'the session to end', 20_000);
    proxy.open();
    await client.message('museum/bridge/state', (payload) => payload === 'online', after);
    await answers(client, 'next');
    expect(receiptsOf(client, 'late')).toEqual([]);
    expect(site.plug('shed3').device.relay).toBe(false);
  }, 40_000);

  it('loses it on MQTT 3.1.1, where each connection begins clean', async () => {
    const { site, client } = await open({ version: '3.1.1' });
    proxy.close();
    const after = client.seen.length;
    await client.message('museum/bridge/state', (payload) => payload === 'offline', after);
    await client.say('museum/shed3/set', '{"state":"ON","id":"away"}');
    proxy.open();
    await client.message('museum/bridge/state', (payload) => payload === 'online', after + 1);
    await answers(client, 'next');
    expect(receiptsOf(client, 'away')).toEqual([]);
    expect(site.plug('shed3').device.relay).toBe(false);
  });

  it('keeps commands over a restart of the bridge, where it remembers its session', async () => {
    const session = volatileSession('bridge');
    const received: Incoming[] = [];
    const start = () => {
      const made = sessionAt(mosquitto.url, session);
      made.listen(['museum/+/set'], (incoming) => received.push(incoming), 1);
      return new RunningTask(made);
    };
    const client = await Observer.connect(mosquitto.url, 5);
    stops.push(() => client.end());
    const first = start();
    await client.message('museum/bridge/state', (payload) => payload === 'online');
    await first.stop();
    await client.say('museum/shed3/set', 'ON', { properties: { messageExpiryInterval: 50 } });
    const second = start();
    stops.push(() => second.stop());
    await until(() => received.length === 1, 'the command');
    expect(received).toMatchObject([{ topic: 'museum/shed3/set', retain: false, dup: false }]);
    expect(received[0]?.packetId).toBeGreaterThan(0);
    expect(received[0]?.expiresInMs).toBeLessThanOrEqual(50_000);
  });

  it('is told which command it may have had before, when the acknowledgement was lost', async () => {
    const memory = volatileSession('bridge');
    const received: Incoming[] = [];
    const start = (url: string) => {
      const made = sessionAt(url, memory);
      made.listen(['museum/+/set'], (incoming) => received.push(incoming), 1);
      return new RunningTask(made);
    };
    const client = await Observer.connect(mosquitto.url, 5);
    stops.push(() => client.end());
    const first = start(proxy.url);
    await client.message('museum/bridge/state', (payload) => payload === 'online');
    proxy.hold();
    await client.say('museum/shed3/set', 'TOGGLE');
    await until(() => received.length === 1, 'the command');
    proxy.close();
    await first.stop();
    const second = start(mosquitto.url);
    stops.push(() => second.stop());
    await until(() => received.length === 2, 'the command again');
    await client.say('museum/shed3/set', 'TOGGLE');
    await until(() => received.length === 3, 'another command');
    const [one, same, other] = received;
    expect([one?.dup, same?.dup, other?.dup]).toEqual([false, true, false]);
    expect(same?.packetId).toBe(one?.packetId);
  });

  it('is not lost over a response topic with more levels than the broker allows', async () => {
    const { site, client } = await open({ version: '5', clientId: 'bridge' });
    const responseTopic = 'a/'.repeat(300);
    await client.say('museum/shed3/set', '{"state":"ON","id":"deep"}', { properties: { responseTopic } });
    expect(await client.json('museum/shed3/result')).toMatchObject({ id: 'deep', outcome: 'confirmed' });
    await answers(client, 'next');
    expect(mosquitto.connectsOf('bridge')).toBe(1);
    expect(site.bridge.lines.filter(({ level }) => level >= 40)).toMatchObject([
      { msg: 'receipt not sent to a response topic', reason: 'it has more than 512 bytes' },
    ]);
  });
});

describe('the session at the embedded broker', () => {
  it('refuses a command that is sent retained, at once', async () => {
    await using site = await Site.open(['shed3']);
    const port = await freePort();
    await site.bridge.stop();
    await site.startBridge({ mqtt: { url: undefined }, broker: { listen: `127.0.0.1:${port}` } });
    const client = await Observer.connect(`mqtt://127.0.0.1:${port}`);
    await client.message('museum/shed3/availability', (payload) => payload === 'online');
    await client.say('museum/shed3/set', '{"state":"ON","id":"kept"}', { retain: true });
    expect(await client.json('museum/shed3/result')).toMatchObject({ id: 'kept', outcome: 'refused' });
    expect(site.plug('shed3').device.relay).toBe(false);
    await client.end();
  });
});

function sessionAt(url: string, session: SessionMemory): NetworkSession {
  return new NetworkSession({
    brokers: [url],
    version: 'auto',
    session,
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
    clock: new SystemClock(),
    random: () => 0,
    log: memoryLog().log,
  });
}
