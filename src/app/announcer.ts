import type { Bridge } from '../bridge/bridge.ts';
import type { Names } from '../bridge/names.ts';
import type { Config } from '../config/schema.ts';
import { Announcer } from '../homeassistant/announcer.ts';
import type { PlaceIds, PlugIds } from '../homeassistant/ids.ts';
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
  readonly names: Names;
  readonly plugIds: PlugIds;
  readonly placeIds: PlaceIds;
  readonly publisher: StatePublisher;
  readonly store: Store;
}

/** Where Home Assistant sends its users from its log; the homepage in package.json. */
const SUPPORT_URL = 'https://github.com/hs110-mqtt/hs110-mqtt';

/** What announces the bridge, its plugs and its places to Home Assistant, in the form that is configured. */
export function announcerFor(
  config: Config,
  { bridge, session, topics, names, plugIds, placeIds, publisher, store }: AnnouncerParts,
  { clock, random, log, version }: Surroundings,
): Announcer {
  const { discovery: form, prefix, places } = config.homeassistant;
  return new Announcer({
    bridge,
    session,
    topics,
    names,
    prefix,
    form,
    places: places === 'on' && config.mqtt.publishPlaces,
    plugIds,
    placeIds,
    origin: { name: 'hs110-mqtt', sw_version: version, support_url: SUPPORT_URL },
    checksLamp: (path) => bridge.checksLamp(path),
    as: (path) => (bridge.plug(path)?.info?.light ? 'light' : names.as(path)),
    json: config.mqtt.output !== 'flat',
    flat: config.mqtt.output !== 'json',
    allow: new Set(config.allow),
    memory: store,
    republish: () => publisher.publishAll(),
    clock,
    random,
    log,
  });
}
