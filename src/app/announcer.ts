import type { Bridge } from '../bridge/bridge.ts';
import type { Config } from '../config/schema.ts';
import { Announcer } from '../homeassistant/announcer.ts';
import type { MqttSession } from '../mqtt/session.ts';
import type { StatePublisher } from '../mqtt/state-publisher.ts';
import type { Topics } from '../mqtt/topics.ts';
import type { Store } from '../store/store.ts';
import type { Surroundings } from './surroundings.ts';

/** What announces the plugs to Home Assistant works with. */
interface AnnouncerParts {
  readonly bridge: Bridge;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly publisher: StatePublisher;
  readonly store: Store;
}

/** What announces the bridge and its plugs to Home Assistant, in the form that is configured. */
export function announcerFor(
  config: Config,
  { bridge, session, topics, publisher, store }: AnnouncerParts,
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
