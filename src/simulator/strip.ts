import { isObject, type JsonObject } from '../protocol/json.ts';
import type { Clock } from '../runtime/clock.ts';
import { DeviceClock } from './device-clock.ts';
import { firmwareMethods, restartMethods } from './firmware.ts';
import { type Identity, identityMethods, identityOf, tenThousandths } from './identity.ts';
import { SimulatedNetwork } from './network.ts';
import { SimulatedOutlet } from './outlet.ts';
import {
  type Answer,
  answerFrom,
  BAD_ARGUMENT,
  type Method,
  type Modules,
  NO_ENTRY,
  OK,
  type PlugDevice,
  plugDialect,
} from './plug-device.ts';

/** What kind of strip is simulated. */
export interface StripOptions {
  readonly alias: string;
  readonly mac: string;
  /** With its region. The HS300 has a meter for each outlet, others have none. */
  readonly model: string;
  readonly outlets: readonly { readonly alias: string; readonly loadW: number; readonly on?: boolean }[];
}

/** Modules that every outlet has for itself. */
const OF_AN_OUTLET = ['emeter', 'schedule', 'anti_theft', 'count_down'];

interface Child {
  /** What it is called over UDP: its number, in two digits. */
  readonly slot: string;
  alias: string;
  readonly outlet: SimulatedOutlet;
}

/**
 * A power strip: several outlets behind one address. A query names outlets by `context.child_ids`; without it the
 * relay command is for all of them, and everything else of an outlet for the first.
 */
export class SimulatedStrip implements PlugDevice {
  readonly closesAfterReply = false;
  readonly #options: StripOptions;
  readonly #identity: Identity;
  readonly #network: SimulatedNetwork;
  readonly #time: DeviceClock;
  readonly #children: readonly Child[];

  constructor(options: StripOptions, clock: Clock) {
    this.#options = options;
    this.#identity = identityOf(options);
    this.#network = new SimulatedNetwork(options.mac, false);
    this.#time = new DeviceClock(clock, false);
    this.#children = options.outlets.map(({ alias, loadW, on = false }, index) => ({
      slot: `${index}`.padStart(2, '0'),
      alias,
      outlet: new SimulatedOutlet(
        { on, loadW, hasMeter: this.#hasMeter, inUnits: false, phase: index },
        this.#time,
      ),
    }));
  }

  /** The relays of its outlets, in their order. */
  get relays(): readonly boolean[] {
    return this.#children.map(({ outlet }) => outlet.relay);
  }

  /** Presses the button of one outlet. */
  press(index: number): void {
    const outlet = this.#children[index]?.outlet;
    outlet?.switch(!outlet.relay);
  }

  answer(query: JsonObject, transport: 'tcp' | 'udp'): JsonObject {
    const named = this.#namedIn(query);
    return answerFrom(this.#modules(named, transport), query, plugDialect(true));
  }

  get #hasMeter(): boolean {
    return this.#options.model.startsWith('HS300');
  }

  #modules(named: readonly Child[] | Answer | undefined, transport: 'tcp' | 'udp'): Modules {
    const { set_dev_alias: setStripAlias, ...ofTheStrip } = identityMethods(this.#identity);
    return {
      system: {
        ...ofTheStrip,
        ...firmwareMethods(false),
        get_sysinfo: () => this.#sysinfo(transport),
        set_relay_state: forAll(named ?? this.#children),
        set_dev_alias: named === undefined ? (setStripAlias ?? (() => OK)) : rename(named),
        ...restartMethods(
          () => this.#boot(),
          () => this.#boot(),
        ),
      },
      ...this.#outletModules(named ?? this.#children),
      time: this.#time.module(),
      cnCloud: this.#network.cloud(),
      netif: this.#network.netif(),
    };
  }

  /** The modules of the first outlet that is meant, or the same refusal from each of their methods. */
  #outletModules(named: readonly Child[] | Answer): Modules {
    const modules = this.#children[0]?.outlet.modules ?? {};
    if (isList(named)) return named[0]?.outlet.modules ?? modules;
    const refuse: Method = () => named;
    return Object.fromEntries(
      OF_AN_OUTLET.filter((name) => name in modules).map((name) => [
        name,
        Object.fromEntries(Object.keys(modules[name] ?? {}).map((method) => [method, refuse])),
      ]),
    );
  }

  /** The outlets that a query names; how it is refused if it names what is not there; `undefined` if it names none. */
  #namedIn({ context }: JsonObject): readonly Child[] | Answer | undefined {
    const ids = isObject(context) ? context.child_ids : undefined;
    if (ids === undefined) return undefined;
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string')) return BAD_ARGUMENT;
    const named = ids.flatMap(
      (id) => this.#children.find((child) => id === child.slot || id === this.#idOf(child)) ?? [],
    );
    return named.length === ids.length ? named : NO_ENTRY;
  }

  #idOf({ slot }: Child): string {
    return `${this.#identity.deviceId}${slot}`;
  }

  #boot(): void {
    for (const { outlet } of this.#children) outlet.boot();
  }

  #sysinfo(transport: 'tcp' | 'udp'): Answer {
    const { model } = this.#options;
    const { mac, deviceId, hwId, alias, led, location } = this.#identity;
    return {
      sw_ver: '1.0.6 Build 180627 Rel.081000',
      hw_ver: '1.0',
      model,
      deviceId,
      oemId: '0'.repeat(32),
      hwId,
      rssi: -52,
      ...tenThousandths(location),
      alias,
      mic_type: 'IOT.SMARTPLUGSWITCH',
      feature: this.#hasMeter ? 'TIM:ENE' : 'TIM',
      mac,
      updating: 0,
      led_off: led ? 0 : 1,
      children: this.#children.map((child) => ({
        id: transport === 'udp' ? child.slot : this.#idOf(child),
        state: child.outlet.relay ? 1 : 0,
        alias: child.alias,
        on_time: child.outlet.onTimeS,
        ...(transport === 'udp' ? {} : { next_action: child.outlet.nextAction() }),
      })),
      child_num: this.#children.length,
      err_code: 0,
    };
  }
}

function isList(named: readonly Child[] | Answer): named is readonly Child[] {
  return Array.isArray(named);
}

function forAll(named: readonly Child[] | Answer): Method {
  return (argument) => {
    if (!isList(named)) return named;
    return (
      named.map(({ outlet }) => outlet.setRelayState(argument)).find(({ err_code }) => err_code !== 0) ?? OK
    );
  };
}

/** Names the first of the outlets. */
function rename(named: readonly Child[] | Answer): Method {
  return ({ alias }) => {
    if (!isList(named)) return named;
    if (typeof alias !== 'string') return BAD_ARGUMENT;
    if (named[0] !== undefined) named[0].alias = alias;
    return OK;
  };
}
