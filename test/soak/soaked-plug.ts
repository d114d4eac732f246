import process from 'node:process';
import { isObject, type JsonObject } from '../../src/protocol/json.ts';
import { type DeviceOptions, SimulatedDevice } from '../../src/simulator/device.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { FAULTS, type FaultCase, heal, type Victim } from '../support/fault-table.ts';
import { switches } from '../support/other-devices.ts';
import { quietPort } from '../support/quiet-port.ts';
import { SURROUNDINGS } from '../support/site.ts';
import type { Chance } from './random.ts';

const { clock } = SURROUNDINGS;

/** What a plug answered of its relay; `null` where it said nothing of it. */
interface Told {
  readonly at: number;
  readonly relay: boolean | null;
  /** Whether the answer went out as it is. */
  readonly whole: boolean;
}

/** What the MACs of this run have in common, and those of another one beside it have not. */
const RUN = (process.pid % 256).toString(16).toUpperCase().padStart(2, '0');

/** A publication may be this much later than the answer that it tells of. */
const LATE_MS = 3000;

/** A simulated device that remembers what it has said. */
class TellingDevice extends SimulatedDevice {
  readonly told: Told[] = [];
  /** How often it was told to switch its relay. */
  switched = 0;
  whole: () => boolean = () => true;

  constructor(options: DeviceOptions) {
    super(options, clock);
  }

  override answer(query: JsonObject): JsonObject {
    if (switches(query)) this.switched++;
    const reply = super.answer(query);
    const { system } = reply;
    if (isObject(system) && isObject(system.get_sysinfo)) {
      const { relay_state } = system.get_sysinfo;
      const relay = relay_state === undefined ? null : relay_state === 1;
      this.told.push({ at: clock.now(), relay, whole: this.whole() });
      if (this.told.length > 2000) this.told.splice(0, 1000);
    }
    return reply;
  }
}

/** Whether an answer goes out as it is, and in time, with this fault on the wire. */
function isWhole(fault: Fault): boolean {
  if (fault.kind === 'delay') return fault.ms < 500;
  return ['none', 'two-frames', 'surplus', 'half-open'].includes(fault.kind);
}

export interface SoakedPlugOptions {
  /** Another port, to which it moves now and then. */
  readonly elsewhere?: number;
  readonly locked?: boolean;
}

/** A plug of the soak: it fails now and then, and knows what may be published of it. */
export class SoakedPlug implements Victim {
  readonly path: string;
  readonly server: PlugServer;
  readonly device: TellingDevice;
  readonly home: number;
  readonly elsewhere: number;
  /** Whether it is configured so that no command may switch it. */
  readonly locked: boolean;
  #fault: FaultCase | undefined;

  private constructor(
    path: string,
    server: PlugServer,
    device: TellingDevice,
    { elsewhere = 0, locked = false }: SoakedPlugOptions,
  ) {
    this.path = path;
    this.server = server;
    this.device = device;
    this.home = server.port;
    this.elsewhere = elsewhere;
    this.locked = locked;
    device.whole = () => isWhole(server.fault);
  }

  /** Puts plug number `number` on the network. */
  static async started(path: string, number: number, options: SoakedPlugOptions = {}): Promise<SoakedPlug> {
    const digits = number.toString(16).toUpperCase().padStart(4, '0');
    const device = new TellingDevice({
      alias: path,
      mac: `50:C7:BF:${RUN}:${digits.slice(0, 2)}:${digits.slice(2)}`,
      hardware: number % 3 === 0 ? '1.0' : '2.0',
      loadW: 40,
      on: number % 2 === 0,
    });
    const server = new PlugServer({
      device,
      host: '127.0.0.1',
      port: await quietPort(),
      clock,
      random: Math.random,
    });
    await server.start();
    return new SoakedPlug(path, server, device, options);
  }

  /** What it said last, for people. */
  get lately(): string {
    const said = this.device.told.slice(-6).map(({ at, relay, whole }) => {
      const state = relay === null ? 'nothing' : relay ? 'ON' : 'OFF';
      return `${state} ${Math.round(clock.now() - at)} ms ago${whole ? '' : ' (broken)'}`;
    });
    return `${said.join(', ')}; fault: ${this.#fault?.fault ?? 'none'}`;
  }

  get fails(): boolean {
    return this.#fault !== undefined;
  }

  /** Begins to fail, by chance in one way or the other; returns which. */
  async fail(chance: Chance): Promise<string> {
    const possible = FAULTS.filter(({ fault }) => fault !== 'address-changes' || this.elsewhere > 0);
    const fault = chance.of(possible);
    this.#fault = fault;
    await fault.strike(this);
    return fault.fault;
  }

  async heal(): Promise<void> {
    await heal(this);
    this.#fault = undefined;
  }

  /** Whether `state` may be published now: it was said lately, or was the last that came through before. */
  mayBe(state: boolean | null): boolean {
    const { told } = this.device;
    const lately = clock.now() - LATE_MS;
    let certain = 0;
    for (let index = told.length - 1; index >= 0 && certain < 2; index--) {
      const one = told[index];
      if (one === undefined || one.relay === state) return one !== undefined;
      if (one.whole && one.at < lately) certain++;
    }
    // Before it has said anything nothing is known of it.
    return state === null && told.length === 0;
  }

  /** Whether it has said since then that its relay is so. */
  saidSince(at: number, relay: boolean): boolean {
    return this.device.told.some((one) => one.at >= at && one.relay === relay);
  }
}
