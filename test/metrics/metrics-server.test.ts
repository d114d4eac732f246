import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MetricsServer, type MetricsServerOptions } from '../../src/metrics/metrics-server.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { FakeBridge } from '../support/fake-bridge.ts';
import { FakeSession } from '../support/fake-session.ts';
import { freePort } from '../support/free-port.ts';
import { Running, Site } from '../support/site.ts';

const TOKEN = 'a-token-that-nobody-guesses';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: { readonly [name: string]: unknown };
  readonly text: string;
}

/** Starts one; what it answers can be asked. */
async function serve(options: Partial<MetricsServerOptions> = {}) {
  const bridge = new FakeBridge('shed3');
  const session = new FakeSession();
  bridge.seen('shed3', true);
  let port = 0;
  const running = new Running((log) => {
    const server = new MetricsServer({
      host: '127.0.0.1',
      port: 0,
      token: undefined,
      bridge,
      session,
      storeProblem: () => null,
      version: '1.2.3',
      clock: new SystemClock(),
      log,
      ...options,
    });
    return [
      {
        name: 'metrics',
        run: (signal, ready) =>
          server.run(signal, () => {
            port = server.port;
            ready();
          }),
      },
    ];
  });
  closing.push(() => running.stop());
  await running.ready;
  return { port, session, running };
}

function ask(port: number, path: string, headers: { [name: string]: string } = {}, method = 'GET') {
  return new Promise<Answer>((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    asking.on('error', reject).end();
  });
}

describe('the server of figures', () => {
  it('serves them in the format of Prometheus', async () => {
    const { port } = await serve();
    const { status, headers, text } = await ask(port, '/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('hs110_power_watts{path="shed3",place=""} 40\n');
    expect(text).toContain('process_resident_memory_bytes ');
  });

  it('says no more than that they are there to HEAD, and nothing to other methods', async () => {
    const { port } = await serve();
    expect(await ask(port, '/metrics', {}, 'HEAD')).toMatchObject({ status: 200, text: '' });
    expect(await ask(port, '/metrics', {}, 'POST')).toMatchObject({ status: 405 });
    expect(await ask(port, '/')).toMatchObject({ status: 404 });
  });

  it('shows them to those who give the token, and to nobody else', async () => {
    const { port } = await serve({ token: TOKEN });
    for (const authorization of [undefined, 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, TOKEN]) {
      const headers = authorization === undefined ? {} : { authorization };
      const { status, headers: said, text } = await ask(port, '/metrics', headers);
      expect(status).toBe(401);
      expect(said['www-authenticate']).toContain('Bearer');
      expect(text).not.toContain('hs110_');
    }
    expect(await ask(port, '/metrics', { authorization: `Bearer ${TOKEN}` })).toMatchObject({ status: 200 });
  });

  it('is not asked by a web page that gives its own name this address', async () => {
    const { port } = await serve();
    expect(await ask(port, '/metrics', { host: 'evil.example' })).toMatchObject({ status: 421 });
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:9110'])
      expect(await ask(port, '/metrics', { host })).toMatchObject({ status: 200 });
  });

  it('is healthy while it runs, and ready while commands reach the bridge; without a token', async () => {
    const { port, session } = await serve({ token: TOKEN });
    expect(await ask(port, '/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await ask(port, '/readyz')).toMatchObject({ status: 200, text: 'ready\n' });
    session.status = 'connected';
    expect(await ask(port, '/readyz')).toMatchObject({
      status: 503,
      text: 'the broker lets no commands through\n',
    });
    session.status = 'away';
    expect(await ask(port, '/readyz')).toMatchObject({ status: 503, text: 'not connected to the broker\n' });
    expect(await ask(port, '/healthz')).toMatchObject({ status: 200 });
  });

  it('says what to do when its port is taken', async () => {
    const { port } = await serve();
    const other = new Running((log) => [
      new MetricsServer({
        host: '127.0.0.1',
        port,
        token: undefined,
        bridge: new FakeBridge(),
        session: new FakeSession(),
        storeProblem: () => null,
        version: '',
        clock: new SystemClock(),
        log,
      }),
    ]);
    await expect(other.ended).rejects.toThrow(
      `figures cannot be served on 127.0.0.1:${port}: the port is taken; set metrics.listen to another address`,
    );
  });

  it('stops although clients hold connections', async () => {
    const { port, running } = await serve();
    const client = connect(port, '127.0.0.1');
    await new Promise((resolve) => client.once('connect', resolve));
    client.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n');
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.on('error', () => {});
    await running.stop();
    await closed;
  });
});

describe('a bridge that is to serve figures', () => {
  it('serves those of its plugs', async () => {
    const port = await freePort();
    await using site = await Site.open(['east-wing/lamp-1'], { metrics: { listen: `127.0.0.1:${port}` } });
    await site.observer.message('museum/east-wing/lamp-1/availability', (payload) => payload === 'online');
    const after = await site.observer.say('museum/east-wing/lamp-1/set', 'ON');
    await site.observer.message('museum/east-wing/lamp-1/result', () => true, after);
    const { text } = await ask(port, '/metrics');
    expect(text).toContain('hs110_relay_on{path="east-wing/lamp-1",place="east-wing"} 1\n');
    expect(text).toContain('hs110_commands_total{outcome="confirmed"} 1\n');
    expect(text).toContain('hs110_mqtt_subscribed 1\n');
    expect(text).toMatch(/^hs110_exchange_duration_seconds_count [1-9]/m);
    expect(await ask(port, '/readyz')).toMatchObject({ status: 200 });
  });
});
