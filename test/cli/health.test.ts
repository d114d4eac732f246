import { createServer } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { Broker } from '../../src/mqtt/broker.ts';
import { brokerOptions } from '../support/broker-options.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { Running, Site, startBroker } from '../support/site.ts';
import { until } from '../support/until.ts';

/** Nobody listens there. */
const NOWHERE = 'mqtt://127.0.0.1:1';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('the verb health', () => {
  it('is content while the bridge is online, and says so', async () => {
    const site = await Site.open(['shed3']);
    closing.push(() => site.close());
    await site.observer.message('museum/bridge/state', (payload) => payload === 'online');

    const shell = new FakeShell();
    expect(await shell.run('health', '--mqtt-url', site.url)).toBe(0);
    expect(shell.output).toBe(`museum/bridge/state at ${new URL(site.url).host} is online`);
    expect(shell.errors).toBe('');
  });

  it('fails with one sentence once the bridge has gone', async () => {
    const site = await Site.open(['shed3']);
    closing.push(() => site.close());
    await site.bridge.stop();
    await site.observer.message('museum/bridge/state', (payload) => payload === 'offline');

    const shell = new FakeShell();
    expect(await shell.run('health', '--mqtt-url', site.url)).toBe(1);
    expect(shell.errorLines).toEqual([
      `hs110-mqtt: museum/bridge/state at ${new URL(site.url).host} is "offline", not online`,
    ]);
  });

  it('leaves the bridge connected, even when both are given the same client id', async () => {
    const site = await Site.open(['shed3'], { mqtt: { clientId: 'museum-bridge' } });
    closing.push(() => site.close());
    await site.observer.message('museum/bridge/state', (payload) => payload === 'online');

    const shell = new FakeShell();
    expect(await shell.run('health', '--mqtt-url', site.url, '--mqtt-client-id', 'museum-bridge')).toBe(0);
    expect(site.bridge.lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('fails when there never was a bridge, after five seconds', async () => {
    const { running, url } = await startBroker(0);
    closing.push(() => running.stop());
    const clock = new ManualClock();

    const shell = new FakeShell({ clock });
    const code = shell.run('health', '--mqtt-url', url);
    await until(() => clock.armed > 0, 'the check to begin');
    await clock.advance(4999);
    expect(shell.errorLines).toEqual([]);
    await clock.advance(1);
    expect(await code).toBe(1);
    expect(shell.errors).toContain('has no answer for museum/bridge/state: nothing came within 5 s');
    expect(clock.armed).toBe(0);
  });

  it('fails when the broker cannot be reached, and asks the other brokers too', async () => {
    const shell = new FakeShell();
    expect(await shell.run('health', '--mqtt-url', NOWHERE)).toBe(1);
    expect(shell.errors).toContain('ECONNREFUSED');

    const site = await Site.open(['shed3']);
    closing.push(() => site.close());
    await site.observer.message('museum/bridge/state', (payload) => payload === 'online');
    expect(await shell.run('health', '--mqtt-url', `${NOWHERE},${site.url}`)).toBe(0);
  });

  it('believes the one of several brokers at which the bridge was last', async () => {
    const [left, current] = [await startBroker(0), await startBroker(0)];
    closing.push(
      () => left.running.stop(),
      () => current.running.stop(),
    );
    const urls = `${left.url},${current.url}`;
    // The bridge was killed while the first broker was away, which has thus never heard that it left.
    await hold(left.url, 'online', { client_id: 'bridge', connected_at: '2026-01-01T10:00:00.000Z' });
    await hold(current.url, 'offline', { client_id: 'bridge', connected_at: '2026-01-01T11:00:00.000Z' });
    const shell = new FakeShell();
    expect(await shell.run('health', '--mqtt-url', urls)).toBe(1);
    expect(shell.errors).toContain(`${new URL(current.url).host} is "offline", not online`);

    await hold(current.url, 'online', { client_id: 'bridge', connected_at: '2026-01-01T12:00:00.000Z' });
    expect(await shell.run('health', '--mqtt-url', urls)).toBe(0);
    expect(shell.output).toContain(`at ${new URL(current.url).host} is online`);
    expect(await shell.run('health', '--mqtt-url', urls, '--mqtt-client-id', 'ours')).toBe(1);
    expect(shell.errors).toContain(`another bridge is at ${new URL(current.url).host}: bridge`);
  });

  it('is not kept waiting by brokers that say nothing', async () => {
    const silent = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const mute = `mqtt://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    closing.push(() => new Promise((resolve) => silent.close(resolve)));
    const { running, url } = await startBroker(0);
    closing.push(() => running.stop());
    await hold(url, 'online', { client_id: 'bridge', connected_at: '2026-01-01T10:00:00.000Z' });
    const shell = new FakeShell();
    expect(await shell.run('health', '--mqtt-url', `${mute},${mute},${url}`)).toBe(0);
  });

  it('fails when a certificate that it needs cannot be read', async () => {
    const shell = new FakeShell();
    expect(await shell.run('health', '--mqtt-url', 'mqtts://127.0.0.1:1', '--mqtt-ca', 'ca.pem')).toBe(2);
    expect(shell.errors).toContain('--mqtt-ca: mqtt.ca names a file that cannot be read: ENOENT');
  });

  it('finds the embedded broker by the configuration file, and logs in there', async () => {
    const { port } = await startClosedBroker();
    const config = (password: string) =>
      stringify({ broker: { listen: `127.0.0.1:${port}`, username: 'curator', password } });
    const shell = new FakeShell({
      files: { 'right.yaml': config('paintings'), 'wrong.yaml': config('sculptures') },
    });

    expect(await shell.run('health', '--config', 'right.yaml')).toBe(0);
    expect(await shell.run('health', '--config', 'wrong.yaml')).toBe(1);
    expect(shell.errors).toContain('Not authorized');
  });

  it('takes the answer of an embedded broker that has hashed passwords only for what it is', async () => {
    const { port } = await startClosedBroker();
    const hash = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
    const users = [{ name: 'curator', password: hash }];
    const text = stringify({ broker: { listen: `127.0.0.1:${port}`, users } });
    const shell = new FakeShell({ files: { 'users.yaml': text } });
    expect(await shell.run('health', '--config', 'users.yaml')).toBe(0);
  });

  it('ends at once when it is interrupted', async () => {
    const { running, url } = await startBroker(0);
    closing.push(() => running.stop());
    const clock = new ManualClock();
    const shell = new FakeShell({ clock });
    const code = shell.run('health', '--mqtt-url', url);
    await until(() => clock.armed > 0, 'the check to begin');
    shell.interrupt();
    expect(await code).toBe(1);
    expect(shell.errorLines).toEqual([]);
  });
});

/** Lets the broker hold what a bridge has said of itself. */
async function hold(url: string, state: string, info: object): Promise<void> {
  const client: MqttClient = await mqtt.connectAsync(url);
  await client.publishAsync('museum/bridge/state', state, { retain: true, qos: 1 });
  await client.publishAsync('museum/bridge/info', JSON.stringify(info), { retain: true, qos: 1 });
  await client.endAsync();
}

/** A broker that wants a password, and holds the state of a bridge that is online. */
async function startClosedBroker(): Promise<{ port: number }> {
  const login = { username: 'curator', password: 'paintings' };
  let broker: Broker | undefined;
  const running = new Running((log) => {
    broker = new Broker(brokerOptions(log, login));
    return [broker];
  });
  await running.ready;
  closing.push(() => running.stop());
  const url = broker?.url ?? '';
  const client: MqttClient = await mqtt.connectAsync(url, login);
  await client.publishAsync('museum/bridge/state', 'online', { retain: true, qos: 1 });
  await client.endAsync();
  return { port: Number(new URL(url).port) };
}
