import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { BridgeError, messageOf } from '../errors.ts';
import { nearUrl } from '../mqtt/near-url.ts';
import { type RetainedOptions, readRetained } from '../mqtt/retained-message.ts';
import { Topics } from '../mqtt/topics.ts';
import { parseObject, textAt } from '../protocol/json.ts';
import { examples } from './arguments.ts';
import { type Flags, sourcesOf } from './flags.ts';
import { interrupted } from './input.ts';
import type { Shell } from './shell.ts';

/** How long brokers may take to say how the bridge is; a container's health check allows twice that. */
const ANSWER_MS = 5000;

/** How long the others may take once one of several brokers has said that the bridge is online. */
const OTHERS_MS = 1000;

/** Adds `health`: the health check of a container. */
export function addHealthVerb(program: Command, shell: Shell, flags: Flags): void {
  program
    .command('health')
    .description('ask the broker whether the bridge is online; takes the same options as the bridge')
    .addHelpText('after', examples('hs110-mqtt health', 'hs110-mqtt health --config museum.yaml'))
    .action(() => health(shell, flags));
}

/** What one broker knows of the bridge. */
interface Answer {
  readonly host: string;
  readonly state: string;
  /** When the bridge connected to this broker, ISO 8601; empty if that is not known. */
  readonly connectedAt: string;
}

/**
 * Asks the broker whether a bridge so configured is there, and rejects unless it says `online`. The broker says
 * `offline` for the bridge when that dies, and when it hangs for longer than its keepalive. Of several brokers, all
 * asked at once, the one counts to which the bridge connected last: another may never have heard that it left.
 */
async function health(shell: Shell, flags: Flags): Promise<void> {
  const config = loadConfig(sourcesOf(shell, flags()));
  const topics = new Topics(config.mqtt.baseTopic);
  const urls = (config.mqtt.url ?? [nearUrl(config.broker.listen)]).map((url) => new URL(url));
  const problems: string[] = [];
  const answers: Answer[] = [];
  const late = new AbortController();
  const timer = shell.clock.timer(() => late.abort(new Error(`nothing came within ${ANSWER_MS / 1000} s`)));
  timer.set(ANSWER_MS);
  const signal = AbortSignal.any([late.signal, shell.signal]);
  const read = (url: URL, topic: string) => readTopic(url, topic, readOptions(config, shell), signal);
  const ask = async (url: URL) => {
    const { host } = url;
    try {
      const [state, info] = await Promise.all([
        read(url, topics.bridgeState),
        urls.length > 1 ? read(url, topics.bridgeInfo) : '{}',
      ]);
      const { clientId, connectedAt } = infoIn(info);
      if (isAnother(clientId, config)) problems.push(`another bridge is at ${host}: ${clientId}`);
      else answers.push({ host, state, connectedAt });
      if (state === 'online') timer.set(OTHERS_MS);
    } catch (error) {
      if (isKeptOut(error, config)) answers.push({ host, state: 'online', connectedAt: '' });
      else problems.push(`the broker ${host} has no answer for ${topics.bridgeState}: ${messageOf(error)}`);
    }
  };
  await Promise.all(urls.map(ask));
  timer.clear();
  if (shell.signal.aborted) throw interrupted();
  const [latest] = answers.sort((one, other) => (one.connectedAt < other.connectedAt ? 1 : -1));
  if (latest?.state === 'online') {
    shell.print(`${topics.bridgeState} at ${latest.host} is online`);
    return;
  }
  for (const { host, state } of answers)
    problems.push(`${topics.bridgeState} at ${host} is ${JSON.stringify(state.slice(0, 40))}, not online`);
  throw new BridgeError('unhealthy', problems.join('; '));
}

/** The message that the broker holds on `topic`. */
async function readTopic(
  broker: URL,
  topic: string,
  options: RetainedOptions,
  signal: AbortSignal,
): Promise<string> {
  const read = isWebSocket(broker)
    ? (await import('../mqtt/retained-websocket.ts')).readRetained
    : readRetained;
  return await read(broker, topic, options, signal);
}

/** What `bridge/info` says about the connection. */
function infoIn(text: string): { clientId: string | undefined; connectedAt: string } {
  const info = parseObject(text);
  return { clientId: textAt(info, 'client_id'), connectedAt: textAt(info, 'connected_at') ?? '' };
}

/** Whether a bridge with another client id than the configured one has that base topic. */
function isAnother(clientId: string | undefined, { mqtt }: Config): boolean {
  return mqtt.clientId !== undefined && clientId !== undefined && clientId !== mqtt.clientId;
}

/**
 * Whether the embedded broker has hashed passwords only, which this check cannot give: it runs within the bridge, and
 * answers while that is there.
 */
function isKeptOut(error: unknown, { mqtt, broker }: Config): boolean {
  const hasLogin = mqtt.url !== undefined || broker.username !== undefined || broker.users === undefined;
  return !hasLogin && error instanceof BridgeError && error.code === 'login-refused';
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
