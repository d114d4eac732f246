import mqtt, { type MqttClient } from 'mqtt';
import type { RetainedOptions } from './retained-message.ts';

/** As the reader of retained messages over TCP, for a broker that is reached over WebSockets: by MQTT.js. */
export async function readRetained(
  broker: URL,
  topic: string,
  { version, tls, username, password, clientId }: RetainedOptions,
  signal: AbortSignal,
): Promise<string> {
  const client = mqtt.connect(broker.href, {
    clientId,
    protocolVersion: version,
    reconnectPeriod: 0,
    ...tls,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  });
  try {
    return await firstMessage(client, topic, signal);
  } finally {
    client.end(true);
  }
}

function firstMessage(client: MqttClient, topic: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    client.on('connect', () => {
      client.subscribe(topic, (error) => {
        if (error !== null) reject(error);
      });
    });
    client.on('message', (_topic, payload) => resolve(payload.toString()));
    client.on('error', reject);
    client.on('close', () => reject(new Error('the connection was closed')));
  });
}
