import type { ClockSyncSettings } from '../../src/bridge/clock-sync.ts';
import type { Settlement } from '../../src/bridge/command.ts';
import { DeviceLoop } from '../../src/bridge/device-loop.ts';
import type { PollSettings } from '../../src/bridge/device-spec.ts';
import type { StoredOutlet } from '../../src/bridge/memory.ts';
import type { Outlet } from '../../src/bridge/outlet.ts';
import type { PlugState } from '../../src/bridge/plug-state.ts';
import type { Policy } from '../../src/bridge/policy.ts';
import type { Wish } from '../../src/bridge/wish.ts';
import { PlugError, type Reason } from '../../src/errors.ts';
import { PlugClient } from '../../src/plug/plug-client.ts';
import { isObject, type JsonObject } from '../../src/protocol/json.ts';
import type { Query, Request } from '../../src/protocol/requests.ts';
import { type DeviceOptions, SimulatedDevice } from '../../src/simulator/device.ts';
import { ManualClock, settled } from './manual-clock.ts';
import { memoryLog } from './memory-log.ts';
import { ScriptedTransport } from './scripted-transport.ts';

export const POLL: PollSettings = {
  intervalMs: 5000,
  offlineAfter: 3,
  backoffMaxMs: 60_000,
  statisticsMs: 3_600_000,
};

export const POLICY: Policy = { locked: false, restore: 'keep', enforce: false, enforceAfterMs: 2000 };

/** What a test may want to be special about its plug and how it is looked after. */
export interface BenchOptions {
  readonly device?: Partial<DeviceOptions>;
  readonly mac?: string;
  readonly poll?: Partial<PollSettings>;
  readonly policy?: Partial<Policy>;
  readonly memory?: Partial<StoredOutlet>;
  readonly clockSync?: ClockSyncSettings;
  readonly startsAt?: string;
  readonly random?: () => number;
}

/** A scripted transport that remembers when it was asked. */
export class TimedTransport extends ScriptedTransport {
  readonly asked: { readonly at: number; readonly query: Query }[] = [];
  /** A mistake of ours that the next exchange runs into. */
  bug: Error | undefined;
  /** How often it was given up. */
  closes = 0;
  /** What the plug says in its sysinfo instead of the truth; `undefined` leaves a key out. */
  overlay: JsonObject | undefined;
  readonly #clock: ManualClock;

  constructor(device: SimulatedDevice, clock: ManualClock) {
    super(device);
    this.#clock = clock;
  }

  /** When the plug was asked how it is, each time once. */
  get polls(): number[] {
    return this.times(({ system }) => system?.get_sysinfo !== undefined && !('set_relay_state' in system));
  }

  /** When queries were sent that match, each time once. */
  times(matches: (query: Query) => boolean): number[] {
    return [...new Set(this.asked.filter(({ query }) => matches(query)).map(({ at }) => at))];
  }

  override close(): void {
    this.closes++;
    super.close();
  }

  override async exchange(request: Request): Promise<JsonObject> {
    this.asked.push({ at: this.#clock.now(), query: request.query });
    const { bug } = this;
    this.bug = undefined;
    if (bug !== undefined) throw bug;
    const reply = await super.exchange(request);
    const { system } = reply;
    if (this.overlay === undefined || !isObject(system) || !isObject(system.get_sysinfo)) return reply;
    return { ...reply, system: { ...system, get_sysinfo: { ...system.get_sysinfo, ...this.overlay } } };
  }
}

/** One plug loop with a plug that a test has in its hand, a clock that it moves, and all that the loop told. */
export class PlugBench {
  readonly clock: ManualClock;
  readonly device: SimulatedDevice;
  readonly transport: TimedTransport;
  readonly loop: DeviceLoop;
  readonly log = memoryLog();
  /** What the loop told of, oldest first. */
  readonly told: { readonly after: PlugState; readonly before: PlugState; readonly asked: boolean }[] = [];
  /** What was to be kept of the outlet, last. */
  stored: StoredOutlet = { relay: null, timer: null, disarm: false };
  /** Exchanges that were told of, by why they failed. */
  readonly exchanges: (Reason | undefined)[] = [];
  /** Toggles that were decided before they were sent. */
  readonly decided: (readonly [id: number, relay: string])[] = [];
  #ids = 0;

  constructor(options: BenchOptions = {}) {
    const clock = new ManualClock(options.startsAt);
    this.clock = clock;
    this.device = device(clock, options.device);
    this.transport = new TimedTransport(this.device, clock);
    this.stored = { ...this.stored, ...options.memory };
    this.loop = new DeviceLoop({
      client: new PlugClient(this.transport, 1000, options.mac),
      poll: { ...POLL, ...options.poll },
      outlets: [{ path: 'lamp', id: null, policy: { ...POLICY, ...options.policy } }],
      clockSync: options.clockSync ?? { enabled: false, toleranceMs: 24 * 3_600_000 },
      clock,
      random: options.random ?? (() => 0),
      log: this.log.log,
      becameStrip: () => {},
      identified: () => this.outlet.recall(this.stored),
      changed: (after, before, asked) => this.told.push({ after, before, asked }),
      remember: (outlet) => {
        this.stored = outlet.stored;
      },
      exchanged: (_ms, failure) => this.exchanges.push(failure?.reason),
    });
  }

  /** The one outlet of the plug. */
  get outlet(): Outlet {
    const [outlet] = this.loop.outlets;
    if (outlet === undefined) throw new Error('a plug has an outlet');
    return outlet;
  }

  get state(): PlugState {
    return this.outlet.state;
  }

  /** A bench whose plug has been polled and is known. */
  static async polled(options: BenchOptions = {}): Promise<PlugBench> {
    const bench = new PlugBench(options);
    bench.loop.start(0);
    await settled();
    return bench;
  }

  /** Wants something of the plug: `end` for how that ends, `ended` for whether it has. */
  order(
    wish: Partial<Wish>,
    tried: () => void = () => {},
  ): {
    id: number;
    end: Promise<Settlement>;
    ended: () => Settlement | undefined;
  } {
    let outcome: Settlement | undefined;
    let settle = (_settlement: Settlement) => {};
    const end = new Promise<Settlement>((resolve) => {
      settle = resolve;
    });
    const id = ++this.#ids;
    const full: Wish = {
      ...{ id, relay: undefined, led: undefined, light: undefined, forMs: 0, origin: 'mqtt' as const },
      ...{ until: this.clock.now() + 60_000, once: false, held: false },
      ...{ retryAt: 0, attempts: 0, lags: 0, instead: undefined },
      ...wish,
    };
    this.loop.submit(this.outlet, full, {
      decided: (relay) => this.decided.push([id, relay]),
      tried,
      settle: (settlement) => {
        if (outcome !== undefined) throw new Error('settled twice');
        outcome = settlement;
        settle(settlement);
      },
    });
    this.loop.wake();
    return { id, end, ended: () => outcome };
  }

  /** From now on every exchange fails for that reason. */
  fail(reason: Reason): void {
    this.transport.behaviour = new PlugError(reason, `scripted ${reason}`);
  }

  /** When the plug was polled, each time once. */
  get polls(): number[] {
    return this.transport.polls;
  }

  /** When its statistics, clock and cloud were read. */
  get statisticsReads(): number[] {
    return this.transport.times(({ cnCloud }) => cnCloud !== undefined);
  }

  /** Relay states the plug was told to take, oldest first. */
  get switched(): unknown[] {
    return this.transport.queries.flatMap(({ system }) => system?.set_relay_state?.state ?? []);
  }

  /** Lines of the log with that message. */
  said(msg: string) {
    return this.log.lines.filter((line) => line.msg === msg);
  }
}

/** A simulated plug, on its own. */
export function device(clock: ManualClock, options: Partial<DeviceOptions> = {}): SimulatedDevice {
  return new SimulatedDevice(
    { alias: 'Lamp', mac: '50:C7:BF:00:00:01', hardware: '2.0', loadW: 40, ...options },
    clock,
  );
}
