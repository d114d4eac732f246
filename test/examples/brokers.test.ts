import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { TestedBroker } from '../brokers/broker.ts';
import { secureMosquitto } from '../brokers/mosquitto.ts';
import { Certificates } from '../support/certificates.ts';
import { noMosquitto } from '../support/mosquitto.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/brokers/', import.meta.url));

if (noMosquitto !== undefined)
  process.stderr.write(`The tests of the examples for Mosquitto are skipped: ${noMosquitto}.\n`);

describe('the example of a configuration', () => {
  const { server } = new Certificates();
  const readFile = (path: string) => (path.endsWith('.key') ? server.key : server.cert);

  it.each([
    'embedded.yaml',
    'mosquitto/bridge.yaml',
    'mochi/bridge.yaml',
    'nats/bridge.yaml',
    'rabbitmq/bridge.yaml',
  ])('%s is right', (name) => {
    const text = readFileSync(EXAMPLES + name, 'utf8');
    // The examples leave the password to the environment.
    const env = text.includes('username: bridge') ? { HS110_MQTT_MQTT_PASSWORD: 'change me' } : {};
    const config = loadConfig({ file: { name, text }, env, flags: new Map(), readFile });
    expect(config.warnings).toEqual([]);
  });
});

describe.skipIf(noMosquitto !== undefined)('the example for Mosquitto', () => {
  let broker: TestedBroker;
  const clients: MqttClient[] = [];

  beforeAll(async () => {
    broker = await secureMosquitto();
    await broker.start(true);
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.endAsync(true);
  });

  afterAll(() => broker.dispose());

  async function connect(options: IClientOptions): Promise<MqttClient> {
    const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${broker.clientPort}`, options, false);
    clients.push(client);
    return client;
  }

  it('lets the bridge say and hear its own topics, and those of discovery, and nothing else', async () => {
    const client = await connect({ ...broker.client, protocolVersion: 5, reconnectPeriod: 0 });
    const seen: string[] = [];
    client.on('message', (topic) => seen.push(topic));
    await client.subscribeAsync(['museum/#', 'homeassistant/#', 'other/#'], { qos: 1 });
    for (const topic of ['museum/lamp/state', 'homeassistant/device/x/config'])
      await client.publishAsync(topic, 'x', { qos: 1 });
    expect(await rejectionOf(client.publishAsync('other/topic', 'x', { qos: 1 }))).toMatchObject({
      code: 135,
    });
    await until(() => seen.length === 2, 'both');
    expect(seen).toEqual(['museum/lamp/state', 'homeassistant/device/x/config']);
  });

  it('lets in nobody without a certificate', async () => {
    const { ca } = broker.client;
    expect(
      await rejectionOf(connect({ ...(ca === undefined ? {} : { ca }), reconnectPeriod: 0 })),
    ).toBeInstanceOf(Error);
  });
});
