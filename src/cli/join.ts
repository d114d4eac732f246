import { CommandError, PlugError } from '../errors.ts';
import { discover } from '../plug/discovery.ts';
import { PlugClient } from '../plug/plug-client.ts';
import { SECURITY } from '../plug/presets/network.ts';
import { checkAll } from '../plug/presets/preset.ts';
import type { Address } from '../plug/transport.ts';
import { printable } from '../printable.ts';
import { readMac } from '../protocol/replies.ts';
import { type Query, request } from '../protocol/requests.ts';
import { sleep } from '../runtime/clock.ts';
import { plugAddress } from './arguments.ts';
import { interrupted, readAll } from './input.ts';
import type { PlugSession } from './plug-session.ts';
import type { Shell } from './shell.ts';

export interface JoinOptions {
  readonly security: string;
  /** Host or MAC at which the plug has to re-appear. */
  readonly verify?: string;
  /** How long it may take to, in ms. */
  readonly within: number;
}

/** How often the new place is looked at, and how long one look lasts. */
const LOOK_EVERY_MS = 1000;
const LOOK_MS = 2000;

/** Bytes that Wi-Fi allows; with others the plug would go into that network in vain and come back after a while. */
const LONGEST_SSID = 32;
const WPA_PASSWORD = { least: 8, most: 63 };

/** Takes the plug into a Wi-Fi; with `verify` only done when it has been seen there. */
export async function join(
  session: PlugSession,
  [ssid = '']: readonly string[],
  { security, verify, within }: JoinOptions,
): Promise<void> {
  checkSsid(ssid);
  const place = verify === undefined ? undefined : placeOf(verify);
  const password = security === 'open' ? '' : await readPassword(session.shell, ssid, security);
  const query: Query = { netif: { set_stainfo: { ssid, password, key_type: SECURITY.indexOf(security) } } };
  const { mac } = await session.sysinfo();
  if (place !== undefined && mac === undefined)
    throw new PlugError(
      'bad-answer',
      'the plug does not say its MAC, so it could not be recognised when it re-appears',
    );
  await session.confirm(query);
  try {
    checkAll(await session.ask(request(query)), query);
  } catch (error) {
    // It may leave before its answer is through.
    if (place === undefined || !(error instanceof PlugError) || error.reason === 'plug-error') throw error;
    session.shell.printError('The plug left without an answer.');
  }
  if (place === undefined || mac === undefined) {
    session.show({
      done: `the plug goes into ${ssid}; if the password is wrong it comes back after a while`,
    });
    return;
  }
  session.shell.printError(printable(`Waiting for ${mac} to re-appear …`));
  const address = await reappearance(session, mac, place, within);
  session.show({ mac, ssid, host: address.host, port: address.port });
}

/** Throws CommandError if no Wi-Fi can have that name. */
function checkSsid(ssid: string): void {
  const bytes = Buffer.byteLength(ssid);
  if (bytes > 0 && bytes <= LONGEST_SSID) return;
  throw new CommandError(
    'bad-ssid',
    `the name of a Wi-Fi has 1 to ${LONGEST_SSID} bytes in UTF-8, this one has ${bytes}`,
  );
}

/** Where to look for the plug: at an address, or `undefined` for everywhere. */
function placeOf(verify: string): Address | 'anywhere' {
  return readMac(verify) === undefined ? plugAddress(verify) : 'anywhere';
}

/** Never from the arguments: every user of the machine can read those. Throws CommandError if it cannot be right. */
async function readPassword({ input }: Shell, ssid: string, security: string): Promise<string> {
  const typed = input.isTerminal
    ? await input.askSecretly(printable(`Password of ${ssid}: `))
    : (await readAll(input)).toString('utf8');
  const [password = ''] = (typed ?? '').split(/\r?\n/, 1);
  const bytes = Buffer.byteLength(password);
  const { least, most } = security === 'wep' ? { ...WPA_PASSWORD, least: 1 } : WPA_PASSWORD;
  if (bytes < least || bytes > most)
    throw new CommandError(
      'bad-password',
      `the password has ${bytes} characters: ${security} needs ${least} to ${most}`,
    );
  return password;
}

async function reappearance(
  session: PlugSession,
  mac: string,
  place: Address | 'anywhere',
  withinMs: number,
): Promise<Address> {
  const { shell } = session;
  const found =
    place === 'anywhere' ? await find(shell, mac, withinMs) : await wait(session, mac, place, withinMs);
  if (found !== undefined) return found;
  if (shell.signal.aborted) throw interrupted();
  throw new PlugError(
    'not-found',
    `${mac} did not re-appear within ${withinMs / 1000} s: if the password is wrong, it is back in its own Wi-Fi`,
  );
}

async function find(
  { clock, random, signal }: Shell,
  mac: string,
  withinMs: number,
): Promise<Address | undefined> {
  for await (const plug of discover({ targets: [], timeoutMs: withinMs, signal, clock, random })) {
    if (plug.mac === mac && plug.joined) return plug.address;
  }
  return undefined;
}

async function wait(
  session: PlugSession,
  mac: string,
  address: Address,
  withinMs: number,
): Promise<Address | undefined> {
  const { clock, signal } = session.shell;
  const until = clock.now() + withinMs;
  const transport = session.transportTo(address);
  const close = () => transport.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    // The MAC distinguishes the plug from another one at that address.
    const client = new PlugClient(transport, LOOK_MS, mac);
    for (; clock.now() < until && !signal.aborted; await sleep(clock, LOOK_EVERY_MS, signal)) {
      if (await answers(client)) return address;
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

async function answers(client: PlugClient): Promise<boolean> {
  try {
    await client.read();
    return true;
  } catch (error) {
    if (error instanceof PlugError) return false;
    throw error;
  }
}
