import type { DeviceSpec } from '../../src/bridge/device-spec.ts';
import { Finder, type Wanted } from '../../src/bridge/finder.ts';
import { PlugError } from '../../src/errors.ts';
import { pathsByAlias } from '../../src/mqtt/plug-paths.ts';
import type { FoundPlug } from '../../src/plug/discovery.ts';
import type { Address } from '../../src/plug/transport.ts';
import { readSysinfo } from '../../src/protocol/replies.ts';
import type { SimulatedDevice } from '../../src/simulator/device.ts';
import { BridgeBench, type BridgeBenchOptions } from './bridge-bench.ts';
import { settled } from './manual-clock.ts';

export interface FinderBenchOptions extends BridgeBenchOptions {
  readonly everyMs?: number;
  readonly wanted?: readonly Wanted[];
  readonly ignored?: readonly string[];
  readonly adopt?: boolean;
  readonly limit?: number;
  /** Addresses of host names. */
  readonly names?: ReadonlyMap<string, readonly string[]>;
  /** Plugs whose address is not known, by path. */
  readonly lost?: readonly string[];
}

/** A finder over a bridge, and a network that holds what a test says. */
export class FinderBench {
  readonly bench: BridgeBench;
  readonly finder: Finder;
  /** What the next search finds. */
  found: FoundPlug[] = [];
  /** Fails the next searches. */
  failure: Error | undefined;
  /** When each search began, and which addresses it asked in particular. */
  readonly searches: {
    readonly at: number;
    readonly targets: readonly Address[];
    readonly expected: ReadonlySet<string>;
  }[] = [];
  /** Plugs that were taken in: `MAC path`. */
  readonly taken: string[] = [];
  /** Searches wait until this is called; at once if it is not set. */
  hold: Promise<void> = Promise.resolve();
  readonly #devices = new Map<string, SimulatedDevice>();
  readonly #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(paths: readonly string[], options: FinderBenchOptions = {}) {
    const bench = new BridgeBench(paths, options);
    this.bench = bench;
    for (const path of options.lost ?? []) {
      bench.transport(path).address = undefined;
      bench.transport(path).behaviour = new PlugError('not-found', 'nobody knows where it is');
    }
    this.finder = new Finder({
      bridge: bench.bridge,
      memory: bench.memory,
      search: (targets, _signal, expected) => this.#search(targets, expected),
      everyMs: options.everyMs ?? 60_000,
      wanted: () => options.wanted ?? [],
      ignored: () => new Set(options.ignored),
      adoption: options.adopt
        ? {
            adopt: (path, found) => this.#spec(path, found),
            limit: options.limit ?? 1000,
            taken: (path, { mac }) => this.taken.push(`${mac} ${path}`),
            pathsFor: pathsByAlias,
          }
        : undefined,
      resolve: async (host) => options.names?.get(host) ?? [host],
      clock: bench.clock,
      log: bench.log.log,
    });
  }

  /** Lets bridge and finder run for a while. */
  async run(ms: number): Promise<void> {
    this.bench.start();
    this.#ended = this.finder.run(this.#stop.signal, () => {});
    await settled();
    await this.bench.clock.advance(ms);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    await this.bench.stop();
  }

  /** A plug stays the same device when it moves to another path. */
  #spec(path: string, { mac }: Pick<FoundPlug, 'mac'>): DeviceSpec {
    const alias = this.found.find((plug) => plug.mac === mac)?.sysinfo.alias;
    const spec = this.bench.spec(path, mac, alias);
    const transport = this.bench.transport(path);
    transport.device = this.#devices.get(mac) ?? transport.device;
    this.#devices.set(mac, transport.device);
    return spec;
  }

  async *#search(
    targets: readonly Address[],
    expected: ReadonlySet<string>,
  ): AsyncGenerator<FoundPlug, void> {
    this.searches.push({ at: this.bench.clock.now(), targets, expected });
    await this.hold;
    yield* this.found;
    if (this.failure !== undefined) throw this.failure;
  }
}

/** A plug as a search finds it. */
export function foundPlug(mac: string, alias: string | undefined, more: Partial<FoundPlug> = {}): FoundPlug {
  return {
    mac,
    address: { host: '192.0.2.77', port: 9999 },
    protocol: 'xor',
    joined: true,
    sysinfo: readSysinfo({ mac, relay_state: 0, ...(alias === undefined ? {} : { alias }) }),
    ...more,
  };
}
