import type { PlaceState } from '../bridge/places.ts';
import type { PlugState } from '../bridge/plug-state.ts';
import { FLAT_VALUES, type FlatValue } from './topics.ts';

/** The values of a lamp that can be dimmed or is a bulb. */
export interface LightValues {
  readonly brightness?: number | null;
  readonly color_temp?: number | null;
}

/** A plug's state as it is published: all keys always there, `null` where unknown; those of a light only for what has one. */
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
    ...lightValues(plug),
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
  const { brightness, color_temp } = values;
  return {
    ...values,
    ...NOTHING,
    ...(brightness === undefined ? {} : { brightness: null }),
    ...(color_temp === undefined ? {} : { color_temp: null }),
  };
}

const NO_LIGHT: LightValues = {};
const UNKNOWN_LIGHT: LightValues = { brightness: null, color_temp: null };

function lightValues({ info, brightness, colorTemp }: PlugState): LightValues {
  if (info === null) return UNKNOWN_LIGHT;
  const ability = info.light;
  if (ability === null) return NO_LIGHT;
  return {
    ...(ability.isDimmable ? { brightness } : {}),
    ...(ability.kelvin === null ? {} : { color_temp: colorTemp }),
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
} satisfies { [K in Exclude<FlatValue, keyof LightValues>]: null };

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
