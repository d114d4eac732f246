import type { Logger } from 'pino';
import type { FoundPlug } from '../plug/discovery.ts';
import type { Address } from '../plug/transport.ts';
import type { Bridge } from './bridge.ts';
import type { DeviceSpec } from './device-spec.ts';
import type { Memory } from './memory.ts';

export interface AdoptionOptions {
  readonly bridge: Bridge;
  readonly memory: Memory;
  /** How a plug that is not configured is taken in. */
  readonly adopt: (path: string, found: FoundPlug) => DeviceSpec;
  /** How many are taken in at most: anyone in the network can answer as a plug. */
  readonly limit: number;
  /** Called for each plug that was taken in. */
  readonly taken: (path: string, found: FoundPlug) => void;
  /** Gives each plug a path of its own, the one that it had before if that still fits its name. */
  readonly pathsFor: (plugs: readonly NamedPlug[]) => ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** What the path of a plug is made of. */
export interface NamedPlug {
  readonly mac: string;
  readonly alias: string | undefined;
  readonly before: string | undefined;
}

interface Candidate {
  alias: string | undefined;
  found: FoundPlug;
}

/** Digits of the MAC that a path ends with where another plug or a place has the path without them. */
const MAC_DIGITS = [4, 6, 12];

/** Adopts plugs that were found and are not configured, each under a path of its own. */
export class Adoption {
  readonly #options: AdoptionOptions;
  /** Plugs to be taken in, and those that were, by MAC. */
  readonly #candidates = new Map<string, Candidate>();
  /** Paths of those that were taken in since the start, by MAC. */
  readonly #paths = new Map<string, string>();
  /** Addresses (`host:port`) of configured plugs whose MAC is not known yet. */
  #occupied: ReadonlySet<string> = new Set();
  #isFull = false;
  #working: Promise<void> = Promise.resolve();

  constructor(options: AdoptionOptions) {
    this.#options = options;
  }

  /** The plugs that an earlier run took in are there from the start, also those that do not answer. */
  restore(): void {
    const { bridge, memory } = this.#options;
    for (const [mac, { path }] of memory.adopted()) {
      if (bridge.loopAt(path)?.client.mac === mac) this.#paths.set(mac, path);
    }
  }

  /** The device is configured from now on, or left alone: its path is no longer chosen here. */
  release(mac: string): void {
    this.#candidates.delete(mac);
    this.#paths.delete(mac);
    this.#options.memory.forget(mac);
  }

  /** A plug that has a path was found: if it was taken in, its name may ask for another. */
  found(found: FoundPlug): void {
    if (this.#paths.has(found.mac)) this.consider(found);
  }

  /** A plug that is not configured was found: it is taken in with the next `takeIn`. */
  consider(found: FoundPlug): void {
    const { limit, log, memory } = this.#options;
    const { mac, sysinfo } = found;
    const isKnown = this.#candidates.has(mac) || memory.adopted().has(mac);
    if (isKnown || this.#candidates.size < limit) {
      this.#candidates.set(mac, { alias: sysinfo.alias, found });
    } else if (!this.#isFull) {
      this.#isFull = true;
      const cure = 'configure the plugs, or raise discovery.limit if there are as many';
      log.warn({ limit, cure }, 'more plugs answer than are taken in; the others are left alone');
    }
  }

  /** Takes in all that is to be taken in, but for what is at an `occupied` address (`host:port`). */
  takeIn(occupied = this.#occupied): Promise<void> {
    this.#occupied = occupied;
    this.#working = this.#working.then(() => this.#takeIn());
    return this.#working;
  }

  /** A plug at that path has another alias: its path follows if it was taken in. */
  renamed(path: string, alias: string | undefined): void {
    for (const [mac, plug] of this.#candidates) {
      if (this.#paths.get(mac) !== path || plug.alias === alias) continue;
      plug.alias = alias;
      void this.takeIn();
    }
  }

  /** A plug at that path has shown its MAC: if it was taken in under another path, it is configured here. */
  identified(path: string, mac: string): void {
    if (this.#candidates.has(mac) && this.#paths.get(mac) !== path) void this.takeIn();
  }

  async #takeIn(): Promise<void> {
    if (this.#options.signal.aborted) return;
    await this.#dropConfigured();
    const { bridge, memory } = this.#options;
    const paths = this.#choosePaths();
    for (const [mac, path] of paths) {
      const old = memory.adopted().get(mac)?.path;
      if (old !== undefined && old !== path && !this.#isTaken(mac, old)) await bridge.remove(old);
    }
    for (const [mac, path] of paths) this.#add(mac, path);
  }

  #choosePaths(): (readonly [mac: string, path: string])[] {
    const { memory, pathsFor } = this.#options;
    const plugs = [...this.#candidates]
      .filter(([mac, { found }]) => this.#paths.has(mac) || !this.#occupied.has(placeOf(found.address)))
      .map(([mac, { alias }]) => ({ mac, alias, before: memory.adopted().get(mac)?.path }));
    return [...pathsFor(plugs)].map(([mac, path]) => [mac, this.#freePath(mac, path)] as const);
  }

  #add(mac: string, path: string): void {
    const { bridge, adopt, memory, taken } = this.#options;
    const plug = this.#candidates.get(mac);
    if (plug === undefined || (bridge.plug(path) ?? bridge.place(path)) !== undefined) return;
    this.#paths.set(mac, path);
    if (!memory.adopted().has(mac)) this.#forgetAbsent();
    memory.adopt(mac, { path, address: plug.found.address });
    bridge.add(adopt(path, plug.found));
    taken(path, plug.found);
  }

  /** Removes adopted plugs that turned out to be configured ones. */
  async #dropConfigured(): Promise<void> {
    const { bridge } = this.#options;
    for (const loop of [...bridge.loops()]) {
      const { mac } = loop.client;
      if (mac === undefined || !this.#candidates.has(mac)) continue;
      const path = this.#paths.get(mac);
      if (path === loop.path) continue;
      this.release(mac);
      if (path !== undefined) await bridge.remove(path);
    }
  }

  /** Forgets plugs of former runs that have not been found again, as many as there are too many. */
  #forgetAbsent(): void {
    const { memory, limit } = this.#options;
    for (const mac of [...memory.adopted().keys()]) {
      if (memory.adopted().size < limit) return;
      if (!this.#candidates.has(mac) && !this.#paths.has(mac)) memory.forget(mac);
    }
  }

  /** The path, or one with the end of the MAC if another plug or a place has it. */
  #freePath(mac: string, path: string): string {
    const id = mac.replaceAll(':', '').toLowerCase();
    const paths = [path, ...MAC_DIGITS.map((digits) => `${path}-${id.slice(-digits)}`)];
    return paths.find((one) => !this.#isTaken(mac, one)) ?? path;
  }

  /** Whether a path is another plug's. What was this plug's in a former run may be configured for another now. */
  #isTaken(mac: string, path: string): boolean {
    const { bridge } = this.#options;
    return this.#paths.get(mac) !== path && (bridge.plug(path) ?? bridge.place(path)) !== undefined;
  }
}

/** An address as one text. */
export function placeOf({ host, port }: Address): string {
  return `${host}:${port}`;
}
