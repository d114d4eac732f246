import type { Answer } from './plug-device.ts';

/** What kind of plug is simulated. */
export interface DeviceOptions {
  readonly alias: string;
  /** `50:C7:BF:…`; must be the plug's own. */
  readonly mac: string;
  /** Hardware 1.0 speaks of A, V, W, kWh and closes after each reply; 2.0 of mA, mV, mW, Wh and keeps open. */
  readonly hardware: '1.0' | '2.0';
  readonly model?: 'HS110(EU)' | 'HS100(EU)';
  /** What the lamp draws when it is on, in W. */
  readonly loadW: number;
  readonly on?: boolean;
}

/** What changes in a sysinfo; without `relay` the plug does not say how it stands. */
export interface SysinfoState {
  readonly alias: string;
  readonly relay: boolean | undefined;
  readonly led: boolean;
  readonly onTimeS: number;
}

export function hasMeter({ model }: DeviceOptions): boolean {
  return model !== 'HS100(EU)';
}

export function isOld({ hardware }: DeviceOptions): boolean {
  return hardware === '1.0';
}

/** The answer of `get_sysinfo`; the order of its fields differs between the generations, as in dumps of real plugs. */
export function sysinfo(options: DeviceOptions, { alias, relay, led, onTimeS }: SysinfoState): Answer {
  const { mac, model = 'HS110(EU)' } = options;
  const meter = hasMeter(options) ? ' With Energy Monitoring' : '';
  const common = {
    model,
    mac,
    deviceId: `8006${mac.replaceAll(':', '').padEnd(36, '0')}`,
    hwId: '0'.repeat(32),
    fwId: '0'.repeat(32),
    oemId: '0'.repeat(32),
    alias,
    icon_hash: '',
    ...(relay === undefined ? {} : { relay_state: relay ? 1 : 0 }),
    on_time: onTimeS,
    active_mode: 'none',
    feature: hasMeter(options) ? 'TIM:ENE' : 'TIM',
    updating: 0,
    rssi: -52,
    led_off: led ? 0 : 1,
  };
  if (isOld(options)) {
    return {
      err_code: 0,
      sw_ver: '1.2.5 Build 171213 Rel.101523',
      hw_ver: '1.0',
      type: 'IOT.SMARTPLUGSWITCH',
      ...common,
      dev_name: `Wi-Fi Smart Plug${meter}`,
      latitude: 0,
      longitude: 0,
    };
  }
  return {
    sw_ver: '1.5.4 Build 180815 Rel.121440',
    hw_ver: '2.0',
    type: 'IOT.SMARTPLUGSWITCH',
    ...common,
    dev_name: `Smart Wi-Fi Plug${meter}`,
    longitude_i: 0,
    latitude_i: 0,
    next_action: { type: -1 },
    err_code: 0,
  };
}
