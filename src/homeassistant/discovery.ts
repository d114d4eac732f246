import type { PlugInfo } from '../bridge/plug-state.ts';
import { type FlatValue, slug, type Topics } from '../mqtt/topics.ts';

/** What every id of ours begins with. */
export const ID_PREFIX = 'hs110mqtt_';

/** What a discovery message says of this program. */
export interface Origin {
  readonly name: string;
  readonly sw_version: string;
}

export interface DiscoveryOptions {
  readonly topics: Topics;
  /** Home Assistant's discovery prefix. */
  readonly prefix: string;
  /** One message per device, one per entity, or none at all. */
  readonly form: 'device' | 'single' | 'off';
  readonly origin: Origin;
  /** Whether plugs publish their JSON; else each entity reads its own topic. */
  readonly json: boolean;
}

/** What the site knows of a plug beside what the plug says itself. */
export interface Naming {
  readonly path: string;
  readonly name: string | undefined;
  readonly area: string | undefined;
}

/** One retained message to Home Assistant; an empty payload withdraws what was announced there. */
export interface Announcement {
  readonly topic: string;
  readonly payload: string;
}

/** One entity of a plug: a row of the table below. */
interface Entity {
  readonly key: string;
  readonly platform: 'switch' | 'sensor' | 'binary_sensor' | 'button';
  readonly meter?: true;
  readonly value?: FlatValue;
  readonly config: { readonly [option: string]: unknown };
}

const measured = (deviceClass: string, unit: string, precision: number) => ({
  device_class: deviceClass,
  unit_of_measurement: unit,
  state_class: 'measurement',
  suggested_display_precision: precision,
});

const energy = { ...measured('energy', 'kWh', 3), state_class: 'total_increasing' };
const diagnostic = { entity_category: 'diagnostic', enabled_by_default: false };

/** The entities of a plug. The relay has no name of its own: it is the device. */
const ENTITIES: readonly Entity[] = [
  { key: 'relay', platform: 'switch', value: 'state', config: { name: null, device_class: 'outlet' } },
  {
    key: 'power',
    platform: 'sensor',
    meter: true,
    value: 'power',
    config: { name: 'Power', ...measured('power', 'W', 1) },
  },
  {
    key: 'voltage',
    platform: 'sensor',
    meter: true,
    value: 'voltage',
    config: { name: 'Voltage', ...measured('voltage', 'V', 1) },
  },
  {
    key: 'current',
    platform: 'sensor',
    meter: true,
    value: 'current',
    config: { name: 'Current', ...measured('current', 'A', 2) },
  },
  { key: 'energy', platform: 'sensor', meter: true, value: 'energy', config: { name: 'Energy', ...energy } },
  {
    key: 'energy_today',
    platform: 'sensor',
    meter: true,
    value: 'energy_today',
    config: { name: 'Energy today', ...energy },
  },
  {
    key: 'energy_month',
    platform: 'sensor',
    meter: true,
    value: 'energy_month',
    config: { name: 'Energy this month', ...energy },
  },
  {
    key: 'led',
    platform: 'switch',
    value: 'led',
    config: {
      name: 'LED',
      icon: 'mdi:led-on',
      entity_category: 'config',
      payload_on: '{"led":"ON"}',
      payload_off: '{"led":"OFF"}',
      state_on: 'ON',
      state_off: 'OFF',
    },
  },
  {
    key: 'rssi',
    platform: 'sensor',
    value: 'rssi',
    config: {
      name: 'Signal strength',
      device_class: 'signal_strength',
      unit_of_measurement: 'dBm',
      state_class: 'measurement',
      ...diagnostic,
    },
  },
  {
    key: 'on_since',
    platform: 'sensor',
    value: 'on_since',
    config: { name: 'On since', device_class: 'timestamp', ...diagnostic },
  },
  {
    key: 'cloud',
    platform: 'binary_sensor',
    value: 'cloud',
    config: { name: 'Cloud connection', device_class: 'connectivity', ...diagnostic },
  },
  {
    key: 'restart',
    platform: 'button',
    config: {
      name: 'Restart',
      device_class: 'restart',
      entity_category: 'config',
      enabled_by_default: false,
    },
  },
];

/** The messages that announce one plug; none before its MAC is known, of which all ids are made. */
export function announcePlug(naming: Naming, info: PlugInfo, options: DiscoveryOptions): Announcement[] {
  if (info.mac === null) return [];
  const { topics } = options;
  const id = plugId(info.mac, info.outlet);
  const entities = ENTITIES.filter((entity) => info.hasMeter || !entity.meter);
  const components = entities.map((entity): [string, Component] => [
    entity.key,
    component(entity, id, naming.path, options),
  ]);
  const shared = {
    availability: [{ topic: topics.bridgeState }, { topic: topics.below(naming.path, 'availability') }],
    availability_mode: 'all',
  };
  return envelope(id, describePlug(id, naming, info, topics), shared, components, options);
}

/** The messages that announce the bridge itself. */
export function announceBridge(options: DiscoveryOptions): Announcement[] {
  const { topics, origin } = options;
  const id = bridgeId(topics);
  const device = {
    identifiers: [id],
    name: `${origin.name} ${topics.base}`,
    manufacturer: origin.name,
    model: 'MQTT bridge',
    sw_version: origin.sw_version,
  };
  const connection = {
    platform: 'binary_sensor',
    unique_id: `${id}_connection`,
    name: 'Connection',
    device_class: 'connectivity',
    entity_category: 'diagnostic',
    state_topic: topics.bridgeState,
    payload_on: 'online',
    payload_off: 'offline',
  };
  return envelope(id, device, {}, [['connection', connection]], options);
}

interface Component {
  readonly platform: string;
  readonly unique_id: string;
  readonly [option: string]: unknown;
}

function component(
  { key, platform, value, config }: Entity,
  id: string,
  path: string,
  { topics, json }: DiscoveryOptions,
): Component {
  const state =
    value &&
    (json
      ? { state_topic: topics.of(path), value_template: `{{ value_json.${value} }}` }
      : { state_topic: topics.below(path, value) });
  return {
    platform,
    unique_id: `${id}_${key}`,
    ...config,
    ...state,
    ...(platform === 'switch' ? { command_topic: topics.below(path, 'set') } : {}),
    ...(platform === 'button'
      ? {
          command_topic: topics.request('plug/command'),
          payload_press: JSON.stringify({ plug: path, command: 'reboot' }),
        }
      : {}),
    qos: 1,
  };
}

/** The device map is strict: what is not known is left out. */
function describePlug(id: string, { name, area }: Naming, info: PlugInfo, topics: Topics) {
  const model = info.model?.replace(/\(.*/, '');
  const fallback = `${model ?? 'Plug'} ${id.slice(-4).toUpperCase()}`;
  return {
    identifiers: [id],
    name: name ?? (info.alias || fallback),
    manufacturer: 'TP-Link',
    ...optional('model', model),
    ...optional('model_id', info.model),
    ...optional('hw_version', info.hardware),
    ...optional('sw_version', info.firmware),
    ...optional('suggested_area', area),
    via_device: bridgeId(topics),
  };
}

function optional(key: string, value: string | null | undefined): { [key: string]: string } {
  return value ? { [key]: value } : {};
}

/** What all ids of one plug begin with, or of one outlet of a device: it outlives names, paths and addresses. */
export function plugId(mac: string, outlet: string | null): string {
  const device = `${ID_PREFIX}${mac.replaceAll(':', '').toLowerCase()}`;
  return outlet === null ? device : `${device}_${outlet}`;
}

/** The id of the device that the id of one of its outlets belongs to. */
export function deviceId(id: string): string {
  return id.slice(0, ID_PREFIX.length + 12);
}

/** What all ids of the bridge begin with; two bridges have different base topics. */
export function bridgeId(topics: Topics): string {
  return `${ID_PREFIX}bridge_${slug(topics.base)}`;
}

/** One device message with all components, or one message for each: the keys are such that HA can migrate. */
function envelope(
  id: string,
  device: object,
  shared: object,
  components: readonly [string, Component][],
  { prefix, form, origin }: DiscoveryOptions,
): Announcement[] {
  if (form === 'off') return [];
  if (form === 'device') {
    const payload = JSON.stringify({ device, origin, ...shared, components: Object.fromEntries(components) });
    return [{ topic: `${prefix}/device/${id}/config`, payload }];
  }
  return components.map(([key, { platform, ...config }]) => ({
    topic: `${prefix}/${platform}/${id}/${key}/config`,
    payload: JSON.stringify({ ...config, device, origin, ...shared }),
  }));
}
