import type { Bridge } from '../bridge/bridge.ts';
import { Finder } from '../bridge/finder.ts';
import { keepKnown } from '../bridge/memory.ts';
import type { LiveConfig } from '../config/live-config.ts';
import { adopts, BARE_PLUG } from '../config/schema.ts';
import type { Endpoint } from '../config/types.ts';
import { pathsByAlias } from '../mqtt/plug-paths.ts';
import type { Topics } from '../mqtt/topics.ts';
import { broadcastAddresses, discover, type FoundPlug } from '../plug/discovery.ts';
import { PLUG_PORT } from '../plug/transport.ts';
import { type DeviceParts, deviceSpec } from './devices.ts';
import type { Surroundings } from './surroundings.ts';

/** How long plugs are looked for at a time. */
const SEARCH_MS = 3000;

/** What looks for plugs in the network, and takes in those that are not configured if it is to. */
export function finderFor(
  live: LiveConfig,
  { bridge, topics }: { readonly bridge: Bridge; readonly topics: Topics },
  parts: DeviceParts,
  { random, log }: Pick<Surroundings, 'random' | 'log'>,
): Finder {
  const { config } = live;
  const { clock, resolver, memory } = parts;
  const { interval, targets, limit } = config.discovery;
  const adopt = (path: string, { mac, address, sysinfo }: FoundPlug) => {
    if (sysinfo.kind === 'strip') keepKnown(memory, mac, { outlets: sysinfo.outlets.map(({ id }) => id) });
    return deviceSpec({ ...BARE_PLUG, path, mac, host: address }, live.config, parts);
  };
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
      const found = discover({
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
      for await (const plug of found) if (resolver.allows(plug.address.host)) yield plug;
    },
    everyMs: interval,
    wanted: () =>
      live.config.plugs.flatMap(({ path, alias }) => (alias === undefined ? [] : [{ path, alias }])),
    ignored: () => new Set(live.config.discovery.ignore),
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
