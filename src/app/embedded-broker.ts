import type { BridgeView } from '../bridge/view.ts';
import type { Config } from '../config/schema.ts';
import { ID_PREFIX } from '../homeassistant/ids.ts';
import { Broker } from '../mqtt/broker.ts';
import type { ListenerOptions } from '../mqtt/broker-listener.ts';
import type { BrokerUser } from '../mqtt/broker-users.ts';
import { isOwnTopic } from '../mqtt/own-topics.ts';
import type { Topics } from '../mqtt/topics.ts';
import { readHash } from '../runtime/password-hash.ts';
import type { Surroundings } from './surroundings.ts';

/** The broker inside, if no other is configured. */
export function embeddedBroker(config: Config, surroundings: Surroundings): Broker | undefined {
  if (config.mqtt.url !== undefined) return undefined;
  const { clock, log } = surroundings;
  return new Broker({
    listeners: listenersOf(config, surroundings),
    users: usersOf(config),
    clock,
    log,
  });
}

function listenersOf(
  { broker: { listen, tls, webSocket } }: Config,
  { readFile }: Surroundings,
): [ListenerOptions, ...ListenerOptions[]] {
  const listeners: [ListenerOptions, ...ListenerOptions[]] = [{ ...listen, option: 'broker.listen' }];
  const secured =
    tls.cert === undefined || tls.key === undefined
      ? undefined
      : {
          cert: readFile(tls.cert),
          key: readFile(tls.key),
          ca: tls.clientCa === undefined ? undefined : readFile(tls.clientCa),
        };
  if (tls.listen !== undefined) listeners.push({ ...tls.listen, tls: secured, option: 'broker.tls.listen' });
  if (webSocket.listen !== undefined) {
    const over = webSocket.secure ? { tls: secured } : {};
    listeners.push({ ...webSocket.listen, ...over, webSocket: true, option: 'broker.webSocket.listen' });
  }
  return listeners;
}

function usersOf({ broker: { username, password, users = [] } }: Config): BrokerUser[] {
  const hashed = users.flatMap((user) => {
    const hash = readHash(user.password);
    return hash === undefined ? [] : [{ ...user, password: hash }];
  });
  if (username === undefined || password === undefined) return hashed;
  const free = { publish: undefined, subscribe: undefined, rate: undefined };
  return [{ name: username, password, ...free }, ...hashed];
}

/** Keeps the topics of the bridge from the clients of its own broker. */
export function protectTopics(broker: Broker, bridge: BridgeView, topics: Topics, prefix: string): void {
  broker.protect({
    isOwn: (topic) => isOwnTopic(topic, topics, bridge),
    isDiscovery: (topic) =>
      topic.startsWith(`${prefix}/`) &&
      topic.endsWith('/config') &&
      topic.split('/').some((level) => level.startsWith(ID_PREFIX)),
  });
}
