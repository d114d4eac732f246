import { type Identity, tenThousandths } from './identity.ts';
import type { Answer } from './plug-device.ts';

/** What kind of plug is simulated. */
export interface DeviceOptions {
  readonly alias: string;
  /** `50:C7:BF:…`; must be the plug's own. */
  readonly mac: string;
  /** Hardware 1.0 speaks of A, V, W, kWh and closes after each reply; 2.0 of mA, mV, mW, Wh and keeps open. */
  readonly hardware: '1.0' | '2.0';
  /** With its region; an HS110(EU) unless said otherwise. */
  readonly model?: string;
  /** What the lamp draws when it is on, in W. */
  readonly loadW: number;
  readonly on?: boolean;
}

/** What changes in a sysinfo by itself; without `relay` the plug does not say how it stands. */
export interface SysinfoState {
  readonly relay: boolean | undefined;
  readonly onTimeS: number;
  readonly activeMode: string;
  readonly nextAction: Answer;
  /** Percent; only of a dimmer. */
  readonly brightness: number | undefined;
}

/** The models with a meter. */
const METERED = /^(HS110|KP115|KP125|EP25)\b/;

/** The wall switches that dim. */
const DIMMERS = /^(HS220|KS220M?|KS230|KP405|ES20M)\b/;

/** The wall switches that sense motion and light. */
const SENSING = /^(KS200M|KS220M|ES20M)\b/;

export function isDimmer({ model = 'HS110(EU)' }: DeviceOptions): boolean {
  return DIMMERS.test(model);
}

export function senses({ model = '' }: DeviceOptions): boolean {
  return SENSING.test(model);
}

export function hasMeter({ model = 'HS110(EU)' }: DeviceOptions): boolean {
  return METERED.test(model);
}

export function isOld({ hardware }: DeviceOptions): boolean {
  return hardware === '1.0';
}

/** The answer of `get_sysinfo`; the order of its fields differs between the generations, as in dumps of real plugs. */
export function sysinfo(options: DeviceOptions, identity: Identity, state: SysinfoState): Answer {
  const meter = hasMeter(options) ? ' With Energy Monitoring' : '';
  const common = commonFields(options, identity, state);
  if (isOld(options)) {
    return {
      err_code: 0,
      sw_ver: '1.2.5 Build 171213 Rel.101523',
      hw_ver: '1.0',
      type: 'IOT.SMARTPLUGSWITCH',
      ...common,
      dev_name: `Wi-Fi Smart Plug${meter}`,
      ...identity.location,
    };
  }
  return {
    sw_ver: '1.5.4 Build 180815 Rel.121440',
    hw_ver: '2.0',
    type: 'IOT.SMARTPLUGSWITCH',
    ...common,
    dev_name: senses(options) ? 'Wi-Fi Smart Dimmer with sensor' : `Smart Wi-Fi Plug${meter}`,
    ...tenThousandths(identity.location),
    next_action: state.nextAction,
    err_code: 0,
  };
}

function commonFields(options: DeviceOptions, identity: Identity, state: SysinfoState): Answer {
  const { mac, deviceId, hwId, alias, icon, led } = identity;
  return {
    model: options.model ?? 'HS110(EU)',
    mac,
    deviceId,
    hwId,
    fwId: '0'.repeat(32),
    oemId: '0'.repeat(32),
    alias,
    icon_hash: icon.hash,
    ...(state.relay === undefined ? {} : { relay_state: state.relay ? 1 : 0 }),
    ...(state.brightness === undefined ? {} : { brightness: state.brightness }),
    on_time: state.onTimeS,
    active_mode: state.activeMode,
    feature: hasMeter(options) ? 'TIM:ENE' : 'TIM',
    updating: 0,
    rssi: -52,
    led_off: led ? 0 : 1,
  };
}
