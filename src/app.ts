import type { Logger } from 'pino';
import { Requests } from './api/requests.ts';
import { Bridge, type PlugSpec } from './bridge/bridge.ts';
import { Finder } from './bridge/finder.ts';
import { Memory } from './bridge/memory.ts';
import { placesOf } from './bridge/places.ts';
import { BARE_PLUG, type Config, type PlaceConfig, type PlugConfig } from './config/schema.ts';
import type { Endpoint } from './config/types.ts';
import { Announcer } from './homeassistant/announcer.ts';
import { Broker } from './mqtt/broker.ts';
import { CommandListener } from './mqtt/command-listener.ts';
import { EmbeddedSession } from './mqtt/embedded-session.ts';
import { Health } from './mqtt/health.ts';
import { Inventory } from './mqtt/inventory.ts';
import { NetworkSession, type NetworkSessionOptions } from './mqtt/network-session.ts';
import { pathsByAlias } from './mqtt/plug-paths.ts';
import { RequestListener } from './mqtt/request-listener.ts';
import { type MqttSession, volatileSessionMemory } from './mqtt/session.ts';
import { StatePublisher } from './mqtt/state-publisher.ts';
import { Topics } from './mqtt/topics.ts';
import { broadcastAddresses, discover, type FoundPlug, PLUG_PORT } from './plug/discovery.ts';
import { PlugClient } from './plug/plug-client.ts';
import { Resolver } from './plug/resolver.ts';
import { TcpTransport } from './plug/tcp-transport.ts';
import type { Clock } from './runtime/clock.ts';
import type { Task } from './runtime/supervisor.ts';
import { readMemory, StateFile } from './state-file.ts';

/** What the program is made of that is not configured. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly version: string;
  /** Reads the text of a certificate or key. */
  readonly readFile: (path: string) => string;
}

/** How long a change made at an enforced plug may stand unless configured. */
const ENFORCE_AFTER_MS = 2000;

/** How long plugs are looked for at a time. */
const SEARCH_MS = 3000;

/** Builds everything that runs, in the order in which it starts; it stops in reverse. */
export function buildApp(config: Config, surroundings: Surroundings): Task[] {
  const { clock, random, log } = surroundings;
  const topics = new Topics(config.mqtt.baseTopic);
  const broker = config.mqtt.url === undefined ? embeddedBroker(config, surroundings) : undefined;
  const session = sessionFor(broker, config, topics, surroundings);
  const stateFile = config.dataDir === 'off' ? undefined : (config.stateFile ?? './hs110-mqtt.state.json');
  const memory = stateFile === undefined ? new Memory() : readMemory(stateFile, clock, log);
  const resolver = new Resolver(clock, random);
  const bridge = new Bridge({
    plugs: config.plugs.map((plug) => plugSpec(plug, config, clock, resolver)),
    staggerMs: new Map(
      Object.entries(config.places).flatMap(([path, { stagger }]) =>
        stagger === undefined ? [] : [[path, stagger]],
      ),
    ),
    memory,
    clockKeeping: {
      keep: config.clock.sync,
      toleranceMs: config.clock.tolerance,
      timeZone: config.clock.timeZone,
    },
    clock,
    random,
    log,
    ttlMs: config.command.ttl,
    concurrency: config.command.concurrency,
  });
  const { output, heartbeat } = config.mqtt;
  const publisher = new StatePublisher({ bridge, session, topics, clock, output, heartbeatMs: heartbeat });
  const responseTopics = {
    discoveryPrefix: config.homeassistant.prefix,
    responsePrefix: config.mqtt.responsePrefix,
  };
  const listener = new CommandListener({
    bridge,
    session,
    topics,
    responseTopics,
    ttlMs: config.command.ttl,
    clock,
    log,
  });
  const finder = finderFor(config, topics, bridge, memory, { ...surroundings, resolver });
  const timeZone = config.clock.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const allow = new Set(config.allow);
  const search = () => finder.search();
  const requests = new Requests({ bridge, allow, search, timeZone, clock, log });
  publishInfo(session, topics, config, surroundings);
  return [
    ...(stateFile === undefined ? [] : [new StateFile({ path: stateFile, memory, clock, log })]),
    ...(broker === undefined ? [] : [broker]),
    session,
    publisher,
    announcer(config, { bridge, session, topics, publisher }, surroundings),
    new Inventory({ bridge, session, topics, clock }),
    new Health({ bridge, session, topics, outcomes: listener.outcomes, clock }),
    listener,
    new RequestListener({ requests, session, topics, clock, log }),
    bridge,
    finder,
  ];
}

/** Whether plugs are taken in that nobody configured. */
export function adopts(config: Config): boolean {
  return config.discovery.adopt ?? config.plugs.length === 0;
}

function finderFor(
  config: Config,
  topics: Topics,
  bridge: Bridge,
  memory: Memory,
  { clock, random, log, resolver }: Surroundings & { readonly resolver: Resolver },
): Finder {
  const { interval, targets, limit } = config.discovery;
  const adopt = (path: string, { mac, address }: FoundPlug) =>
    plugSpec({ ...BARE_PLUG, path, mac, host: address }, config, clock, resolver);
  const taken = (path: string, { sysinfo }: FoundPlug) =>
    log.info({ topic: topics.of(path), name: sysinfo.alias, model: sysinfo.model }, 'plug taken in');
  const unsent = (target: Endpoint, error: Error) =>
    log.debug({ target: target.host, reason: error.message }, 'not asked');
  let isLossy = false;
  const lossy = (hint: string) => {
    if (!isLossy) log.warn({ hint }, 'not every plug is heard in one search; the next ones go on');
    isLossy = true;
  };
  return new Finder({
    bridge,
    memory,
    search: async function* (lost, signal, expected) {
      // Broadcasts do not cross routers: who is lost is asked directly as well.
      const everywhere = targets ?? broadcastAddresses().map((host) => ({ host, port: PLUG_PORT }));
      yield* discover({
        targets: [...everywhere, ...lost],
        timeoutMs: SEARCH_MS,
        signal,
        expected,
        clock,
        random,
        resolver,
        unsent,
        lossy,
      });
    },
    everyMs: interval,
    wanted: config.plugs.flatMap(({ path, alias }) => (alias === undefined ? [] : [{ path, alias }])),
    adoption: adopts(config) ? { adopt, limit, taken, pathsFor: pathsByAlias } : undefined,
    resolve: (host) =>
      resolver.resolve(host).then(
        (found) => found.map(({ address }) => address),
        () => [],
      ),
    clock,
    log,
  });
}

function embeddedBroker({ broker }: Config, { clock, log }: Surroundings): Broker {
  const { username, password } = broker;
  return new Broker({ ...broker.listen, username, password, clock, log });
}

/** The way to the broker: its own one the bridge need not connect to. */
function sessionFor(
  broker: Broker | undefined,
  config: Config,
  topics: Topics,
  surroundings: Surroundings,
): MqttSession & Task {
  if (broker === undefined) return new NetworkSession(sessionOptions(config, topics, surroundings));
  const { clock, log } = surroundings;
  return new EmbeddedSession({ broker, stateTopic: topics.bridgeState, clock, log });
}

function randomClientId(random: () => number): string {
  const number = Math.floor(random() * 0xffff_ffff);
  return `hs110-mqtt-${number.toString(16).padStart(8, '0')}`;
}

function sessionOptions(
  { mqtt, command }: Config,
  topics: Topics,
  surroundings: Surroundings,
): NetworkSessionOptions {
  const { clock, random, log, readFile } = surroundings;
  const file = (path: string | undefined) => (path === undefined ? undefined : readFile(path));
  return {
    brokers: mqtt.url ?? [],
    version: mqtt.version,
    session: volatileSessionMemory(mqtt.clientId ?? randomClientId(random)),
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

/** What is configured for a place; it may have the name of something that every object has. */
function placeOptions({ places }: Config, path: string): PlaceConfig[] {
  const options = Object.hasOwn(places, path) ? places[path] : undefined;
  return options === undefined ? [] : [options];
}

/** What a plug says of itself goes before what its places say, the nearest first, and that before the defaults. */
function plugSpec(plug: PlugConfig, config: Config, clock: Clock, { lookup }: Resolver): PlugSpec {
  const inherited = [plug, ...placesOf(plug.path).flatMap((place) => placeOptions(config, place))];
  const own = <T>(pick: (from: PlugConfig | PlaceConfig) => T | undefined, otherwise: T): T =>
    inherited.map(pick).find((value) => value !== undefined) ?? otherwise;
  const { poll } = config;
  const transport = new TcpTransport(plug.host, clock, lookup);
  return {
    path: plug.path,
    client: new PlugClient(
      transport,
      own((from) => from.poll.timeout, poll.timeout),
      plug.mac,
    ),
    poll: {
      intervalMs: own((from) => from.poll.interval, poll.interval),
      fastMs: own((from) => from.poll.fast, poll.fast),
      slowMs: own((from) => from.poll.slow, poll.slow),
      offlineAfter: own((from) => from.poll.offlineAfter, poll.offlineAfter),
      backoffMaxMs: own((from) => from.poll.backoffMax, poll.backoffMax),
      surveyMs: own((from) => from.poll.statistics, poll.statistics),
    },
    policy: {
      locked: own((from) => from.locked, false),
      restore: own((from) => from.restore, 'keep'),
      enforce: own((from) => from.enforce, false),
      enforceAfterMs: own((from) => from.enforceAfter, ENFORCE_AFTER_MS),
    },
  };
}

function announcer(
  config: Config,
  {
    bridge,
    session,
    topics,
    publisher,
  }: { bridge: Bridge; session: MqttSession; topics: Topics; publisher: StatePublisher },
  { clock, random, log, version }: Surroundings,
): Announcer {
  const { discovery: form, prefix } = config.homeassistant;
  const discovery = {
    topics,
    prefix,
    form,
    origin: { name: 'hs110-mqtt', sw_version: version },
    json: config.mqtt.output !== 'flat',
  };
  const names = new Map(config.plugs.map((plug) => [plug.path, plug]));
  return new Announcer({
    bridge,
    session,
    discovery,
    names,
    republish: () => publisher.publishAll(),
    clock,
    random,
    log,
  });
}

/** Tells once per connection what runs here and how it is set up; nothing secret is in it. */
function publishInfo(session: MqttSession, topics: Topics, config: Config, { version }: Surroundings): void {
  const info = {
    name: 'hs110-mqtt',
    version,
    base_topic: topics.base,
    plugs: config.plugs.length,
    poll_interval_ms: config.poll.interval,
    command_ttl_ms: config.command.ttl,
    output: config.mqtt.output,
    homeassistant: config.homeassistant.discovery,
  };
  session.onConnect(() => {
    session.publish({ topic: topics.bridgeInfo, payload: JSON.stringify(info), retain: true, qos: 1 });
  });
}
