import { Bridge } from '../bridge/bridge.ts';
import type { DeviceSettings, DeviceSpec } from '../bridge/device-spec.ts';
import { keepKnown, type Memory } from '../bridge/memory.ts';
import type { OutletSpec } from '../bridge/outlet.ts';
import { placesOf } from '../bridge/places.ts';
import { loginsFrom } from '../config/account.ts';
import {
  adopts,
  BARE_PLUG,
  type Config,
  MOST_OUTLETS,
  type PlaceConfig,
  type PlugConfig,
} from '../config/schema.ts';
import type { FoundPlug } from '../plug/discovery.ts';
import { PlugClient } from '../plug/plug-client.ts';
import { PlugTransport } from '../plug/plug-transport.ts';
import type { Resolver } from '../plug/resolver.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Surroundings } from './surroundings.ts';

/** What the specification of a device is made with. */
export interface DeviceParts {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly memory: Memory;
  /** Between switching on one plug of a place and the next, by place; milliseconds. */
  readonly stagger: ReadonlyMap<string, number>;
}

/** By how many percent a lamp may differ, and how long before it is judged, unless configured. */
const LAMP_TOLERANCE = 25;
const LAMP_SETTLE_MS = 60_000;

/** How long a change made at an enforced plug may stand unless configured. */
const ENFORCE_AFTER_MS = 2000;

/** The bridge with every device that is configured or was taken in by an earlier run. */
export function bridgeFor(
  config: Config,
  parts: DeviceParts,
  { random, log }: Pick<Surroundings, 'random' | 'log'>,
): Bridge {
  const { clock, memory } = parts;
  return new Bridge({
    devices: plugsOf(config, memory).map((plug) => deviceSpec(plug, config, parts)),
    staggerMs: parts.stagger,
    memory,
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
}

/** How much later than the one before each plug of a place is switched on, by place. */
export function staggerOf({ places }: Config): Map<string, number> {
  return new Map(
    Object.entries(places).flatMap(([path, { stagger }]) => (stagger === undefined ? [] : [[path, stagger]])),
  );
}

/** The plugs that are configured, and those that were taken in. */
export function plugsOf(config: Config, memory: Memory): PlugConfig[] {
  return [...config.plugs, ...adoptedPlugs(config, memory)];
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

/** What is configured for a place; it may have the name of something that every object has. */
function placeOptions({ places }: Config, path: string): PlaceConfig[] {
  const options = Object.hasOwn(places, path) ? places[path] : undefined;
  return options === undefined ? [] : [options];
}

/** A device as configured, not connected yet. */
export function deviceSpec(
  plug: PlugConfig,
  config: Config,
  { clock, resolver, memory }: DeviceParts,
): DeviceSpec {
  const { timeoutMs, ...settings } = deviceSettings(plug, config);
  // A plug that is only known by its address must still be the one that answered there before the restart.
  const learnt = plug.host === undefined ? undefined : memory.learntMac(plug.path, plug.host);
  const mac = plug.mac ?? learnt;
  // One that was taken in before the networks were named may be elsewhere.
  const host = plug.host !== undefined && resolver.allows(plug.host.host) ? plug.host : undefined;
  const transport = new PlugTransport(host, {
    protocol: mac === undefined ? undefined : memory.device(mac)?.protocol,
    logins: loginsFrom([plug.kasa, config.kasa]),
    clock,
    lookup: resolver.lookup,
    learnt: (protocol) => {
      if (client.mac !== undefined) keepKnown(memory, client.mac, { protocol });
    },
  });
  const client = new PlugClient(transport, timeoutMs, mac);
  const outletIds = mac === undefined ? undefined : memory.device(mac)?.outlets;
  return { client, ...settings, ...(outletIds === undefined ? {} : { outletIds }) };
}

/** What a plug says of itself goes before what its places say, the nearest first, and that before the defaults. */
export function deviceSettings(plug: PlugConfig, config: Config): DeviceSettings {
  const own = optionsAt(plug.path, plug, config);
  const { poll } = config;
  return {
    timeoutMs: own((from) => from.poll.timeout, poll.timeout),
    poll: {
      intervalMs: own((from) => from.poll.interval, poll.interval),
      fastMs: own((from) => from.poll.fast, poll.fast),
      slowMs: own((from) => from.poll.slow, poll.slow),
      offlineAfter: own((from) => from.poll.offlineAfter, poll.offlineAfter),
      backoffMaxMs: own((from) => from.poll.backoffMax, poll.backoffMax),
      statisticsMs: own((from) => from.poll.statistics, poll.statistics),
    },
    outlets: [outletAt(plug.path, plug, config)],
    ...configuredOutlets(plug, config),
  };
}

/** Outlets of a strip that have a name, or that something is configured for. */
function configuredOutlets(plug: PlugConfig, config: Config): Pick<DeviceSettings, 'configured'> {
  const { path, outlets = [] } = plug;
  const configured = new Map(
    outlets.map((name, index) => [index, outletAt(`${path}/${name}`, plug, config)]),
  );
  for (let index = outlets.length; index < MOST_OUTLETS; index++) {
    const numbered = `${path}/${index + 1}`;
    if (Object.hasOwn(config.places, numbered)) configured.set(index, outletAt(numbered, plug, config));
  }
  return configured.size === 0 ? {} : { configured };
}

/** What looks up an option at a path: the plug's own, else that of the nearest place, else what is given. */
type Own = <T>(pick: (from: PlugConfig | PlaceConfig) => T | undefined, otherwise: T) => T;

function optionsAt(path: string, plug: PlugConfig, config: Config): Own {
  // The path of a strip is a place itself.
  const inherited = [plug, ...[path, ...placesOf(path)].flatMap((place) => placeOptions(config, place))];
  return (pick, otherwise) => inherited.map(pick).find((value) => value !== undefined) ?? otherwise;
}

function outletAt(path: string, plug: PlugConfig, config: Config): OutletSpec {
  const own = optionsAt(path, plug, config);
  const watts = own((from) => from.lamp.watts, 'off');
  const tolerance = own((from) => from.lamp.tolerance, LAMP_TOLERANCE);
  const settleMs = own((from) => from.lamp.settle, LAMP_SETTLE_MS);
  return {
    path,
    id: null,
    policy: {
      locked: own((from) => from.locked, false),
      restore: own((from) => from.restore, 'keep'),
      enforce: own((from) => from.enforce, false),
      enforceAfterMs: own((from) => from.enforceAfter, ENFORCE_AFTER_MS),
    },
    lamp: watts === 'off' ? undefined : { watts, tolerance: tolerance / 100, settleMs },
  };
}

/** What talks to a plug that was found, and need not be configured. */
export function clientOf({ mac, address }: FoundPlug, config: Config, parts: DeviceParts): PlugClient {
  return deviceSpec({ ...BARE_PLUG, path: mac, mac, host: address }, config, parts).client;
}
