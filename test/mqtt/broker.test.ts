import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import mqtt from 'mqtt';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker } from '../../src/mqtt/broker.ts';
import { brokerOptions } from '../support/broker-options.ts';
import { memoryLog } from '../support/memory-log.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';

describe('the embedded broker', () => {
  const stop: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const one of stop.splice(0).reverse()) await one();
  });

  function make(options: { host?: string; port?: number; username?: string; password?: string } = {}) {
    const { log, lines } = memoryLog();
    const broker = new Broker(brokerOptions(log, options, options));
    return { broker, lines };
  }

  async function start(options: Parameters<typeof make>[0] = {}) {
    const { broker, lines } = make(options);
    const over = new AbortController();
    let ended: Promise<void> = Promise.resolve();
    await new Promise<void>((resolve, reject) => {
      ended = broker.run(over.signal, resolve);
      ended.catch(reject);
    });
    const end = async () => {
      over.abort();
      await ended;
    };
    stop.push(end);
    return { broker, lines, end };
  }

  async function connect(url: string, login: { username?: string; password?: string } = {}) {
    const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...login });
    stop.push(() => client.endAsync(true));
    return client;
  }

  it('says where it listens, and there it is', async () => {
    const { broker, lines } = await start();
    const client = await connect(broker.url);
    expect(client.connected).toBe(true);
    expect(broker.url).toBe(`mqtt://127.0.0.1:${new URL(broker.url).port}`);
    expect(lines).toMatchObject([{ msg: 'embedded broker listens', port: Number(new URL(broker.url).port) }]);
  });

  it('is found from this machine on the loopback address when it listens on all', async () => {
    const { broker } = await start({ host: '0.0.0.0' });
    expect(broker.url).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
    expect((await connect(broker.url)).connected).toBe(true);
    expect(make({ host: '::', port: 1883 }).broker.url).toBe('mqtt://[::1]:1883');
    expect(make({ host: 'fe80::1', port: 1883 }).broker.url).toBe('mqtt://[fe80::1]:1883');
    expect(make({ host: '192.0.2.1', port: 1883 }).broker.url).toBe('mqtt://192.0.2.1:1883');
  });

  it('lets in whoever knows name and password', async () => {
    const { broker } = await start({ username: 'ann', password: 'secret' });
    expect((await connect(broker.url, { username: 'ann', password: 'secret' })).connected).toBe(true);
  });

  it.each([
    [{}],
    [{ username: 'ann' }],
    [{ username: 'ann', password: '' }],
    [{ username: 'ann', password: 'Secret' }],
    [{ username: 'bob', password: 'secret' }],
    [{ username: '', password: '' }],
  ])('keeps out who comes with %j', async (login) => {
    const { broker } = await start({ username: 'ann', password: 'secret' });
    expect(await rejectionOf(connect(broker.url, login))).toMatchObject({ code: 5 });
  });

  it('lets in everybody where no name is set', async () => {
    const { broker } = await start();
    expect((await connect(broker.url, { username: 'bob', password: 'x' })).connected).toBe(true);
  });

  it('says what to do when its port is taken', async () => {
    const { broker: first } = await start();
    const port = Number(new URL(first.url).port);
    const { broker } = make({ port });
    const error = await rejectionOf(broker.run(new AbortController().signal, () => {}));
    expect(error).toMatchObject({
      code: 'broker-cannot-listen',
      message: `the broker cannot listen on 127.0.0.1:${port}: the port is taken: another broker runs there; set mqtt.url to use that broker, or broker.listen to another port`,
    });
  });

  it('says why when it cannot listen for another reason', async () => {
    const { broker } = make({ host: '192.0.2.1' });
    expect(await rejectionOf(broker.run(new AbortController().signal, () => {}))).toMatchObject({
      code: 'broker-cannot-listen',
      message: expect.stringMatching(/EADDRNOTAVAIL.*broker\.listen/),
    });
  });

  it('lets clients have what is on its way to them before it ends', async () => {
    const { broker, end } = await start();
    const listener = await connect(broker.url);
    await listener.subscribeAsync('#');
    const seen: string[] = [];
    const gone = new Promise<void>((resolve) => listener.once('close', resolve));
    listener.on('message', (_, payload) => seen.push(payload.toString()));
    const sender = await connect(broker.url);
    await sender.publishAsync('t', 'the last word', { qos: 1 });
    await end();
    await gone;
    expect(seen).toEqual(['the last word']);
  });

  /** A connection whose packets a test makes itself, however it likes. */
  async function raw(url: string): Promise<Socket> {
    const socket = connectTcp({ host: '127.0.0.1', port: Number(new URL(url).port) });
    stop.push(async () => void socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  const packet = (one: Packet) => mqttPacket.generate(one);
  const CONNECT: Packet = { cmd: 'connect', protocolId: 'MQTT', clientId: 'raw', clean: true, keepalive: 0 };

  it('closes on a CONNECT that claims to be huge, long before it is there, and serves the others', async () => {
    const { broker, lines } = await start();
    const other = await connect(broker.url);
    const socket = await raw(broker.url);
    const closed = closeOf(socket);
    socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    const chunk = Buffer.alloc(64 * 1024);
    for (let sent = 0; sent < 16; sent++) socket.write(chunk);
    await closed;
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { msg: 'a client sent a packet that is too large; disconnected', bytes: expect.any(Number) },
    ]);
    await other.publishAsync('t', 'still here', { qos: 1 });
  });

  it('takes any number of small packets, and closes on a large one of a client that has logged in', async () => {
    const { broker } = await start();
    const client = await connect(broker.url);
    const payload = Buffer.alloc(1024 * 1024);
    for (let each = 0; each < 8; each++) await client.publishAsync('t', payload, { qos: 1 });
    expect(client.connected).toBe(true);
    const closed = closeOf(client.stream);
    client.on('error', () => {});
    client.publish('t', Buffer.alloc(6 * 1024 * 1024));
    await closed;
  });

  it('takes a burst of large messages from a client that hears them all itself', async () => {
    const { broker, lines } = await start();
    const client = await connect(broker.url);
    await client.subscribeAsync('t', { qos: 1 });
    let seen = 0;
    client.on('message', () => seen++);
    const payload = Buffer.alloc(1024 * 1024);
    await Promise.all(Array.from({ length: 40 }, () => client.publishAsync('t', payload, { qos: 1 })));
    await until(() => seen === 40, 'all of them');
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('never sends a retained message after a newer one of its topic', async () => {
    const { broker } = await start();
    const say = (payload: string) => {
      for (let plug = 0; plug < 100; plug++)
        broker.publish({ topic: `plugs/${plug}`, payload, retain: true, qos: 1 }, () => {});
    };
    say('offline');
    const client = await connect(broker.url);
    const last = new Map<string, string>();
    client.on('message', (topic, payload) => last.set(topic, payload.toString()));
    // Once some of them have been read, and before they are sent.
    broker.onSubscribe(() => void setImmediate(() => say('online')));
    await client.subscribeAsync('plugs/#', { qos: 1 });
    const late = await connect(broker.url);
    await client.subscribeAsync('end');
    await late.publishAsync('end', 'x', { qos: 1 });
    await until(() => last.has('end') && last.size === 101, 'everything');
    last.delete('end');
    expect(new Set(last.values())).toEqual(new Set(['online']));
  });

  it('keeps topics of its own to itself: what a client publishes there is left out, and said', async () => {
    const { broker, lines } = await start();
    const client = await connect(broker.url);
    const seen: string[] = [];
    client.on('message', (topic) => seen.push(topic));
    await client.subscribeAsync(['$SYS/uptime', '#', '$dropped']);
    await client.publishAsync('$SYS/uptime', 'x', { qos: 1, retain: true });
    await client.publishAsync('t', 'x', { qos: 1 });
    await until(() => seen.includes('t'), 'the other message');
    expect(seen.filter((topic) => topic === '$SYS/uptime')).toEqual([]);
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { topic: '$SYS/uptime', msg: 'the broker refuses what a client wants' },
    ]);
  });

  it('disconnects a client that reads nothing, says so once, and keeps nobody else waiting for it', async () => {
    const { broker, lines } = await start();
    const socket = await raw(broker.url);
    socket.write(packet(CONNECT));
    await once(socket, 'data');
    socket.write(packet({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] }));
    await once(socket, 'data');
    socket.pause();
    const reader = await connect(broker.url);
    await reader.subscribeAsync('#');
    let seen = 0;
    reader.on('message', () => seen++);
    const payload = 'x'.repeat(100_000);
    const began = performance.now();
    for (let sent = 1; sent <= 1000; sent++) {
      broker.publish({ topic: 't', payload, retain: false, qos: 0 }, () => {});
      await until(() => seen === sent, 'the one that reads');
    }
    // Within the 10 s for which the other one is waited for.
    expect(performance.now() - began).toBeLessThan(8000);
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { client: 'raw', msg: 'a client does not read what it is sent; disconnected' },
    ]);
  });

  it('is not disturbed by clients that break the protocol in any way', async () => {
    const { broker, lines } = await start();
    const other = await connect(broker.url);
    await other.subscribeAsync('t');
    let seen = 0;
    other.on('message', () => seen++);
    const garbage = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(garbage, fc.boolean(), async (chunks, loggedIn) => {
        const socket = await raw(broker.url);
        if (loggedIn) socket.write(packet(CONNECT));
        for (const chunk of chunks) socket.write(chunk);
        socket.end();
        const before = seen;
        await other.publishAsync('t', 'still here', { qos: 1 });
        await until(() => seen > before, 'the message');
      }),
      { numRuns: 100 },
    );
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('closes connections beyond a thousand, and says so once', async () => {
    const { broker, lines } = await start();
    const sockets: Socket[] = [];
    for (let number = 0; number < 1000; number++) {
      const socket = await raw(broker.url);
      socket.write(packet({ ...CONNECT, clientId: `client ${number}` }));
      await once(socket, 'data');
      sockets.push(socket);
    }
    const closed = await Promise.all(
      [1, 2].map(async () => {
        const socket = connectTcp({ host: '127.0.0.1', port: Number(new URL(broker.url).port) });
        socket.on('error', () => {});
        await closeOf(socket);
        return true;
      }),
    );
    expect(closed).toEqual([true, true]);
    expect(sockets.filter((socket) => socket.destroyed)).toEqual([]);
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { connections: 1000, msg: 'too many connections; closed' },
    ]);
  });

  it('closes the oldest of more than a hundred connections that do not log in, and lets others in meanwhile', async () => {
    const { broker, lines } = await start();
    const idle = await Promise.all(Array.from({ length: 150 }, () => raw(broker.url)));
    await until(() => idle.filter((socket) => socket.destroyed || socket.closed).length >= 50, 'fifty to go');
    expect((await connect(broker.url)).connected).toBe(true);
    expect(idle.filter((socket) => !socket.destroyed).length).toBeGreaterThanOrEqual(99);
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { msg: 'too many connections that do not log in; the oldest closed' },
    ]);
  });

  it('answers a client that speaks MQTT 5 with the code for that, and says which it is', async () => {
    const { broker, lines } = await start();
    const options = { protocolVersion: 5, clientId: 'homeassistant' } as const;
    expect(await rejectionOf(mqtt.connectAsync(broker.url, options))).toMatchObject({ code: 132 });
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { client: 'homeassistant', msg: expect.stringContaining('a client speaks MQTT 5') },
    ]);
  });

  it('ends in time though clients neither log in nor read', async () => {
    const { broker, end } = await start();
    const socket = await raw(broker.url);
    const closed = closeOf(socket);
    const before = performance.now();
    await end();
    await closed;
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

/** Resolves when the stream has closed, whatever it says of why. */
function closeOf(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}
