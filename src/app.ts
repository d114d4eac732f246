import { join } from 'node:path';
import type { Logger } from 'pino';
import { Requests } from './api/requests.ts';
import { Bridge } from './bridge/bridge.ts';
import type { DeviceSpec } from './bridge/device-spec.ts';
import { Finder } from './bridge/finder.ts';
import type { Memory } from './bridge/memory.ts';
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
import type { MqttSession, SessionMemory } from './mqtt/session.ts';
import { StatePublisher } from './mqtt/state-publisher.ts';
import { Topics } from './mqtt/topics.ts';
import { broadcastAddresses, discover, type FoundPlug, PLUG_PORT } from './plug/discovery.ts';
import { PlugClient } from './plug/plug-client.ts';
import { Resolver } from './plug/resolver.ts';
import { TcpTransport } from './plug/tcp-transport.ts';
import type { Clock } from './runtime/clock.ts';
import type { Task } from './runtime/supervisor.ts';
import { takeOverStateFile } from './store/state-file.ts';
import { openStore, type Store } from './store/store.ts';

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

/** Where version 0.1 kept what now stands in the database; its container image had that in the volume. */
const FORMER_STATE_FILE = './hs110-mqtt.state.json';
const FORMER_IMAGE_STATE_FILE = 'state.json';

/** How long plugs are looked for at a time. */
const SEARCH_MS = 3000;

/** Builds everything that runs, in the order in which it starts; it stops in reverse. */
export function buildApp(config: Config, surroundings: Surroundings): Task[] {
  const { clock, random, log } = surroundings;
  const topics = new Topics(config.mqtt.baseTopic);
  const broker = config.mqtt.url === undefined ? embeddedBroker(config, surroundings) : undefined;
  const store = storeFor(config, surroundings);
  const session = sessionFor(broker, config, { topics, store }, surroundings);
  const resolver = new Resolver(clock, random);
  const bridge = new Bridge({
    devices: [...config.plugs, ...adoptedPlugs(config, store)].map((plug) =>
      deviceSpec(plug, config, { clock, resolver, memory: store }),
    ),
    staggerMs: new Map(
      Object.entries(config.places).flatMap(([path, { stagger }]) =>
        stagger === undefined ? [] : [[path, stagger]],
      ),
    ),
    memory: store,
    clockSync: {
      enabled: config.clock.sync,
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
  const publisher = new StatePublisher({
    bridge,
    session,
    topics,
    retained: store,
    clock,
    output,
    heartbeatMs: heartbeat,
  });
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
  const finder = finderFor(config, topics, bridge, store, { ...surroundings, resolver });
  const timeZone = config.clock.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const allow = new Set(config.allow);
  const search = () => finder.search();
  const requests = new Requests({ bridge, allow, search, timeZone, clock, log });
  publishInfo(session, topics, config, surroundings);
  return [
    store,
    ...(broker === undefined ? [] : [broker]),
    session,
    publisher,
    announcer(config, { bridge, session, topics, publisher, store }, surroundings),
    new Inventory({ bridge, session, topics, clock }),
    new Health({ bridge, session, topics, storeProblem: () => store.problem, clock }),
    listener,
    new RequestListener({ requests, session, topics, clock, log }),
    bridge,
    finder,
  ];
}

/** Whether plugs that are not configured are taken in. */
export function adopts(config: Config): boolean {
  return config.discovery.adopt ?? config.plugs.length === 0;
}

/** Plugs that an earlier run took in: a place is not OFF while one of them is silent, so they are there from the start. */
function adoptedPlugs(config: Config, memory: Memory): PlugConfig[] {
  if (!adopts(config)) return [];
  const isConfigured = (mac: string, path: string) =>
    config.plugs.some((plug) => plug.mac === mac || plug.path === path || plug.path.startsWith(`${path}/`));
  return [...memory.adopted()]
    .filter(([mac, { path }]) => !isConfigured(mac, path))
    .map(([mac, { path, address }]) => ({ ...BARE_PLUG, path, mac, host: address }));
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
    deviceSpec({ ...BARE_PLUG, path, mac, host: address }, config, { clock, resolver, memory });
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

/** What is configured for a place; it may have the name of something that every object has. */
function placeOptions({ places }: Config, path: string): PlaceConfig[] {
  const options = Object.hasOwn(places, path) ? places[path] : undefined;
  return options === undefined ? [] : [options];
}

/** What a plug says of itself goes before what its places say, the nearest first, and that before the defaults. */
function deviceSpec(
  plug: PlugConfig,
  config: Config,
  { clock, resolver, memory }: { clock: Clock; resolver: Resolver; memory: Memory },
): DeviceSpec {
  const inherited = [plug, ...placesOf(plug.path).flatMap((place) => placeOptions(config, place))];
  const own = <T>(pick: (from: PlugConfig | PlaceConfig) => T | undefined, otherwise: T): T =>
    inherited.map(pick).find((value) => value !== undefined) ?? otherwise;
  const { poll } = config;
  const transport = new TcpTransport(plug.host, clock, resolver.lookup);
  const timeoutMs = own((from) => from.poll.timeout, poll.timeout);
  // A plug that is only known by its address must still be the one that answered there before the restart.
  const learnt = plug.host === undefined ? undefined : memory.learntMac(plug.path, plug.host);
  return {
    client: new PlugClient(transport, timeoutMs, plug.mac ?? learnt),
    poll: {
      intervalMs: own((from) => from.poll.interval, poll.interval),
      fastMs: own((from) => from.poll.fast, poll.fast),
      slowMs: own((from) => from.poll.slow, poll.slow),
      offlineAfter: own((from) => from.poll.offlineAfter, poll.offlineAfter),
      backoffMaxMs: own((from) => from.poll.backoffMax, poll.backoffMax),
      statisticsMs: own((from) => from.poll.statistics, poll.statistics),
    },
    outlets: [
      {
        path: plug.path,
        id: null,
        policy: {
          locked: own((from) => from.locked, false),
          restore: own((from) => from.restore, 'keep'),
          enforce: own((from) => from.enforce, false),
          enforceAfterMs: own((from) => from.enforceAfter, ENFORCE_AFTER_MS),
        },
      },
    ],
  };
}

/** What survives restarts, with what version 0.1 left. */
function storeFor({ dataDir, stateFile }: Config, { clock, log }: Surroundings): Store {
  const store = openStore(dataDir === 'off' ? undefined : dataDir, { clock, log });
  if (dataDir !== 'off')
    takeOverStateFile(store, [stateFile ?? FORMER_STATE_FILE, join(dataDir, FORMER_IMAGE_STATE_FILE)], log);
  return store;
}

function announcer(
  config: Config,
  {
    bridge,
    session,
    topics,
    publisher,
    store,
  }: { bridge: Bridge; session: MqttSession; topics: Topics; publisher: StatePublisher; store: Store },
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
    retained: store,
    discovery,
    names,
    republish: () => publisher.publishAll(),
    clock,
    random,
    log,
  });
}

/** Publishes, once per connection, version and configuration without secrets. */
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
