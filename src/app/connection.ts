import type { Config } from '../config/schema.ts';
import type { Broker } from '../mqtt/broker.ts';
import { EmbeddedSession } from '../mqtt/embedded-session.ts';
import { NetworkSession, type NetworkSessionOptions } from '../mqtt/network-session.ts';
import type { MqttSession, SessionMemory } from '../mqtt/session.ts';
import type { Topics } from '../mqtt/topics.ts';
import type { Task } from '../runtime/supervisor.ts';
import type { Store } from '../store/store.ts';
import type { Surroundings } from './surroundings.ts';

/** The way to the broker: its own one the bridge need not connect to. */
export function sessionFor(
  broker: Broker | undefined,
  config: Config,
  { topics, store }: { topics: Topics; store: Store },
  surroundings: Surroundings,
): MqttSession & Task {
  if (broker === undefined) return new NetworkSession(sessionOptions(config, topics, store, surroundings));
  const { clock, log } = surroundings;
  return new EmbeddedSession({ broker, stateTopic: topics.bridgeState, clock, log });
}

/** The broker keeps commands for a client of that name, over restarts: it must always be the same. */
function sessionMemory(store: Store, configured: string | undefined, random: () => number): SessionMemory {
  const number = Math.floor(random() * 0xffff_ffff);
  const made = store.fact('client id') ?? `hs110-mqtt-${number.toString(16).padStart(8, '0')}`;
  if (configured === undefined) store.keepFact('client id', made);
  return {
    clientId: configured ?? made,
    isIdChosen: configured !== undefined,
    filters: () => store.fact('subscriptions') ?? null,
    rememberFilters: (key) => store.keepFact('subscriptions', key),
  };
}

function sessionOptions(
  { mqtt, command }: Config,
  topics: Topics,
  store: Store,
  surroundings: Surroundings,
): NetworkSessionOptions {
  const { clock, random, log, readFile } = surroundings;
  const file = (path: string | undefined) => (path === undefined ? undefined : readFile(path));
  return {
    brokers: mqtt.url ?? [],
    version: mqtt.version,
    session: sessionMemory(store, mqtt.clientId, random),
    sessionExpiryMs: command.ttl,
    username: mqtt.username,
    password: mqtt.password,
    ca: file(mqtt.ca),
    cert: file(mqtt.cert),
    key: file(mqtt.key),
    rejectUnauthorized: mqtt.rejectUnauthorized,
    keepaliveS: Math.ceil(mqtt.keepalive / 1000),
    exitOnRefusedLogin: mqtt.onLoginRefused === 'exit',
    stateTopic: topics.bridgeState,
    clock,
    random,
    log,
  };
}
