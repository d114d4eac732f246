import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { PlugError, PlugRefusal } from '../errors.ts';
import { pathsByAlias } from '../mqtt/plug-paths.ts';
import { discover, type FoundPlug } from '../plug/discovery.ts';
import { PlugTransport } from '../plug/plug-transport.ts';
import { type Address, KLAP_PORT, PLUG_PORT, type Transport } from '../plug/transport.ts';
import { printable, printableJson } from '../printable.ts';
import { type CloudReading, GET_CLOUD, readCloud } from '../protocol/cloud.ts';
import type { Login } from '../protocol/klap.ts';
import { answerTo, isSwitchedAsOne, readSysinfo, type Sysinfo } from '../protocol/replies.ts';
import { GET_SYSINFO } from '../protocol/requests.ts';
import { examples, plugAddress, seconds } from './arguments.ts';
import { loginsAt } from './logins.ts';
import type { Shell } from './shell.ts';
import { table } from './table.ts';

interface DiscoverOptions {
  readonly target: readonly Address[];
  readonly timeout: number;
  readonly json?: true;
  readonly yaml?: true;
}

/** A plug found, and what it said when it was asked over TCP, in its protocol. */
interface AskedPlug extends FoundPlug {
  /** Whether it does not accept the login. */
  readonly refusesLogin: boolean;
  /** Whether its port takes TCP connections; `undefined` if that did not come out. */
  readonly takesTcp: boolean | undefined;
  /** `undefined` if it did not say. */
  readonly cloud: CloudReading | undefined;
}

/** Plugs asked over TCP at a time, how long one may take, and how long all of them. */
const ASKED_AT_A_TIME = 64;
const ANSWER_MS = 2000;
const ALL_ANSWERS_MS = 6000;

/** Adds `discover`: which plugs are there. */
export function addDiscoverVerb(program: Command, shell: Shell): void {
  program
    .command('discover')
    .description('find the plugs in the networks of this machine')
    .addOption(
      new Option('--target <host[:port]>', 'ask this address or broadcast address instead; may be repeated')
        .default([], 'every network')
        .argParser((text, before: readonly Address[]) => [...before, plugAddress(text)]),
    )
    .addOption(
      new Option('--timeout <time>', 'how long to wait for answers: 5s, 500ms, or a number of seconds')
        .default(5000, '5s')
        .argParser(seconds(100, 600_000)),
    )
    .option('--json', 'print what is known of each as JSON')
    .addOption(new Option('--yaml', 'print a "plugs:" section for the configuration').conflicts('json'))
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt discover',
        'hs110-mqtt discover --target 192.168.1.255 --target 192.168.2.255 --timeout 10s',
        'hs110-mqtt discover --yaml > museum.yaml',
      ),
    )
    .action((options: DiscoverOptions) => discoverPlugs(shell, loginsAt(shell), options));
}

async function discoverPlugs(
  shell: Shell,
  logins: () => readonly Login[],
  options: DiscoverOptions,
): Promise<void> {
  const plugs = (await ask(await search(shell, options), logins, shell)).sort(byAddress);
  if (options.json) shell.print(printableJson(plugs.map(asJson), 2));
  else if (options.yaml) for (const line of asYaml(plugs)) shell.print(line);
  else for (const line of asTable(plugs)) shell.print(line);
}

async function search(shell: Shell, { target, timeout }: DiscoverOptions): Promise<FoundPlug[]> {
  const { clock, random, signal, printError, isTerminal } = shell;
  if (isTerminal) printError(`looking for plugs for ${timeout / 1000} s …`);
  const plugs = new Map<string, FoundPlug>();
  const unsent = ({ host }: Address, error: Error) => {
    // Some networks of this machine may take no broadcast; a target that was named should.
    if (target.length > 0) printError(`${host} could not be asked: ${error.message}`);
  };
  const options = { targets: target, timeoutMs: timeout, signal, clock, random, unsent, lossy: printError };
  for await (const plug of discover(options)) plugs.set(plug.mac, plug);
  return [...plugs.values()];
}

/** Asks all whose protocol is known here, many at a time and not for ever. */
async function ask(
  plugs: readonly FoundPlug[],
  logins: () => readonly Login[],
  { clock, signal }: Shell,
): Promise<AskedPlug[]> {
  const until = clock.now() + ALL_ANSWERS_MS;
  const waiting = plugs.values();
  const asked: AskedPlug[] = [];
  const work = async () => {
    for (const plug of waiting) {
      const timeoutMs = signal.aborted ? 0 : Math.min(ANSWER_MS, until - clock.now());
      const silent = plug.protocol === 'other' || timeoutMs <= 0;
      const transport = new PlugTransport(plug.address, { logins, clock });
      asked.push({ ...plug, ...UNKNOWN, ...(silent ? {} : await askOne(plug, transport, timeoutMs)) });
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_A_TIME }, work));
  return asked;
}

const UNKNOWN = { takesTcp: undefined, cloud: undefined, refusesLogin: false };

async function askOne(
  { protocol, sysinfo }: FoundPlug,
  transport: Transport,
  timeoutMs: number,
): Promise<Partial<AskedPlug>> {
  try {
    // Who answers to KLAP's question does not say how it is called.
    const said = protocol === 'klap' ? await askSysinfo(transport, timeoutMs) : sysinfo;
    return { takesTcp: true, sysinfo: said, ...(await askCloud(transport, timeoutMs)) };
  } catch (error) {
    if (!(error instanceof PlugError)) throw error;
    if (error.reason === 'login-refused') return { takesTcp: true, refusesLogin: true };
    return error.reason === 'refused' ? { takesTcp: false } : {};
  } finally {
    transport.close();
  }
}

async function askSysinfo(transport: Transport, timeoutMs: number): Promise<Sysinfo> {
  return readSysinfo(answerTo(await transport.exchange(GET_SYSINFO, timeoutMs), 'system', 'get_sysinfo'));
}

/** Not every device has a cloud to speak of. */
async function askCloud(transport: Transport, timeoutMs: number): Promise<Pick<AskedPlug, 'cloud'>> {
  const reply = await transport.exchange(GET_CLOUD, timeoutMs);
  try {
    return { cloud: readCloud(answerTo(reply, 'cnCloud', 'get_info')) };
  } catch (error) {
    if (error instanceof PlugRefusal) return { cloud: undefined };
    throw error;
  }
}

function byAddress(one: FoundPlug, other: FoundPlug): number {
  const key = ({ address: { host, port }, mac }: FoundPlug) =>
    [...host.split('.').map((part) => part.padStart(3, '0')), String(port).padStart(5, '0'), mac].join(' ');
  return key(one) < key(other) ? -1 : 1;
}

function asJson({ mac, address, protocol, joined, sysinfo, takesTcp, cloud }: AskedPlug): object {
  const { model, hardware, firmware, alias, rssi, relay, outlets } = sysinfo;
  return {
    model: model ?? null,
    hardware: hardware ?? null,
    firmware: firmware ?? null,
    alias: alias ?? null,
    ...address,
    mac,
    rssi: rssi ?? null,
    relay: onOff(relay) ?? null,
    ...(outlets.length === 0
      ? {}
      : { outlets: outlets.map((one) => ({ alias: one.alias ?? null, relay: onOff(one.relay) ?? null })) }),
    cloud: cloud === undefined ? null : { bound: cloud.bound ?? null, connected: cloud.connected ?? null },
    protocol,
    tcp: takesTcp === undefined ? null : takesTcp ? 'open' : 'closed',
    joined,
  };
}

function asTable(plugs: readonly AskedPlug[]): string[] {
  if (plugs.length === 0) return NONE_FOUND;
  const rows = plugs.map((plug) => {
    const { mac, address, sysinfo, cloud } = plug;
    return [
      sysinfo.model ?? '?',
      sysinfo.hardware ?? '?',
      sysinfo.firmware?.split(' ')[0] ?? '?',
      sysinfo.alias ?? '',
      addressText(address),
      mac,
      plug.protocol === 'other' ? '?' : plug.protocol.toUpperCase(),
      sysinfo.rssi === undefined ? '' : `${sysinfo.rssi} dBm`,
      relaysText(sysinfo),
      cloudText(cloud),
      notesOn(plug).join(', '),
    ];
  });
  const head = [
    'MODEL',
    'HARDWARE',
    'FIRMWARE',
    'ALIAS',
    'ADDRESS',
    'MAC',
    'PROTOCOL',
    'SIGNAL',
    'RELAY',
    'CLOUD',
    'NOTE',
  ];
  const known = new Set(plugs.flatMap(notesOn));
  const explained = [...known].map((note) => `${note}: ${EXPLANATIONS[note]}`);
  return [...table(head, rows), ...(explained.length > 0 ? ['', ...explained] : [])];
}

const NONE_FOUND = [
  'No plug answered. A broadcast stays in its own network: name the broadcast address of the network that the',
  'plugs are in with --target 192.168.1.255, or a plug itself with --target 192.168.1.145. A container needs',
  'the network of its host.',
];

/** What is worth a note on a plug, and what it means. */
const EXPLANATIONS = {
  'not a plug': 'it is of another family; this program switches plugs, strips and bulbs only',
  'other protocol': 'it speaks that of Tapo devices; this program cannot switch it',
  'login refused':
    'it wants the name and password of the Kasa account that it is bound to: kasa.username and kasa.password in the configuration, or HS110_MQTT_KASA_USERNAME and HS110_MQTT_KASA_PASSWORD',
  'TCP closed': 'it answers here, but takes no connections: it needs to be unplugged for a moment',
  'not yet joined':
    'it waits in a Wi-Fi of its own; `hs110-mqtt plug 192.168.0.1 join SSID` takes it into yours',
} as const;

function notesOn({
  protocol,
  takesTcp,
  refusesLogin,
  joined,
  sysinfo,
}: Pick<
  AskedPlug,
  'protocol' | 'takesTcp' | 'refusesLogin' | 'joined' | 'sysinfo'
>): (keyof typeof EXPLANATIONS)[] {
  const isPlug = hasOutlets(sysinfo);
  return [
    ...(isPlug ? [] : ['not a plug' as const]),
    ...(isPlug && protocol === 'other' ? ['other protocol' as const] : []),
    ...(refusesLogin ? ['login refused' as const] : []),
    ...(takesTcp === false ? ['TCP closed' as const] : []),
    ...(joined ? [] : ['not yet joined' as const]),
  ];
}

/** A section for the configuration; who could not be bridged is named in a comment. */
function asYaml(plugs: readonly AskedPlug[]): string[] {
  const reasons = new Map(plugs.map((plug) => [plug, reasonAgainst(plug)]));
  const fit = plugs.filter((plug) => reasons.get(plug) === undefined);
  const paths = pathsByAlias(fit.map(({ mac, sysinfo }) => ({ mac, alias: sysinfo.alias })));
  const taken = new Set<string>();
  const section = fit.map(({ mac, address }) => {
    const host = addressText(address);
    const own = taken.has(host) ? {} : { host };
    taken.add(host);
    return { path: paths.get(mac), mac, ...own };
  });
  const left = plugs.filter((plug) => reasons.get(plug) !== undefined);
  return [
    ...left.map((plug) => `# left out: ${printable(nameOf(plug))}: ${reasons.get(plug)}`),
    stringify({ plugs: section }).trimEnd(),
  ];
}

function reasonAgainst(plug: AskedPlug): string | undefined {
  if (!hasOutlets(plug.sysinfo)) return 'not a plug';
  if (plug.protocol === 'other') return 'other protocol';
  return plug.joined ? undefined : 'not yet joined';
}

function nameOf({ sysinfo, address, mac }: FoundPlug): string {
  return [sysinfo.model, sysinfo.alias, addressText(address), mac].filter(Boolean).join(' ');
}

function addressText({ host, port }: Address): string {
  return port === PLUG_PORT || port === KLAP_PORT ? host : `${host}:${port}`;
}

/** Whether it can be switched, or its outlets, that can be told apart. */
function hasOutlets({ kind, outlets }: Sysinfo): boolean {
  return isSwitchedAsOne(kind) || (kind === 'strip' && outlets.length > 0);
}

function relaysText({ relay, outlets }: Sysinfo): string {
  const on = outlets.filter((outlet) => outlet.relay).length;
  return outlets.length > 0 ? `${on} of ${outlets.length} ON` : (onOff(relay) ?? '?');
}

function onOff(relay: boolean | undefined): 'ON' | 'OFF' | undefined {
  return relay === undefined ? undefined : relay ? 'ON' : 'OFF';
}

function cloudText(cloud: CloudReading | undefined): string {
  if (cloud?.bound === undefined) return 'unknown';
  if (!cloud.bound) return 'not bound';
  return cloud.connected ? 'bound, connected' : 'bound';
}
