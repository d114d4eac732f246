import { type JsonObject, numberAt } from '../protocol/json.ts';
import { LIGHT_MODULES } from '../protocol/light.ts';
import type { Clock } from '../runtime/clock.ts';
import { DeviceClock } from './device-clock.ts';
import { type Identity, identityMethods, identityOf, tenThousandths } from './identity.ts';
import { SimulatedMeter } from './meter.ts';
import { SimulatedNetwork } from './network.ts';
import {
  type Answer,
  answerFrom,
  BULB_DIALECT,
  type Modules,
  NO_BULB_MODULE,
  type PlugDevice,
} from './plug-device.ts';

/** What it draws when it is on. */
const LOAD_W = 5.8;

const BAD_LIGHT: Answer = { err_code: -10_000, err_msg: 'Invalid input argument' };

/** What may be said of a light, and the least and the most of it. */
const LIGHT: { readonly [key: string]: readonly [least: number, most: number] } = {
  on_off: [0, 1],
  hue: [0, 360],
  saturation: [0, 100],
  brightness: [0, 100],
  color_temp: [0, 9000],
};

/** What its owner may choose by a touch in the app. */
const PREFERRED: readonly Answer[] = [100, 50].map((brightness, index) => ({
  index,
  hue: 0,
  saturation: 0,
  color_temp: 2700,
  brightness,
}));

export interface BulbOptions {
  /** With its region; a KL130(EU) unless said otherwise. */
  readonly model?: string;
  readonly alias: string;
  /** Shown without its colons, as bulbs do. */
  readonly mac: string;
  readonly on?: boolean;
}

/** Models that show white in one colour temperature only, in several, or all colours; light strips do that too. */
const WHITE = /^(KL50|KL60|KL110|LB100|LB110)/;
const TUNABLE = /^(KL120|LB120)/;
const LIGHT_STRIP = /^KL4/;

/** A bulb or a light strip: it has a light instead of a relay, and other modules than a plug. */
export class SimulatedBulb implements PlugDevice {
  readonly closesAfterReply = false;
  readonly #model: string;
  readonly #identity: Identity;
  readonly #modules: Modules;
  readonly #time: DeviceClock;
  readonly #meter: SimulatedMeter;
  #light = { on_off: 0, mode: 'normal', hue: 0, saturation: 0, color_temp: 2700, brightness: 50 };

  constructor(options: BulbOptions, clock: Clock) {
    this.#model = options.model ?? 'KL130(EU)';
    this.#identity = identityOf(options);
    this.#light.on_off = options.on ? 1 : 0;
    this.#time = new DeviceClock(clock, false);
    this.#time.beforeChange(() => this.#book());
    this.#meter = new SimulatedMeter({ loadW: LOAD_W, inUnits: false, phase: 0 }, this.#time);
    const network = new SimulatedNetwork(options.mac, false);
    const { set_led_off: _, ...ofTheBulb } = identityMethods(this.#identity);
    const system = { get_sysinfo: () => this.#sysinfo(), ...ofTheBulb };
    this.#modules = {
      system: { ...system, set_relay_state: () => NO_BULB_MODULE },
      netif: network.netif(),
      'smartlife.iot.common.system': system,
      'smartlife.iot.common.cloud': network.cloud(),
      'smartlife.iot.common.timesetting': this.#time.module(),
      'smartlife.iot.common.emeter': {
        get_realtime: () => ({ power_mw: this.on ? LOAD_W * 1000 : 0, err_code: 0 }),
        ...this.#meter.statistics(() => this.#book()),
      },
      ...this.#lighting(),
    };
  }

  /** Light strips have a module of their own for what bulbs do. */
  #lighting(): Modules {
    const get_light_state = () => ({ ...this.#lightState(), err_code: 0 });
    const change = (argument: JsonObject) => this.#change(argument);
    return LIGHT_STRIP.test(this.#model)
      ? { [LIGHT_MODULES['light-strip']]: { get_light_state, set_light_state: change } }
      : {
          [LIGHT_MODULES.bulb]: { get_light_state, transition_light_state: change },
        };
  }

  /** Percent */
  get brightness(): number {
    return this.#light.brightness;
  }

  /** Kelvin */
  get colorTemp(): number {
    return this.#light.color_temp;
  }

  get on(): boolean {
    return this.#light.on_off === 1;
  }

  answer(query: JsonObject): JsonObject {
    return answerFrom(this.#modules, query, BULB_DIALECT);
  }

  #change(argument: JsonObject): Answer {
    const change: { [key: string]: number } = {};
    for (const [key, [least, most]] of Object.entries(LIGHT)) {
      const value = numberAt(argument, key);
      if (value === undefined) continue;
      if (value < least || value > most) return BAD_LIGHT;
      change[key] = value;
    }
    this.#book();
    this.#light = { ...this.#light, ...change };
    return { ...this.#lightState(), err_code: 0 };
  }

  /** Adds what was used until now; says whether it is on. */
  #book(): boolean {
    this.#meter.book(this.on, this.#time.now());
    return this.on;
  }

  /** While it is off it says how it would be if it were on. */
  #lightState(): Answer {
    const { on_off, ...rest } = this.#light;
    return this.on ? { on_off, ...rest } : { on_off, dft_on_state: rest };
  }

  #sysinfo(): Answer {
    const { mac, deviceId, hwId, alias, location } = this.#identity;
    return {
      sw_ver: '1.8.11 Build 191113 Rel.105336',
      hw_ver: '1.0',
      model: this.#model,
      deviceId,
      oemId: '0'.repeat(32),
      hwId,
      rssi: -52,
      ...tenThousandths(location),
      alias,
      mic_type: 'IOT.SMARTBULB',
      mic_mac: mac.replaceAll(':', ''),
      is_dimmable: 1,
      is_color: WHITE.test(this.#model) || TUNABLE.test(this.#model) ? 0 : 1,
      is_variable_color_temp: WHITE.test(this.#model) ? 0 : 1,
      ...(LIGHT_STRIP.test(this.#model) ? { length: 16 } : {}),
      light_state: this.#lightState(),
      preferred_state: PREFERRED,
      active_mode: 'none',
      err_code: 0,
    };
  }
}
