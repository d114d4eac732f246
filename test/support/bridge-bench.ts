import { Bridge, type BridgeOptions } from '../../src/bridge/bridge.ts';
import type { Command, Receipt } from '../../src/bridge/command.ts';
import type { DeviceSpec, PollSettings } from '../../src/bridge/device-spec.ts';
import type { Policy } from '../../src/bridge/policy.ts';
import type { BridgeEvents } from '../../src/bridge/view.ts';
import { PlugClient } from '../../src/plug/plug-client.ts';
import type { DeviceOptions } from '../../src/simulator/device.ts';
import type { Store } from '../../src/store/store.ts';
import { ManualClock, settled } from './manual-clock.ts';
import { memoryLog } from './memory-log.ts';
import { memoryStore } from './memory-store.ts';
import { device, POLICY, POLL, TimedTransport } from './plug-bench.ts';

export interface BridgeBenchOptions
  extends Partial<Pick<BridgeOptions, 'staggerMs' | 'ttlMs' | 'concurrency'>> {
  readonly memory?: Store;
  readonly clock?: ManualClock;
  readonly policies?: { readonly [path: string]: Partial<Policy> };
  readonly poll?: Partial<PollSettings>;
  readonly device?: Partial<DeviceOptions>;
}

/** A bridge whose plugs a test has in its hand, and a clock that it moves. */
export class BridgeBench {
  readonly clock: ManualClock;
  readonly log = memoryLog();
  readonly memory: Store;
  readonly bridge: Bridge;
  readonly transports = new Map<string, TimedTransport>();
  /** Plugs that changed, and that were removed, oldest first. */
  readonly plugs: BridgeEvents['plug'][] = [];
  readonly removed: BridgeEvents['removed'][] = [];
  readonly receipts: BridgeEvents['receipt'][] = [];
  readonly #options: BridgeBenchOptions;
  readonly #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(paths: readonly string[], options: BridgeBenchOptions = {}) {
    this.#options = options;
    this.clock = options.clock ?? new ManualClock();
    this.memory = options.memory ?? memoryStore(this.clock);
    this.bridge = new Bridge({
      devices: paths.map((path) => this.spec(path)),
      staggerMs: options.staggerMs ?? new Map(),
      memory: this.memory,
      clockSync: { enabled: false, toleranceMs: 24 * 3_600_000 },
      clock: this.clock,
      random: () => 0,
      log: this.log.log,
      ttlMs: options.ttlMs ?? 60_000,
      concurrency: options.concurrency ?? 64,
    });
    this.bridge.on('plug', (event) => this.plugs.push(event));
    this.bridge.on('removed', (event) => this.removed.push(event));
    this.bridge.on('receipt', (event) => this.receipts.push(event));
  }

  /** A bench that runs and has seen all of its plugs. */
  static async running(paths: readonly string[], options: BridgeBenchOptions = {}): Promise<BridgeBench> {
    const bench = new BridgeBench(paths, options);
    bench.start();
    await bench.clock.advance(1000);
    return bench;
  }

  start(): void {
    this.#ended = this.bridge.run(this.#stop.signal, () => {});
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await settled();
    await this.clock.advance(1000);
    await this.#ended;
  }

  /** A new plug for that path; its MAC ends in its number. */
  spec(path: string, mac = macOf(this.transports.size + 1), alias = path): DeviceSpec {
    const transport = new TimedTransport(
      device(this.clock, { alias, mac, ...this.#options.device }),
      this.clock,
    );
    this.transports.set(path, transport);
    return {
      client: new PlugClient(transport, 1000, undefined),
      poll: { ...POLL, ...this.#options.poll },
      outlets: [{ path, id: null, policy: { ...POLICY, ...this.#options.policies?.[path] } }],
    };
  }

  transport(path: string): TimedTransport {
    const transport = this.transports.get(path);
    if (transport === undefined) throw new Error(`the test has no plug ${path}`);
    return transport;
  }

  /** Commands a plug or place; `receipt` for its end, `settled` for whether that has come. */
  command(
    path: string,
    command: Partial<Command>,
  ): { receipt: Promise<Receipt>; ended: () => Receipt | undefined } {
    let outcome: Receipt | undefined;
    const taken = this.bridge.command(path, { id: null, origin: 'mqtt', user: null, ...command });
    const receipt =
      taken ?? Promise.reject(new Error('the command was taken for one that was delivered again'));
    void receipt.then((value) => {
      outcome = value;
    });
    return { receipt, ended: () => outcome };
  }

  /** How the relays stand, in the order of the plugs. */
  get relays(): boolean[] {
    return [...this.transports.values()].map((transport) => transport.device.relay);
  }

  /** When each relay was first told to switch. */
  switchedAt(path: string): number | undefined {
    return this.transport(path).asked.find(({ query }) => query.system?.set_relay_state !== undefined)?.at;
  }
}

export function macOf(number: number): string {
  return `50:C7:BF:00:00:${number.toString(16).toUpperCase().padStart(2, '0')}`;
}
