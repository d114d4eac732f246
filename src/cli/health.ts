import type { Command } from 'commander';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { BridgeError, messageOf } from '../errors.ts';
import { createLog } from '../log.ts';
import { Broker } from '../mqtt/broker.ts';
import { Topics } from '../mqtt/topics.ts';
import { sleep } from '../runtime/clock.ts';
import { examples } from './arguments.ts';
import { type Flags, sourcesOf } from './flags.ts';
import { interrupted } from './input.ts';
import type { Shell } from './shell.ts';

/** How long a broker may take to say how the bridge is; a container's health check allows twice that. */
const ANSWER_MS = 5000;

/** Adds `health`: the health check of a container. */
export function addHealthVerb(program: Command, shell: Shell, flags: Flags): void {
  program
    .command('health')
    .description('ask the broker whether the bridge is online; takes the same options as the bridge')
    .addHelpText('after', examples('hs110-mqtt health', 'hs110-mqtt health --config museum.yaml'))
    .action(() => health(shell, flags));
}

/**
 * Asks the broker whether a bridge so configured is there, and rejects unless it says `online`. The broker says
 * `offline` in the bridge's stead when the bridge dies, and when it hangs for longer than its keepalive.
 */
async function health(shell: Shell, flags: Flags): Promise<void> {
  const config = loadConfig(sourcesOf(shell, flags()));
  const topic = new Topics(config.mqtt.baseTopic).bridgeState;
  const urls = config.mqtt.url ?? [await embeddedUrl(config, shell)];
  const complaints: string[] = [];
  for (const url of urls) {
    const { host } = new URL(url);
    try {
      const state = await readRetained(url, topic, config, shell);
      if (state === 'online') {
        shell.print(`${topic} at ${host} is online`);
        return;
      }
      complaints.push(`${topic} at ${host} is ${JSON.stringify(state.slice(0, 40))}, not online`);
    } catch (error) {
      if (shell.signal.aborted) throw interrupted();
      complaints.push(`the broker ${host} does not tell ${topic}: ${messageOf(error)}`);
    }
  }
  throw new BridgeError('unhealthy', complaints.join('; '));
}

/** Where the bridge's own broker is found. */
async function embeddedUrl({ broker }: Config, shell: Shell): Promise<string> {
  const { username, password } = broker;
  const log = await createLog({ level: 'silent', format: 'json' }, shell.complain);
  return new Broker({ ...broker.listen, username, password, clock: shell.clock, log }).url;
}

/** The message that the broker holds on `topic`. */
async function readRetained(url: string, topic: string, config: Config, shell: Shell): Promise<string> {
  const done = new AbortController();
  const client = mqtt.connect(url, clientOptions(config, shell));
  const late = sleep(shell.clock, ANSWER_MS, AbortSignal.any([done.signal, shell.signal])).then(() => {
    throw new Error(`nothing came within ${ANSWER_MS / 1000} s`);
  });
  try {
    return await Promise.race([firstMessage(client, topic), late]);
  } finally {
    late.catch(() => {});
    done.abort();
    client.end(true);
  }
}

function clientOptions({ mqtt, broker }: Config, { readFile }: Shell): IClientOptions {
  const { username, password } = mqtt.url === undefined ? broker : mqtt;
  return {
    // No name of its own: under the bridge's name it would take the bridge's place at the broker.
    protocolVersion: mqtt.version === '5' ? 5 : 4,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: ANSWER_MS,
    rejectUnauthorized: mqtt.rejectUnauthorized,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(mqtt.ca === undefined ? {} : { ca: readFile(mqtt.ca) }),
    ...(mqtt.cert === undefined ? {} : { cert: readFile(mqtt.cert) }),
    ...(mqtt.key === undefined ? {} : { key: readFile(mqtt.key) }),
  };
}

function firstMessage(client: MqttClient, topic: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.on('connect', () => {
      client.subscribe(topic, { qos: 1 }, (error) => {
        if (error !== null) reject(error);
      });
    });
    client.on('message', (_topic, payload) => resolve(payload.toString()));
    client.on('error', (error) => {
      // Where several addresses were tried, the error itself says nothing.
      reject(error.message === '' && 'code' in error ? new Error(String(error.code)) : error);
    });
    client.on('close', () => reject(new Error('the connection was closed')));
  });
}
