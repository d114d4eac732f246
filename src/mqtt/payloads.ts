import type { PlaceState } from '../bridge/places.ts';
import type { PlugState } from '../bridge/plug-state.ts';
import { FLAT_VALUES, type FlatValue } from './topics.ts';

/** The values that only some have: lamps that can be dimmed, bulbs, and switches with sensors. */
interface OwnValues {
  readonly brightness?: number | null;
  readonly color_temp?: number | null;
  readonly motion?: 'ON' | 'OFF' | null;
  readonly ambient_light?: number | null;
}

/** A plug's state as it is published: all keys always there, `null` where unknown; those that only some have for these only. */
export function plugValues(plug: PlugState) {
  return {
    state: onOff(plug.relay),
    power: plug.power,
    voltage: plug.voltage,
    current: plug.current,
    energy: plug.energy,
    energy_boot: plug.energyBoot,
    energy_today: plug.energyToday,
    energy_yesterday: plug.energyYesterday,
    energy_month: plug.energyMonth,
    energy_last_month: plug.energyLastMonth,
    lamp_check: plug.lamp,
    led: onOff(plug.led),
    ...ownValues(plug),
    rssi: plug.rssi,
    on_since: isoTime(plug.onSince),
    cloud: onOff(plug.cloud?.connected ?? null),
    changed_by: plug.changedBy,
    problem: plug.problem,
    last_seen: isoTime(plug.lastSeen),
  };
}

/** What is published in place of the values of a plug that is offline, if they are not to stay. */
export function withoutValues(values: ReturnType<typeof plugValues>): ReturnType<typeof plugValues> {
  const own = Object.keys(UNKNOWN).filter((name) => name in values);
  return { ...values, ...NOTHING, ...Object.fromEntries(own.map((name) => [name, null])) };
}

const NONE: OwnValues = {};
const UNKNOWN = { brightness: null, color_temp: null, motion: null, ambient_light: null } satisfies {
  [K in keyof Required<OwnValues>]: null;
};

function ownValues(plug: PlugState): OwnValues {
  const { info } = plug;
  if (info === null) return UNKNOWN;
  const { light, hasSensors } = info;
  if (light === null && !hasSensors) return NONE;
  return {
    ...(light?.isDimmable ? { brightness: plug.brightness } : {}),
    ...(light?.kelvin ? { color_temp: plug.colorTemp } : {}),
    ...(hasSensors ? { motion: onOff(plug.motion), ambient_light: plug.ambientLight } : {}),
  };
}

const NOTHING = {
  state: null,
  power: null,
  voltage: null,
  current: null,
  energy: null,
  energy_boot: null,
  energy_today: null,
  energy_yesterday: null,
  energy_month: null,
  energy_last_month: null,
  lamp_check: null,
  led: null,
  rssi: null,
  on_since: null,
  cloud: null,
} satisfies { [K in Exclude<FlatValue, keyof OwnValues>]: null };

/**
 * The topics of a plug's values one by one; an unknown value is an empty message, which clears what was retained, and one
 * that it cannot have is `undefined`.
 */
export function flatPayloads(values: ReturnType<typeof plugValues>): (string | undefined)[] {
  return FLAT_VALUES.map((name) => {
    const value = values[name];
    return value === null ? '' : value === undefined ? undefined : String(value);
  });
}

/** A place's state as it is published. */
export function placePayload({ state, on, off, unknown, total, power, energy }: PlaceState): string {
  return JSON.stringify({ kind: 'place', state, on, off, unknown, total, power, energy });
}

/** Whether anything is on in a place, in the words that Home Assistant takes: ON, OFF, or None while it cannot be said. */
export function placeSummary({ state, on }: PlaceState): string {
  return on > 0 ? 'ON' : (state ?? 'None');
}

function onOff(value: boolean | null): 'ON' | 'OFF' | null {
  return value === null ? null : value ? 'ON' : 'OFF';
}

/** A time as it is published; `null` for none. */
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
