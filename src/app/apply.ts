import { isDeepStrictEqual } from 'node:util';
import type { Bridge } from '../bridge/bridge.ts';
import type { DeviceSettings } from '../bridge/device-spec.ts';
import type { Finder } from '../bridge/finder.ts';
import type { Names } from '../bridge/names.ts';
import { valueAt } from '../config/edit.ts';
import { leaves } from '../config/option.ts';
import { adopts, type Config, type PlugConfig, SCHEMA } from '../config/schema.ts';
import type { StatePublisher } from '../mqtt/state-publisher.ts';
import type { AdjustableLevel } from '../runtime/log-level.ts';
import { type KnownPlug, plugChanges } from './changes.ts';
import { type DeviceParts, deviceSettings, deviceSpec, plugsOf, staggerOf } from './devices.ts';
import { appearanceOf } from './names.ts';

/** What runs and goes by the configuration. */
export interface RunningParts {
  readonly bridge: Bridge;
  readonly finder: Finder;
  readonly names: Names;
  readonly publisher: StatePublisher;
  readonly logLevel: AdjustableLevel;
  readonly devices: DeviceParts & { readonly stagger: Map<string, number> };
  /** Publishes what is told of the configuration. */
  readonly publishInfo: () => void;
}

/**
 * Puts another configuration in force: plugs, places and what else need not be started anew. Where a plug has new hardware,
 * `takenOver` is called between the old and the new one.
 */
export async function apply(
  before: Config,
  after: Config,
  parts: RunningParts,
  takenOver?: () => void,
): Promise<void> {
  const { bridge, finder, logLevel, devices } = parts;
  const plugs = knownPlugs(before, parts);
  const hosts = new Map(plugs.map(({ path, host }) => [path, host]));
  const { removed, kept, replaced, added } = plugChanges(plugs, plugsOf(after, devices.memory));
  replaceAll(devices.stagger, staggerOf(after));
  rename(before, after, parts.names);
  for (const path of removed) await bridge.remove(path);
  bridge.configure(settingsToChange(before, after, kept, parts));
  for (const [old, { path, host, mac }] of kept) {
    const isElsewhere = host !== undefined && !isDeepStrictEqual(host, hosts.get(old));
    if (isElsewhere && mac !== undefined) bridge.loopAt(path)?.moveTo(host, mac);
  }
  for (const plug of replaced) await bridge.replace(plug.path, deviceSpec(plug, after, devices), takenOver);
  for (const plug of added) bridge.add(deviceSpec(plug, after, devices));
  for (const mac of configured(after, plugs, kept))
    if (devices.memory.adopted().has(mac)) finder.release(mac);
  parts.publisher.setReport(after.report);
  if (after.log.level !== before.log.level) logLevel.set(after.log.level);
  parts.publishInfo();
}

/** The MACs of plugs that are configured, also of those that are so by their address. */
function configured(
  { plugs }: Config,
  before: readonly KnownPlug[],
  kept: ReadonlyMap<string, PlugConfig>,
): ReadonlySet<string> {
  const own = plugs.flatMap(({ mac }) => mac ?? []);
  const isOwn = new Set(plugs);
  const known = before.flatMap(({ path, knownMac }) => {
    const now = kept.get(path);
    return now !== undefined && isOwn.has(now) ? (knownMac ?? []) : [];
  });
  return new Set([...own, ...known]);
}

/** The plugs of the bridge, with the MACs that they have shown. */
export function knownPlugs(
  config: Config,
  { bridge, devices }: Pick<RunningParts, 'bridge' | 'devices'>,
): KnownPlug[] {
  return plugsOf(config, devices.memory).map((plug) => ({
    ...plug,
    knownMac: plug.mac ?? bridge.identity(plug.path)?.mac ?? undefined,
  }));
}

/** Names of options that differ and are read at a start only. */
export function restartNeeded(before: Config, after: Config): string[] {
  return [...leaves(SCHEMA)].flatMap(([name]) => {
    if (/^(poll|report)\./.test(name) || LIVE.has(name)) return [];
    if (name === 'discovery.adopt' && adopts(before) === adopts(after)) return [];
    const path = name.split('.');
    return isDeepStrictEqual(valueAt(before, path), valueAt(after, path)) ? [] : [name];
  });
}

/** Options beside those of plugs, places, polling and reports that are in force at once. */
const LIVE: ReadonlySet<string> = new Set(['allow', 'discovery.ignore', 'log.level']);

/** Plugs whose settings, paths or names are others than before, by the path that they had: all are told of them anew. */
function settingsToChange(
  before: Config,
  after: Config,
  kept: ReadonlyMap<string, PlugConfig>,
  { devices }: RunningParts,
): Map<string, DeviceSettings> {
  const old = new Map(plugsOf(before, devices.memory).map((plug) => [plug.path, plug]));
  return new Map(
    [...kept].flatMap(([path, plug]): [string, DeviceSettings][] => {
      const was = old.get(path);
      const settings = deviceSettings(plug, after);
      const isSame =
        was !== undefined &&
        isDeepStrictEqual(deviceSettings(was, before), settings) &&
        isDeepStrictEqual(appearanceOf(was), appearanceOf(plug));
      return isSame ? [] : [[path, settings]];
    }),
  );
}

/** New names first: who is told of a plug's new path looks them up at once. */
function rename(before: Config, after: Config, names: Names): void {
  const [oldPlugs, plugs] = [byPath(before.plugs), byPath(after.plugs)];
  for (const [path, plug] of plugs) {
    const old = oldPlugs.get(path);
    if (old === undefined || !isDeepStrictEqual(appearanceOf(old), appearanceOf(plug)))
      names.setPlug(path, appearanceOf(plug));
  }
  for (const [path, place] of Object.entries(after.places)) {
    const old = before.places[path];
    if (old === undefined || !isDeepStrictEqual(appearanceOf(old), appearanceOf(place)))
      names.setPlace(path, appearanceOf(place));
  }
  for (const path of oldPlugs.keys()) if (!plugs.has(path)) names.setPlug(path, undefined);
  for (const path of Object.keys(before.places))
    if (after.places[path] === undefined) names.setPlace(path, undefined);
}

function byPath(plugs: readonly PlugConfig[]): ReadonlyMap<string, PlugConfig> {
  return new Map(plugs.map((plug) => [plug.path, plug]));
}

function replaceAll<K, V>(map: Map<K, V>, others: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of others) map.set(key, value);
}
