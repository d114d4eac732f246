import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import type { FoundPlug } from '../plug/discovery.ts';
import { type Address, isSamePlace } from '../plug/transport.ts';
import { isSwitchedAsOne } from '../protocol/replies.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { Adoption, type AdoptionOptions, placeOf } from './adoption.ts';
import type { Bridge } from './bridge.ts';
import type { DeviceLoop } from './device-loop.ts';
import type { Memory } from './memory.ts';
import type { PlugState } from './plug-state.ts';

/** A plug that is looked for by the name it has in the Kasa app. */
export interface Wanted {
  readonly path: string;
  readonly alias: string;
}

export interface FinderOptions {
  readonly bridge: Bridge;
  readonly memory: Memory;
  /**
   * Looks for plugs everywhere, and at these addresses in particular, until it is over or the signal aborts. Plugs
   * whose MAC is expected are found however many other devices answer.
   */
  readonly search: (
    targets: readonly Address[],
    signal: AbortSignal,
    expected: ReadonlySet<string>,
  ) => AsyncIterable<FoundPlug>;
  /** Between two searches when there is something to look for; 0 never looks. */
  readonly everyMs: number;
  /** Plugs that are looked for by alias; they may change. */
  readonly wanted: () => readonly Wanted[];
  /** MACs of plugs that are not taken in; they may change. */
  readonly ignored: () => ReadonlySet<string>;
  /** How plugs that are not configured are taken in; `undefined` leaves such plugs alone. */
  readonly adoption: Pick<AdoptionOptions, 'adopt' | 'limit' | 'taken' | 'pathsFor'> | undefined;
  /** The IP addresses of a host, none if it is not found. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A plug that goes offline is looked for this soon, and with it whatever else goes offline by then. */
const LOST_MS = 2000;

/** How many devices that are left out are logged: anyone in the network can make up more. */
const MOST_NAMED = 100;

/** Finds plugs that have no address, follows those that moved, and takes in new ones if that is wanted. */
export class Finder implements Task {
  readonly name = 'finder';
  readonly #options: FinderOptions;
  readonly #timer: Timer;
  readonly #adoption: Adoption | undefined;
  /** MACs of the devices that were named as left out. */
  readonly #leftOut = new Set<string>();
  #searching: Promise<readonly FoundPlug[]> | undefined;
  #stop = new AbortController();
  #nextAt = Number.POSITIVE_INFINITY;
  /** A plug was lost while a search was under way that may have passed it over. */
  #lostMeanwhile = false;
  #saidAlone = false;

  constructor(options: FinderOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => void this.search());
    const { signal } = this.#stop;
    this.#adoption = options.adoption && new Adoption({ ...options, ...options.adoption, signal });
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, everyMs } = this.#options;
    const unsubscribe = bridge.on('plug', ({ before, after }) => {
      if (before === after) return;
      if (after.availability === 'offline') this.#soon(LOST_MS);
      else this.#learnt(before.info, after);
    });
    this.#adoption?.restore();
    ready();
    if (everyMs > 0 && this.#hasToLook) this.#soon(0);
    await aborted(signal);
    unsubscribe();
    this.#stop.abort();
    this.#timer.clear();
    await this.#searching;
  }

  /** A device that was taken in is configured from now on, or left alone. */
  release(mac: string): void {
    this.#options.memory.forget(mac);
    this.#adoption?.release(mac);
  }

  /** Looks for plugs now, or joins the search that is under way. Returns what was found; never rejects. */
  search(): Promise<readonly FoundPlug[]> {
    this.#nextAt = Number.POSITIVE_INFINITY;
    this.#searching ??= this.#look().finally(() => {
      this.#searching = undefined;
      const { everyMs } = this.#options;
      if (this.#hasToLook) this.#soon(this.#lostMeanwhile ? Math.min(LOST_MS, everyMs) : everyMs);
      this.#lostMeanwhile = false;
    });
    return this.#searching;
  }

  async #look(): Promise<readonly FoundPlug[]> {
    const { search, log } = this.#options;
    const found = new Map<string, FoundPlug>();
    const occupied = this.#occupied();
    try {
      for await (const plug of search(this.#lostAddresses(), this.#stop.signal, this.#macs())) {
        found.set(plug.mac, plug);
        this.#place(plug);
      }
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'cannot look for plugs');
    }
    await this.#adoption?.takeIn(await occupied);
    this.#sayIfAlone();
    return [...found.values()];
  }

  /** Logs once that no plug was found: most likely they are in another network. */
  #sayIfAlone(): void {
    const [known] = this.#options.bridge.loops();
    if (known !== undefined || this.#saidAlone || this.#stop.signal.aborted) return;
    this.#saidAlone = true;
    const hint =
      'is this machine in the network of the plugs? a container needs the network of its host; other networks are asked with discovery.targets';
    this.#options.log.warn({ hint }, 'no plug answers; the search goes on');
  }

  /** Whether there is a plug to be found, or to be taken in. */
  get #hasToLook(): boolean {
    if (this.#adoption !== undefined) return true;
    for (const loop of this.#options.bridge.loops()) {
      if (loop.client.address === undefined || loop.isOffline) return true;
    }
    return false;
  }

  #macs(): ReadonlySet<string> {
    return new Set([...this.#options.bridge.loops()].flatMap(({ client }) => client.mac ?? []));
  }

  /** Plugs in other networks are not reached by a broadcast, but they answer when asked at their address. */
  #lostAddresses(): Address[] {
    const lost: Address[] = [];
    for (const { isOffline, client } of this.#options.bridge.loops()) {
      if (isOffline && client.address !== undefined) lost.push(client.address);
    }
    return lost;
  }

  #soon(delayMs: number): void {
    // The search that the end cut short would otherwise plan the next, and keep the program alive for ever.
    if (this.#stop.signal.aborted) return;
    const at = this.#options.clock.now() + delayMs;
    this.#lostMeanwhile ||= this.#searching !== undefined;
    if (this.#options.everyMs === 0 || this.#searching !== undefined || at >= this.#nextAt) return;
    this.#nextAt = at;
    this.#timer.set(delayMs);
  }

  /** Brings together what was found and who was looked for. */
  #place(found: FoundPlug): void {
    const loop = this.#loopFor(found);
    if (loop === undefined) this.#unconfigured(found);
    else if (found.protocol === 'other') loop.foundNewerFirmware();
    else {
      this.#move(loop, found);
      this.#adoption?.found(found);
    }
  }

  /** Adopts a device that is not configured, or logs once why not. */
  #unconfigured(found: FoundPlug): void {
    const isIgnored = this.#options.ignored().has(found.mac);
    const why = isIgnored ? 'discovery.ignore names it' : reasonAgainst(found);
    if (why === undefined && this.#adoption !== undefined) this.#adoption.consider(found);
    else this.#leaveOut(found, why ?? 'it is not configured, and plugs are not taken in');
  }

  #leaveOut({ mac, address, sysinfo }: FoundPlug, why: string): void {
    if (this.#leftOut.has(mac) || this.#leftOut.size >= MOST_NAMED) return;
    this.#leftOut.add(mac);
    const { alias, model } = sysinfo;
    this.#options.log.info({ mac, alias, model, address: placeOf(address), why }, 'found and left out');
    if (this.#leftOut.size === MOST_NAMED)
      this.#options.log.warn({ named: MOST_NAMED }, 'what else is found and left out is not named any more');
  }

  /** Addresses of configured plugs whose MAC is not known yet, host names resolved. */
  async #occupied(): Promise<ReadonlySet<string>> {
    const open: Address[] = [];
    for (const { client } of this.#options.bridge.loops()) {
      if (client.mac === undefined && client.address !== undefined) open.push(client.address);
    }
    const places = open.map(async ({ host, port }) =>
      (await this.#options.resolve(host)).map((address) => placeOf({ host: address, port })),
    );
    return new Set((await Promise.all(places)).flat());
  }

  /** A plug says something new of itself: its name, or for the first time its MAC. */
  #learnt(before: PlugState['info'], { path, info }: PlugState): void {
    if (info === null || info === before) return;
    if (info.mac !== null && info.mac !== before?.mac) this.#adoption?.identified(path, info.mac);
    if (info.alias !== before?.alias) this.#adoption?.renamed(path, info.alias ?? undefined);
  }

  #move(loop: DeviceLoop, { address, mac }: FoundPlug): void {
    const before = loop.client.address;
    if (before !== undefined && isSamePlace(before, address)) return;
    // A plug that answers where it was is not torn away by an answer from elsewhere.
    if (before !== undefined && loop.state?.availability === 'online') return;
    const from = before === undefined ? 'nowhere yet' : `${before.host}:${before.port}`;
    this.#options.log.info({ plug: loop.path, from, to: `${address.host}:${address.port}` }, 'plug found');
    loop.moveTo(address, mac);
  }

  #loopFor(found: FoundPlug): DeviceLoop | undefined {
    const { bridge, wanted } = this.#options;
    const path = wanted().find(({ alias }) => alias === found.sysinfo.alias)?.path;
    let byAlias: DeviceLoop | undefined;
    for (const loop of bridge.loops()) {
      if (loop.client.mac === found.mac) return loop;
      const { address } = loop.client;
      if (isNewerPlug(found) && loop.client.mac === undefined && address?.host === found.address.host)
        return loop;
      if (loop.path === path && loop.client.mac === undefined) byAlias = loop;
    }
    return byAlias;
  }
}

/** Whether it may be the plug of which nothing is known but that address: its firmware has left the one port for the other. */
function isNewerPlug({ protocol, sysinfo }: FoundPlug): boolean {
  return protocol === 'klap' && isSwitchedAsOne(sysinfo.kind);
}

/** Why a device that was found cannot be a plug of this bridge; `undefined` if it can. */
function reasonAgainst({ protocol, joined, sysinfo: { kind, outlets } }: FoundPlug): string | undefined {
  if (kind === 'strip' && outlets.length === 0) return 'it is a strip whose outlets cannot be told apart';
  if (kind === 'other') return 'it is not a plug';
  if (protocol === 'other') return 'its firmware speaks the protocol of Tapo devices';
  return joined ? undefined : 'it waits in a Wi-Fi of its own to be set up';
}
