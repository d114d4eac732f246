import type { Names } from '../bridge/names.ts';
import { placesOf } from '../bridge/places.ts';
import type { PlugInfo } from '../bridge/plug-state.ts';
import type { Topics } from '../mqtt/topics.ts';
import { BRIDGE_ENTITIES } from './entities/bridge.ts';
import { PLACE_ENTITIES } from './entities/place.ts';
import { PLUG_ENTITIES } from './entities/plug.ts';
import { OUTLET_ENTITIES, STRIP_ENTITIES } from './entities/strip.ts';
import {
  type Component,
  type Context,
  componentsOf,
  type Options,
  slugOf,
  whileBridgeRuns,
} from './entity.ts';
import { bridgeId, type PlugIds } from './ids.ts';
import type { Device, Origin } from './message.ts';

/** What devices are made of that is the same for all. */
export interface DeviceContext extends Context {
  readonly origin: Origin;
  readonly names: Names;
  readonly plugIds: PlugIds;
  /** Whether the lamp on a plug is checked. */
  readonly checksLamp: (path: string) => boolean;
  /** What a plug is announced as: what can be dimmed is a light, whatever is configured. */
  readonly as: (path: string) => 'switch' | 'light';
}

/** The device of one plug, or one outlet; none before its MAC is known, of which all ids are made. */
export function plugDevice(path: string, info: PlugInfo, context: DeviceContext): Device | undefined {
  if (info.mac === null) return undefined;
  const { topics } = context;
  const id = context.plugIds.of(info.mac, info.outlet);
  const subject = {
    id,
    slug: slugOf(path),
    path,
    info,
    as: context.as(path),
    hasLamp: context.checksLamp(path),
  };
  const components = componentsOf(info.outlet === null ? PLUG_ENTITIES : OUTLET_ENTITIES, subject, context);
  return {
    id,
    description: withOwnName(describePlug(id, path, info, context), components, 'plug'),
    shared: whileAnswering(path, topics),
    components,
  };
}

/** The device of the strip that an outlet belongs to, at whose path what is said of the strip is read. */
export function stripDevice(path: string, info: PlugInfo, context: DeviceContext): Device | undefined {
  if (info.mac === null) return undefined;
  const { topics, names, plugIds } = context;
  const id = plugIds.of(info.mac, null);
  const [place = ''] = placesOf(path);
  const whole = { ...info, outlet: null, alias: names.place(place), hasMeter: false, hasSensors: false };
  const subject = {
    id,
    slug: `${slugOf(place)}_strip`,
    path,
    info: whole,
    as: 'switch',
    hasLamp: false,
  } as const;
  const components = componentsOf(STRIP_ENTITIES, subject, context);
  const description = { ...describePlug(id, place, whole, context), name: `${names.place(place)} strip` };
  return { id, description, shared: whileAnswering(path, topics), components };
}

function whileAnswering(path: string, topics: Topics): Options {
  return {
    availability: [{ topic: topics.bridgeState }, { topic: topics.below(path, 'availability') }],
    availability_mode: 'all',
  };
}

function describePlug(
  id: string,
  path: string,
  info: PlugInfo,
  { names, topics, plugIds }: DeviceContext,
): Options {
  const model = info.model?.replace(/\(.*/, '') ?? 'Plug';
  return {
    identifiers: [id],
    // Outlets of one device share its MAC: Home Assistant would take them for one device.
    ...(info.outlet === null ? hardwareOf(info) : {}),
    name: names.plug(path) ?? (info.alias || `${model} ${id.slice(-4).toUpperCase()}`),
    manufacturer: 'TP-Link',
    ...optional('model', info.model),
    ...optional('hw_version', info.hardware),
    ...optional('sw_version', info.firmware),
    ...optional('suggested_area', names.plugArea(path)),
    via_device: info.outlet === null || info.mac === null ? bridgeId(topics) : plugIds.of(info.mac, null),
  };
}

/** What the device is known by outside. Its own id is no serial number: the vendor's cloud knows it by that. */
function hardwareOf({ mac }: PlugInfo): Options {
  return mac === null ? {} : { connections: [['mac', mac.toLowerCase()]], serial_number: mac };
}

/** The device of a place, or of the site: a group of the plugs whose ids are `members`. */
export function placeDevice(
  id: string,
  path: string,
  members: readonly { readonly id: string; readonly path: string }[],
  context: DeviceContext,
): Device {
  const { topics, names, origin } = context;
  const as = names.as(path);
  const key = as === 'light' ? 'light' : 'relay';
  const alike = members.filter((member) => context.as(member.path) === as);
  const subject = {
    id,
    slug: slugOf(path === '' ? topics.base : path),
    path,
    as,
    members: alike.map((member) => `${member.id}_${key}`),
  };
  const description = {
    identifiers: [id],
    name: names.place(path),
    manufacturer: origin.name,
    model: path === '' ? 'Site' : 'Place',
    ...optional('suggested_area', names.placeArea(path)),
    via_device: bridgeId(topics),
  };
  const components = componentsOf(PLACE_ENTITIES, subject, context);
  return {
    id,
    description: withOwnName(description, components, 'place'),
    shared: whileBridgeRuns(topics),
    components,
  };
}

/** The device of the bridge itself. */
export function bridgeDevice(context: DeviceContext): Device {
  const { topics, origin } = context;
  const id = bridgeId(topics);
  return {
    id,
    description: {
      identifiers: [id],
      name: `${origin.name} ${topics.base}`,
      manufacturer: origin.name,
      model: 'MQTT bridge',
      sw_version: origin.sw_version,
    },
    shared: {},
    components: componentsOf(BRIDGE_ENTITIES, { id, slug: slugOf(`${topics.base}_bridge`) }, context),
  };
}

/** Home Assistant complains of an entity whose name begins with that of its device: the device is then called otherwise. */
function withOwnName(description: Options, components: readonly Component[], kind: string): Options {
  const name = String(description.name);
  const isRepeated = components.some(({ options }) =>
    `${String(options.name)} `.toLowerCase().startsWith(`${name.trim().toLowerCase()} `),
  );
  return isRepeated ? { ...description, name: `${name} ${kind}` } : description;
}

function optional(key: string, value: string | null | undefined): Options {
  return value ? { [key]: value } : {};
}
