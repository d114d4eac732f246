import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../errors.ts';
import { broadcastAddresses, discover, type FoundPlug } from '../../plug/discovery.ts';
import { Networks } from '../../plug/networks.ts';
import { PLUG_PORT } from '../../plug/transport.ts';
import type { Shell } from '../shell.ts';
import { type Finding, note, ok, problem } from './finding.ts';

const SEARCH_MS = 3000;

/** What a search in the network has shown. */
export interface Search {
  readonly findings: readonly Finding[];
  /** Devices that answered from where the bridge takes them in, by MAC. */
  readonly found: ReadonlyMap<string, FoundPlug>;
}

/** Looks for plugs as the bridge does, and says how many answer in each network of this machine. */
export async function examineNetwork(
  shell: Shell,
  config: Config,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): Promise<Search> {
  const { targets, interval } = config.discovery;
  const found = new Map<string, FoundPlug>();
  const networks = new Networks(config.discovery.networks);
  const elsewhere = new Set<string>();
  if (interval === 0)
    return { found, findings: [note('network', 'plugs are not looked for (discovery.interval: 0)')] };
  const unsent = new Map<string, string>();
  const lost: string[] = [];
  try {
    const search = discover({
      targets: targets ?? broadcastAddresses(interfaces).map((host) => ({ host, port: PLUG_PORT })),
      timeoutMs: SEARCH_MS,
      signal: shell.signal,
      clock: shell.clock,
      random: shell.random,
      unsent: ({ host }, error) => unsent.set(host, error.message),
      lossy: (hint) => lost.push(hint),
    });
    for await (const plug of search) {
      if (networks.includes(plug.address.host)) found.set(plug.mac, plug);
      else elsewhere.add(plug.mac);
    }
  } catch (error) {
    return { found, findings: [problem('network', `no network can be asked: ${messageOf(error)}`)] };
  }
  return {
    found,
    findings: [
      ...(targets === undefined
        ? byInterface(interfaces, found)
        : [ok('network', `${answers(found.size)} at ${targets.map(({ host }) => host).join(', ')}`)]),
      ...[...unsent]
        .filter(([host]) => targets !== undefined || host !== EVERYWHERE)
        .map(([host, message]) => note('network', `${host} cannot be asked: ${message}`)),
      ...lost.map((hint) => note('network', hint)),
      ...(elsewhere.size === 0 ? [] : [leftAlone(elsewhere.size)]),
      ...(found.size + elsewhere.size > 0 ? [] : [NOBODY]),
    ],
  };
}

const EVERYWHERE = '255.255.255.255';

const NOBODY = note(
  'network',
  'no plug answers a search',
  'a broadcast stays in its own network: name that of the plugs in discovery.targets, or each plug by host',
);

function leftAlone(count: number): Finding {
  const what = `${answers(count)} from outside of discovery.networks`;
  return note('network', what, 'the bridge leaves them alone; if they are plugs of yours, add their network');
}

function byInterface(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
  found: ReadonlyMap<string, FoundPlug>,
): Finding[] {
  return Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address, netmask, cidr }) => {
        const here = [...found.values()].filter(({ address: { host } }) => isIn(host, address, netmask));
        return ok('network', `${name} ${cidr ?? address}: ${answers(here.length)}`);
      }),
  );
}

function isIn(host: string, address: string, netmask: string): boolean {
  const [one, other, mask] = [host, address, netmask].map((text) => text.split('.').map(Number));
  return (
    mask?.every((bits, part) => (Number(one?.[part]) & bits) === (Number(other?.[part]) & bits)) ?? false
  );
}

function answers(count: number): string {
  return count === 1 ? '1 device answers' : `${count} devices answer`;
}
