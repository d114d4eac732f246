import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge } from '../../src/bridge/bridge.ts';
import type { DeviceSpec } from '../../src/bridge/device-spec.ts';
import type { PlugState } from '../../src/bridge/plug-state.ts';
import { PlugClient } from '../../src/plug/plug-client.ts';
import type { LampSettings } from '../../src/rules/lamp.ts';
import type { Band } from '../../src/rules/tariff.ts';
import type { Clock, Timer } from '../../src/runtime/clock.ts';
import { SimulatedBulb } from '../../src/simulator/bulb.ts';
import { type DeviceOptions, SimulatedDevice } from '../../src/simulator/device.ts';
import { openDatabase } from '../../src/store/database.ts';
import { type EnergyQuery, readEnergy } from '../../src/store/energy-report.ts';
import { energyWriter } from '../../src/store/energy-writer.ts';
import { Rounds } from '../../src/store/rounds.ts';
import { Store } from '../../src/store/store.ts';
import { ManualClock, settled } from './manual-clock.ts';
import { memoryLog } from './memory-log.ts';
import { POLICY, POLL } from './plug-bench.ts';
import { ScriptedTransport } from './scripted-transport.ts';

/** A plug, the lamp check for it, and its path. */
interface SitePlug {
  readonly device: SimulatedDevice;
  readonly lamp: LampSettings | undefined;
}

const BULB_MAC = '50:C7:BF:00:02:01';

export interface SiteOptions {
  readonly startsAt?: string;
  readonly bands?: readonly Band[];
  readonly timeZone?: string;
  readonly pollMs?: number;
}

interface Running {
  readonly bridge: Bridge;
  readonly store: Store;
  readonly rounds: Rounds;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** The rounds end after the bridge, as in the program. */
async function run(rounds: Rounds, bridge: Bridge, signal: AbortSignal): Promise<void> {
  const last = new AbortController();
  const written = rounds.run(last.signal, () => {});
  await bridge.run(signal, () => {});
  last.abort();
  await written;
}

/** A bridge and its store, which a test starts, stops and kills, and plugs that go on without it. */
export class EnergySite implements Clock {
  readonly folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-energy-'));
  readonly plugs = new Map<string, SitePlug>();
  /** By path. */
  readonly #bulbs = new Map<string, SimulatedBulb>();
  readonly log = memoryLog();
  readonly boot = 'boot 1';
  readonly #options: SiteOptions;
  #clock: ManualClock;
  #running: Running | undefined;

  constructor(options: SiteOptions = {}) {
    this.#options = options;
    this.#clock = new ManualClock(options.startsAt);
  }

  now(): number {
    return this.#clock.now();
  }

  date(): number {
    return this.#clock.date();
  }

  timer(fire: () => void): Timer {
    return this.#clock.timer(fire);
  }

  soon(fire: () => void): void {
    this.#clock.soon(fire);
  }

  add(path: string, options: Partial<DeviceOptions> = {}, lamp?: LampSettings): SimulatedDevice {
    const mac = `50:C7:BF:00:01:${String(this.plugs.size + 1).padStart(2, '0')}`;
    const device = new SimulatedDevice(
      { alias: path, mac, hardware: '2.0', on: true, loadW: 100, ...options },
      this,
    );
    this.plugs.set(path, { device, lamp });
    return device;
  }

  /** Adds the only bulb of the site, which is on. */
  addBulb(path: string): void {
    this.#bulbs.set(path, new SimulatedBulb({ alias: path, mac: BULB_MAC, on: true }, this));
  }

  get bridge(): Bridge {
    return this.#runs.bridge;
  }

  get store(): Store {
    return this.#runs.store;
  }

  get rounds(): Rounds {
    return this.#runs.rounds;
  }

  get #runs(): Running {
    if (this.#running === undefined) throw new Error('the bridge does not run');
    return this.#running;
  }

  state(path: string): PlugState {
    const state = this.bridge.plug(path);
    if (state === undefined) throw new Error(`there is no plug ${path}`);
    return state;
  }

  /** Starts the bridge on the folder. */
  async start(): Promise<void> {
    const { log } = this.log;
    const clock = this.#clock;
    const store = new Store({
      database: openDatabase(this.folder),
      lock: undefined,
      problem: null,
      clock,
      log,
    });
    const bridge = new Bridge({
      devices: [...this.plugs.keys(), ...this.#bulbs.keys()].map((path) => this.spec(path)),
      staggerMs: new Map(),
      memory: store,
      clockSync: { enabled: false, toleranceMs: 24 * 3_600_000 },
      clock,
      random: () => 0,
      log,
      ttlMs: 60_000,
      concurrency: 64,
    });
    const { bands = [], timeZone = 'UTC' } = this.#options;
    const energy = energyWriter({ meters: () => bridge.meters(), store, timeZone, bands, clock });
    const rounds = new Rounds({ store, writers: [energy], clock });
    bridge.on('leaving', () => rounds.writeAll());
    const stop = new AbortController();
    const ended = run(rounds, bridge, stop.signal);
    this.#running = { bridge, store, rounds, stop, ended };
    await this.advance(1000);
  }

  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
  }

  /** The bridge stops in order. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.stop.abort();
    await settled();
    await this.#clock.advance(1000);
    await running.ended;
    running.store.database.close();
    this.#running = undefined;
  }

  /** The bridge is killed: what it has not written is lost. */
  kill(): void {
    this.store.database.close();
    this.#running = undefined;
    // Nothing of it runs on: its clock has stopped.
    this.#clock = new ManualClock(new Date(this.#clock.date()).toISOString());
  }

  /** Time passes without the bridge. */
  pass(ms: number): void {
    this.#clock = new ManualClock(new Date(this.#clock.date() + ms).toISOString());
  }

  energy(query: Partial<EnergyQuery> = {}) {
    return readEnergy(this.store.database, { path: '', from: 0, to: 99991231, by: 'all', ...query });
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }

  /** How the bridge looks after that plug. */
  spec(path: string): DeviceSpec {
    const intervalMs = this.#options.pollMs ?? POLL.intervalMs;
    return {
      client: this.#client(path),
      poll: { ...POLL, intervalMs, statisticsMs: 300_000 },
      outlets: [{ path, id: null, policy: POLICY, lamp: this.plugs.get(path)?.lamp }],
    };
  }

  #client(path: string): PlugClient {
    const bulb = this.#bulbs.get(path);
    if (bulb !== undefined) return new PlugClient(new ScriptedTransport(bulb), 1000, BULB_MAC);
    const device = this.plugs.get(path)?.device;
    if (device === undefined) throw new Error(`there is no plug ${path}`);
    return new PlugClient(new ScriptedTransport(device), 1000, device.options.mac);
  }
}
