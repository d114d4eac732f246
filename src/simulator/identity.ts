import { type JsonObject, numberAt, textAt } from '../protocol/json.ts';
import { type Answer, BAD_ARGUMENT, type Method, type Module, OK } from './plug-device.ts';

/** A place on Earth, in degrees. */
export interface Location {
  readonly latitude: number;
  readonly longitude: number;
}

/** What of a device can be set, apart from its outlets. */
export interface Identity {
  mac: string;
  deviceId: string;
  hwId: string;
  alias: string;
  led: boolean;
  location: Location;
  icon: { readonly icon: string; readonly hash: string };
}

/** A device as it comes from the factory, but for its name. */
export function identityOf({ mac, alias }: { readonly mac: string; readonly alias: string }): Identity {
  return {
    mac,
    deviceId: `8006${mac.replaceAll(':', '').padEnd(36, '0')}`,
    hwId: '0'.repeat(32),
    alias,
    led: true,
    location: { latitude: 0, longitude: 0 },
    icon: { icon: '', hash: '' },
  };
}

/** The name that a device gives itself after a factory reset. */
export function factoryAlias({ mac }: Identity): string {
  return `TP-LINK_Smart Plug_${mac.replaceAll(':', '').slice(-4)}`;
}

/** The methods of `system` that set what a device is. */
export function identityMethods(identity: Identity): Module {
  return {
    set_led_off: (argument) => {
      const off = numberAt(argument, 'off');
      if (off !== 0 && off !== 1) return BAD_ARGUMENT;
      identity.led = off === 0;
      return OK;
    },
    set_dev_alias: text('alias', (alias) => {
      identity.alias = alias;
    }),
    set_dev_location: (argument) => {
      const location = locationIn(argument);
      if (location === undefined) return BAD_ARGUMENT;
      identity.location = location;
      return OK;
    },
    get_dev_icon: () => ({ ...identity.icon, err_code: 0 }),
    set_dev_icon: (argument) => {
      const [icon, hash] = [textAt(argument, 'icon'), textAt(argument, 'hash')];
      if (icon === undefined || hash === undefined) return BAD_ARGUMENT;
      identity.icon = { icon, hash };
      return OK;
    },
    set_mac_addr: text('mac', (mac) => {
      identity.mac = mac;
    }),
    set_device_id: text('deviceId', (deviceId) => {
      identity.deviceId = deviceId;
    }),
    set_hw_id: text('hwId', (hwId) => {
      identity.hwId = hwId;
    }),
  };
}

/** A location as later hardware writes it. */
export function tenThousandths({ latitude, longitude }: Location): Answer {
  return { longitude_i: Math.round(longitude * 10_000), latitude_i: Math.round(latitude * 10_000) };
}

/** A method with one argument that must be text. */
function text(key: string, take: (value: string) => void): Method {
  return (argument) => {
    const value = textAt(argument, key);
    if (value === undefined) return BAD_ARGUMENT;
    take(value);
    return OK;
  };
}

/** The app sends degrees and ten-thousandths of them; either will do. */
function locationIn(argument: JsonObject): Location | undefined {
  const degrees = (key: string) => {
    const whole = numberAt(argument, `${key}_i`);
    return numberAt(argument, key) ?? (whole === undefined ? undefined : whole / 10_000);
  };
  const [latitude, longitude] = [degrees('latitude'), degrees('longitude')];
  return latitude === undefined || longitude === undefined ? undefined : { latitude, longitude };
}
