import mqtt from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker } from '../../src/mqtt/broker.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { rejectionOf } from '../support/thrown.ts';

describe('the embedded broker', () => {
  const stop: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const one of stop.splice(0).reverse()) await one();
  });

  function make(options: { host?: string; port?: number; username?: string; password?: string } = {}) {
    const { host = '127.0.0.1', port = 0, username, password } = options;
    const { log, lines } = memoryLog();
    const broker = new Broker({ host, port, username, password, clock: new SystemClock(), log });
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
});
