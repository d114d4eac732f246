import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { BridgeError, messageOf } from '../errors.ts';
import { nearUrl } from '../mqtt/broker.ts';
import { type RetainedOptions, readRetained } from '../mqtt/retained-message.ts';
import { Topics } from '../mqtt/topics.ts';
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
 * `offline` for the bridge when that dies, and when it hangs for longer than its keepalive.
 */
async function health(shell: Shell, flags: Flags): Promise<void> {
  const config = loadConfig(sourcesOf(shell, flags()));
  const topic = new Topics(config.mqtt.baseTopic).bridgeState;
  const urls = config.mqtt.url ?? [nearUrl(config.broker.listen)];
  const problems: string[] = [];
  for (const url of urls) {
    const { host } = new URL(url);
    try {
      const state = await readState(new URL(url), topic, config, shell);
      if (state === 'online') {
        shell.print(`${topic} at ${host} is online`);
        return;
      }
      problems.push(`${topic} at ${host} is ${JSON.stringify(state.slice(0, 40))}, not online`);
    } catch (error) {
      if (shell.signal.aborted) throw interrupted();
      problems.push(`the broker ${host} has no answer for ${topic}: ${messageOf(error)}`);
    }
  }
  throw new BridgeError('unhealthy', problems.join('; '));
}

/** The message that the broker holds on `topic`. */
async function readState(broker: URL, topic: string, config: Config, shell: Shell): Promise<string> {
  const late = new AbortController();
  const timer = shell.clock.timer(() => late.abort(new Error(`nothing came within ${ANSWER_MS / 1000} s`)));
  timer.set(ANSWER_MS);
  try {
    const read = isWebSocket(broker)
      ? (await import('../mqtt/retained-websocket.ts')).readRetained
      : readRetained;
    return await read(
      broker,
      topic,
      readOptions(config, shell),
      AbortSignal.any([late.signal, shell.signal]),
    );
  } finally {
    timer.clear();
  }
}

function isWebSocket({ protocol }: URL): boolean {
  return protocol === 'ws:' || protocol === 'wss:';
}

function readOptions({ mqtt, broker }: Config, { readFile, random }: Shell): RetainedOptions {
  const { username, password } = mqtt.url === undefined ? broker : mqtt;
  return {
    username,
    password,
    // No name that is configured: under the bridge's name it would take the bridge's place at the broker.
    clientId: `hs110-health-${Math.floor(random() * 0xffff_ffff).toString(16)}`,
    version: mqtt.version === '5' ? 5 : 4,
    tls: {
      rejectUnauthorized: mqtt.rejectUnauthorized,
      ...(mqtt.ca === undefined ? {} : { ca: readFile(mqtt.ca) }),
      ...(mqtt.cert === undefined ? {} : { cert: readFile(mqtt.cert) }),
      ...(mqtt.key === undefined ? {} : { key: readFile(mqtt.key) }),
    },
  };
}
