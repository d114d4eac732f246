import { connect as connectTcp } from 'node:net';
import mqtt, { type IClientOptions } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Broker } from '../../src/mqtt/broker.ts';
import type { ListenerOptions } from '../../src/mqtt/broker-listener.ts';
import { brokerOptions } from '../support/broker-options.ts';
import { Certificates } from '../support/certificates.ts';
import { memoryLog } from '../support/memory-log.ts';
import { RunningTask } from '../support/running-task.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';

const certificates = new Certificates();
const HOST = '127.0.0.1';

describe('the embedded broker listens', () => {
  const stops: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  /** A broker that listens there too; resolves with the port. */
  async function start(options: Omit<ListenerOptions, 'host' | 'port' | 'option'>) {
    const { log, lines } = memoryLog();
    const { listeners, ...rest } = brokerOptions(log);
    const other = { host: HOST, port: 0, option: 'broker.other', ...options };
    const broker = new Broker({ ...rest, listeners: [listeners[0], other] });
    const task = new RunningTask(broker);
    stops.push(() => task.stop());
    await until(() => task.ready === 1, 'the broker');
    const port = lines.filter(({ msg }) => msg === 'embedded broker listens').map((line) => line.port)[1];
    return { broker, lines, port: Number(port) };
  }

  /** Publishes over one address what a client at the other one hears. */
  async function talks(broker: Broker, url: string, options: IClientOptions = {}): Promise<boolean> {
    const plain = await mqtt.connectAsync(broker.url);
    const other = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
    stops.push(
      () => plain.endAsync(true),
      () => other.endAsync(true),
    );
    let heard = 0;
    for (const client of [plain, other]) {
      client.on('message', () => heard++);
      await client.subscribeAsync('t', { qos: 1 });
    }
    await plain.publishAsync('t', 'x', { qos: 1 });
    await other.publishAsync('t', 'x', { qos: 1 });
    await until(() => heard === 4, 'both to hear both');
    return true;
  }

  const { ca } = certificates;
  const tls = { ...certificates.server, ca: undefined };

  it('for TLS', async () => {
    const { broker, port } = await start({ tls });
    expect(await talks(broker, `mqtts://${HOST}:${port}`, { ca })).toBe(true);
    expect(await rejectionOf(mqtt.connectAsync(`mqtts://${HOST}:${port}`))).toBeInstanceOf(Error);
  });

  it('for TLS to clients that have a certificate of that authority', async () => {
    const { broker, port } = await start({ tls: { ...tls, ca } });
    const url = `mqtts://${HOST}:${port}`;
    expect(await talks(broker, url, { ca, ...certificates.client })).toBe(true);
    expect(await rejectionOf(mqtt.connectAsync(url, { ca, reconnectPeriod: 0 }, false))).toBeInstanceOf(
      Error,
    );
  });

  it('for WebSockets, with and without TLS', async () => {
    const plain = await start({ webSocket: true });
    expect(await talks(plain.broker, `ws://${HOST}:${plain.port}`)).toBe(true);
    const secure = await start({ webSocket: true, tls });
    expect(await talks(secure.broker, `wss://${HOST}:${secure.port}`, { ca })).toBe(true);
  });

  it('for WebSockets, and closes on a message or a packet that is too large', async () => {
    const { port, broker } = await start({ webSocket: true });
    const socket = new WebSocket(`ws://${HOST}:${port}`, 'mqtt');
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.send(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    for (let sent = 0; sent < 3; sent++) socket.send(Buffer.alloc(30_000));
    await closed;
    expect(await talks(broker, `ws://${HOST}:${port}`)).toBe(true);
  });

  it('for WebSockets, and tells what speaks HTTP only that it is wrong', async () => {
    const { port } = await start({ webSocket: true });
    expect((await fetch(`http://${HOST}:${port}/`)).status).toBe(426);
  });

  it('for TLS, undisturbed by connections that never begin with it', async () => {
    const { broker, port } = await start({ tls });
    const idle = Array.from({ length: 120 }, () => connectTcp({ host: HOST, port }));
    for (const socket of idle) socket.on('error', () => {});
    stops.push(async () => idle.forEach((socket) => void socket.destroy()));
    await until(() => idle.filter((socket) => socket.closed).length >= 20, 'the oldest to be closed');
    const garbage = connectTcp({ host: HOST, port });
    garbage.on('error', () => {});
    garbage.end('GET / HTTP/1.0\r\n\r\n');
    expect(await talks(broker, `mqtts://${HOST}:${port}`, { ca })).toBe(true);
  });

  it('nowhere if one of its ports is taken, and says which', async () => {
    const { port } = await start({ tls });
    const { listeners, ...rest } = brokerOptions(memoryLog().log);
    const taken = { host: HOST, port, option: 'broker.tls.listen', tls };
    const broker = new Broker({ ...rest, listeners: [listeners[0], taken] });
    expect(await rejectionOf(broker.run(new AbortController().signal, () => {}))).toMatchObject({
      code: 'broker-cannot-listen',
      message: expect.stringContaining('or broker.tls.listen to another port'),
    });
  });
});
