import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import type { FoundPlug } from '../plug/discovery.ts';
import type { Address } from '../plug/transport.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { Bridge, PlugSpec } from './bridge.ts';
import type { Memory } from './memory.ts';
import type { PlugLoop } from './plug-loop.ts';

/** A plug that is looked for by the name it has in the Kasa app. */
export interface Wanted {
  readonly path: string;
  readonly alias: string;
}

export interface FinderOptions {
  readonly bridge: Bridge;
  readonly memory: Memory;
  /** Looks for plugs everywhere, and at these addresses in particular, until it is over or the signal aborts. */
  readonly search: (targets: readonly Address[], signal: AbortSignal) => AsyncIterable<FoundPlug>;
  /** Between two searches when there is something to look for; 0 never looks. */
  readonly everyMs: number;
  /** Plugs that are looked for by alias. */
  readonly wanted: readonly Wanted[];
  /** How a plug that nobody configured is taken in; `undefined` leaves such plugs alone. */
  readonly adopt: ((path: string, found: FoundPlug) => PlugSpec) | undefined;
  /** Called for each plug that was taken in. */
  readonly taken: (path: string, found: FoundPlug) => void;
  /** Gives each plug that is taken in a path of its own. */
  readonly pathsFor: (
    plugs: readonly { mac: string; alias: string | undefined }[],
  ) => ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A plug that goes offline is looked for this soon, and with it whatever else goes offline by then. */
const LOST_MS = 2000;

/** Finds plugs that have no address, follows those that moved, and takes in new ones if that is wanted. */
export class Finder implements Task {
  readonly name = 'finder';
  readonly #options: FinderOptions;
  readonly #timer: Timer;
  /** Adopted plugs as last seen, by MAC. */
  readonly #adopted = new Map<string, { mac: string; alias: string | undefined; found: FoundPlug }>();
  /** Paths of those that were taken in since the start, by MAC. */
  readonly #taken = new Map<string, string>();
  #searching: Promise<readonly FoundPlug[]> | undefined;
  #stop = new AbortController();
  #nextAt = Number.POSITIVE_INFINITY;
  /** A plug was lost while a search was under way that may have passed it over. */
  #lostMeanwhile = false;
  #saidAlone = false;

  constructor(options: FinderOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => void this.search());
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, everyMs } = this.#options;
    const unsubscribe = bridge.subscribe((event) => {
      if (event.type !== 'plug' || event.before === event.after) return;
      if (event.after.availability === 'offline') this.#soon(LOST_MS);
      else if (event.before.info?.alias !== event.after.info?.alias)
        this.#renamed(event.after.path, event.after.info?.alias);
    });
    ready();
    if (everyMs > 0 && this.#hasToLook) this.#soon(0);
    await aborted(signal);
    unsubscribe();
    this.#stop.abort();
    this.#timer.clear();
    await this.#searching;
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
    try {
      for await (const plug of search(this.#lostAddresses(), this.#stop.signal)) {
        found.set(plug.mac, plug);
        this.#place(plug);
      }
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'cannot look for plugs');
    }
    await this.#adoptAll();
    this.#sayIfAlone();
    return [...found.values()];
  }

  /** Says once that there is nobody: most likely the plugs are in another network. */
  #sayIfAlone(): void {
    const [anyone] = this.#options.bridge.loops();
    if (anyone !== undefined || this.#saidAlone || this.#stop.signal.aborted) return;
    this.#saidAlone = true;
    const hint =
      'is this machine in the network of the plugs? a container needs the network of its host; other networks are asked with discovery.targets';
    this.#options.log.warn({ hint }, 'no plug answers; the search goes on');
  }

  /** Whether there is a plug to be found, or to be taken in. */
  get #hasToLook(): boolean {
    if (this.#options.adopt !== undefined) return true;
    for (const loop of this.#options.bridge.loops()) {
      if (loop.client.address === undefined || loop.state.availability === 'offline') return true;
    }
    return false;
  }

  /** Plugs in other networks are not reached by a broadcast, but they may tell what has become of them. */
  #lostAddresses(): Address[] {
    const lost: Address[] = [];
    for (const { state, client } of this.#options.bridge.loops()) {
      if (state.availability === 'offline' && client.address !== undefined) lost.push(client.address);
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
    if (loop === undefined) {
      // Strips and bulbs speak the same protocol, but have no relay of their own.
      if (found.joined && found.speaks === 'xor' && found.sysinfo.relay !== undefined)
        this.#adopted.set(found.mac, { mac: found.mac, alias: found.sysinfo.alias, found });
    } else if (found.speaks === 'klap') loop.outgrown();
    else this.#move(loop, found);
  }

  #move(loop: PlugLoop, { address, mac }: FoundPlug): void {
    const before = loop.client.address;
    if (before?.host === address.host && before.port === address.port) return;
    // A plug that answers where it was is not torn away by an answer from elsewhere.
    if (before !== undefined && loop.state.availability === 'online') return;
    const from = before === undefined ? 'nowhere yet' : `${before.host}:${before.port}`;
    this.#options.log.info({ plug: loop.path, from, to: `${address.host}:${address.port}` }, 'plug found');
    loop.moveTo(address, mac);
  }

  #loopFor(found: FoundPlug): PlugLoop | undefined {
    const { bridge, wanted } = this.#options;
    const path = wanted.find(({ alias }) => alias === found.sysinfo.alias)?.path;
    let byAlias: PlugLoop | undefined;
    for (const loop of bridge.loops()) {
      if (loop.client.mac === found.mac) return loop;
      const { address } = loop.client;
      if (found.speaks === 'klap' && loop.client.mac === undefined && address?.host === found.address.host)
        return loop;
      if (loop.path === path && loop.client.mac === undefined) byAlias = loop;
    }
    return byAlias;
  }

  /** Takes in what was found, each under a path of its own; a path may move when its plug is renamed. */
  async #adoptAll(): Promise<void> {
    const { bridge, adopt, pathsFor, memory, taken } = this.#options;
    if (adopt === undefined || this.#stop.signal.aborted) return;
    const paths = [...pathsFor([...this.#adopted.values()])].map(
      ([mac, path]) => [mac, this.#freePath(mac, path)] as const,
    );
    for (const [mac, path] of paths) {
      const old = memory.adopted.get(mac);
      if (old !== undefined && old !== path && !this.#isTaken(mac, old)) await bridge.remove(old);
    }
    for (const [mac, path] of paths) {
      const plug = this.#adopted.get(mac);
      if (plug === undefined || bridge.plug(path) !== undefined) continue;
      this.#taken.set(mac, path);
      memory.adopted.set(mac, path);
      memory.changed();
      bridge.add(adopt(path, plug.found));
      taken(path, plug.found);
    }
  }

  /** The path, or one with the end of the MAC if another plug or a place has it. */
  #freePath(mac: string, path: string): string {
    return this.#isTaken(mac, path) ? `${path}-${mac.replaceAll(':', '').slice(-4).toLowerCase()}` : path;
  }

  /** Whether a path is somebody else's. What was this plug's in a former run may be configured for another now. */
  #isTaken(mac: string, path: string): boolean {
    const { bridge } = this.#options;
    return this.#taken.get(mac) !== path && (bridge.plug(path) ?? bridge.place(path)) !== undefined;
  }

  /** An adopted plug has another alias: its path follows. */
  #renamed(path: string, alias: string | null | undefined): void {
    for (const plug of this.#adopted.values()) {
      if (this.#options.memory.adopted.get(plug.mac) !== path || plug.alias === alias) continue;
      plug.alias = alias ?? undefined;
      void this.#adoptAll();
    }
  }
}
