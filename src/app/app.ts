import { Requests } from '../api/requests.ts';
import type { LiveConfig } from '../config/live-config.ts';
import { PlaceIds, PlugIds } from '../homeassistant/ids.ts';
import { CommandListener } from '../mqtt/command-listener.ts';
import { Health } from '../mqtt/health.ts';
import { Inventory } from '../mqtt/inventory.ts';
import { RequestListener } from '../mqtt/request-listener.ts';
import { StatePublisher } from '../mqtt/state-publisher.ts';
import { Topics } from '../mqtt/topics.ts';
import { Networks } from '../plug/networks.ts';
import { Resolver } from '../plug/resolver.ts';
import type { Task } from '../runtime/supervisor.ts';
import { StoredOverrides } from '../store/overrides.ts';
import { announcerFor } from './announcer.ts';
import { sessionFor } from './connection.ts';
import { bridgeFor, clientOf, staggerOf } from './devices.ts';
import { SiteEditor } from './editor.ts';
import { embeddedBroker, protectTopics } from './embedded-broker.ts';
import { finderFor } from './finder.ts';
import { historyFor } from './history.ts';
import { infoFor } from './info.ts';
import { LevelOfLog } from './level-of-log.ts';
import { metricsFor } from './metrics.ts';
import { namesFor } from './names.ts';
import { journalFor, journalRequests, roundsFor, timeZoneOf } from './records.ts';
import { storeFor } from './storage.ts';
import type { Surroundings } from './surroundings.ts';
import { webFor } from './web.ts';

/** Builds everything that runs, in the order in which it starts; it stops in reverse. */
export function buildApp(live: LiveConfig, surroundings: Surroundings): Task[] {
  const { clock, random, log } = surroundings;
  const store = storeFor(live.config, surroundings);
  const levelInFile = live.config.log.level;
  live.useMemory(new StoredOverrides(store, live.config.dataDir !== 'off'), log);
  const { config } = live;
  const topics = new Topics(config.mqtt.baseTopic);
  const broker = embeddedBroker(config, surroundings);
  const session = sessionFor(broker, config, { topics, store }, surroundings);
  const parts = {
    clock,
    resolver: new Resolver(clock, random, undefined, new Networks(config.discovery.networks)),
    memory: store,
    stagger: staggerOf(config),
  };
  const bridge = bridgeFor(config, parts, surroundings);
  if (broker !== undefined) protectTopics(broker, bridge, topics, config.homeassistant.prefix);
  const { output, offlineValues, publishPlaces, qos, heartbeat } = config.mqtt;
  const publisher = new StatePublisher({
    bridge,
    session,
    topics,
    retained: store,
    clock,
    output,
    offlineValues,
    publishPlaces,
    qos: qos.state,
    heartbeatMs: heartbeat,
    report: config.report,
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
    qos: qos.receipt,
    clock,
    log,
  });
  const finder = finderFor(live, { bridge, topics }, parts, surroundings);
  const history = historyFor({ bridge, store }, surroundings);
  const timeZone = timeZoneOf(config);
  const search = () => finder.search();
  const logLevel = new LevelOfLog(log, levelInFile);
  logLevel.set(config.log.level);
  const publishInfo = infoFor({ live, session, topics, logLevel }, surroundings);
  const names = namesFor(config, topics);
  const [plugIds, placeIds] = [new PlugIds(store), new PlaceIds(store, topics)];
  const announcer = announcerFor(
    config,
    { bridge, session, topics, names, plugIds, placeIds, publisher, store },
    surroundings,
  );
  const editor = new SiteEditor({
    ...{ live, store, bridge, publisher, finder, names, plugIds, placeIds, logLevel, publishInfo },
    devices: parts,
  });
  const journal = journalFor(config, { bridge, store }, surroundings);
  const requests = new Requests({
    bridge,
    allow: () => new Set(live.config.allow),
    search,
    clientOf: (found) => clientOf(found, live.config, parts),
    logLevel,
    announce: () => announcer.announceAll(),
    editor,
    ...journalRequests({ store, journal, topics }),
    timeZone,
    clock,
    log,
  });
  return [
    store,
    roundsFor(config, { bridge, store, history }, surroundings),
    journal,
    ...(broker === undefined ? [] : [broker]),
    session,
    publisher,
    announcer,
    new Inventory({ bridge, session, topics, retained: store, clock }),
    new Health({ bridge, session, topics, storeProblem: () => store.problem, clock }),
    listener,
    new RequestListener({ requests, session, topics, clock, log }),
    bridge,
    finder,
    ...metricsFor(config, { bridge, session, store }, surroundings),
    ...webFor(config, { bridge, names, requests, store, history, journal, timeZone }, surroundings),
  ];
}
