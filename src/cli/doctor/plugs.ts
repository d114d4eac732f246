import { loginsFrom } from '../../config/account.ts';
import type { Config } from '../../config/schema.ts';
import { PlugError } from '../../errors.ts';
import type { FoundPlug } from '../../plug/discovery.ts';
import { PlugClient } from '../../plug/plug-client.ts';
import { PlugTransport } from '../../plug/plug-transport.ts';
import type { Statistics } from '../../plug/statistics.ts';
import type { Address } from '../../plug/transport.ts';
import { textAt } from '../../protocol/json.ts';
import type { Sysinfo } from '../../protocol/replies.ts';
import { secondsAhead, zoneOfIndex } from '../../protocol/time-zones.ts';
import { plugAddress } from '../arguments.ts';
import { ADVICE } from '../plug-session.ts';
import type { Shell } from '../shell.ts';
import type { SiteState } from '../site-state.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** Plugs asked at a time. */
const AT_A_TIME = 64;

/** A weaker signal loses packets. */
const WEAK_DBM = -80;

const NO_ACCOUNT = { username: undefined, password: undefined };

/** A plug that is to be there. */
interface Expected {
  readonly path: string;
  readonly address: Address | undefined;
  readonly mac: string | undefined;
}

/** What one plug said of itself. */
export interface Examined {
  readonly path: string;
  readonly sysinfo: Sysinfo;
}

/** Asks every plug that is configured, or that the bridge has taken in, what it is and how it is. */
export async function examinePlugs(
  shell: Shell,
  config: Config,
  found: ReadonlyMap<string, FoundPlug>,
  told: SiteState | undefined,
): Promise<{ findings: Finding[]; examined: Examined[] }> {
  const plugs = expected(config, found, told);
  const waiting = plugs.values();
  const findings = new Map<string, Finding[]>();
  const examined: Examined[] = [];
  const work = async () => {
    for (const plug of waiting) {
      if (shell.signal.aborted) return;
      findings.set(plug.path, await examine(plug, config, shell, examined));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const all = plugs.flatMap(({ path }) => findings.get(path) ?? []);
  const isFine = (path: string) => findings.get(path)?.length === 0;
  const fine = plugs.filter(({ path }) => isFine(path)).length;
  return {
    examined,
    findings: plugs.length === 0 ? [] : [ok('plugs', `${fine} of ${plugs.length} are fine`), ...all],
  };
}

function expected(
  { plugs }: Config,
  found: ReadonlyMap<string, FoundPlug>,
  told: SiteState | undefined,
): Expected[] {
  const addressOf = (path: string): Address | undefined => {
    const text = textAt(told?.entry(path) ?? {}, 'address');
    try {
      return text === undefined ? undefined : plugAddress(text);
    } catch {
      return undefined;
    }
  };
  const byAlias = (alias: string | undefined) =>
    [...found.values()].find(({ sysinfo }) => alias !== undefined && sysinfo.alias === alias);
  const configured = plugs.map(({ path, host, mac, alias }): Expected => {
    const seen = mac === undefined ? byAlias(alias) : found.get(mac);
    return { path, mac, address: host ?? seen?.address ?? addressOf(path) };
  });
  const known = new Set(plugs.map(({ path }) => path));
  const adopted = (told?.paths ?? [])
    .filter((path) => !known.has(path))
    .map((path): Expected => {
      const mac = textAt(told?.entry(path) ?? {}, 'mac');
      return {
        path,
        mac,
        address: addressOf(path) ?? (mac === undefined ? undefined : found.get(mac)?.address),
      };
    });
  return [...configured, ...adopted];
}

/** What is worth knowing of one plug; nothing if all is well. */
async function examine(
  { path, address, mac }: Expected,
  config: Config,
  { clock }: Shell,
  examined: Examined[],
): Promise<Finding[]> {
  if (address === undefined)
    return [
      problem(
        'plugs',
        `${path} is not found`,
        'is it plugged in, and in a network that a search reaches? Or name it by host',
      ),
    ];
  const own = config.plugs.find((plug) => plug.path === path)?.kasa ?? NO_ACCOUNT;
  const transport = new PlugTransport(address, { logins: loginsFrom([own, config.kasa]), clock });
  const client = new PlugClient(transport, config.poll.timeout, mac);
  try {
    const { sysinfo } = await client.read();
    examined.push({ path, sysinfo });
    return [
      ...aboutSysinfo(path, sysinfo),
      ...aboutStatistics(path, await statistics(client), config, clock.date()),
    ];
  } catch (error) {
    if (!(error instanceof PlugError)) throw error;
    const what = `${path} at ${address.host}:${address.port}: ${error.message}`;
    return [problem('plugs', what, ADVICE[error.reason])];
  } finally {
    client.close();
  }
}

/** A plug may answer that question badly and still be a good plug. */
async function statistics(client: PlugClient): Promise<Statistics | undefined> {
  try {
    return await client.readStatistics();
  } catch (error) {
    if (error instanceof PlugError) return undefined;
    throw error;
  }
}

function aboutSysinfo(path: string, { kind, rssi, hardware, relay }: Sysinfo): Finding[] {
  if (kind !== 'plug')
    return [problem('plugs', `${path} is ${kind === 'other' ? 'no plug' : `a ${kind}`}: it is not switched`)];
  return [
    ...(relay === undefined ? [note('plugs', `${path} does not report its relay`)] : []),
    ...(rssi !== undefined && rssi < WEAK_DBM
      ? [
          note(
            'plugs',
            `${path} has a weak signal: ${rssi} dBm`,
            'an access point nearer to it, or another channel',
          ),
        ]
      : []),
    ...(hardware?.startsWith('4.')
      ? [
          note(
            'plugs',
            `${path} is hardware ${hardware}, on which firmware 1.1.0 closes port 9999`,
            'accept no update of its firmware, and keep it off the Internet',
          ),
        ]
      : []),
  ];
}

function aboutStatistics(
  path: string,
  seen: Statistics | undefined,
  { clock: { sync, tolerance, timeZone } }: Config,
  now: number,
): Finding[] {
  if (seen === undefined) return [];
  const { time, clockSet, cloud } = seen;
  const zone = timeZone ?? (seen.zone === undefined ? undefined : zoneOfIndex(seen.zone));
  const aheadS = time === undefined || zone === undefined ? 0 : Math.round(secondsAhead(time, zone, now));
  const cure = sync
    ? 'hardware 1 takes its time from time servers only: let it reach one'
    : 'set clock.sync: true';
  return [
    ...(clockSet === false
      ? [note('plugs', `${path} does not know the time: it books no energy by day and month`, cure)]
      : Math.abs(aheadS) * 1000 > tolerance
        ? [note('plugs', `${path} is ${Math.abs(aheadS)} s ${aheadS > 0 ? 'fast' : 'slow'}`, cure)]
        : []),
    ...(cloud?.connected
      ? [
          note(
            'plugs',
            `${path} has a connection to the cloud of its vendor`,
            `hs110-mqtt plug HOST cloud unbind, and keep it off the Internet`,
          ),
        ]
      : []),
  ];
}
