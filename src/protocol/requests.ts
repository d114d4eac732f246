import { encodeFrame } from './frame.ts';
import type { JsonObject } from './json.ts';
import { LIGHT_MODULES, type LightService, type LightSetting } from './light.ts';
import type { DeviceKind, PlugTime, Sysinfo } from './replies.ts';
import { GET_SENSORS } from './sensors.ts';

/** What is asked: module → method → argument. Always an object as argument: `null` upsets some firmware. */
export type Query = { readonly [module: string]: { readonly [method: string]: JsonObject } };

/** A question made ready once: its JSON for any transport, its frame for the XOR transport. */
export interface Request {
  readonly query: Query;
  readonly text: string;
  readonly frame: Buffer;
}

/** Makes a question ready to be sent, as often as you like; of a strip, for the outlets that it calls `children`. */
export function request(query: Query, children: readonly string[] = []): Request {
  const text = JSON.stringify(children.length === 0 ? query : { context: { child_ids: children }, ...query });
  return { query, text, frame: encodeFrame(text) };
}

/** Asks for the plug's description and state; the only question that is safe to ask a plug not known yet. */
export const GET_SYSINFO = request({ system: { get_sysinfo: {} } });

const GET_METER = { emeter: { get_realtime: {} } };

/** Asks for state and meter in one exchange; only for plugs whose `feature` holds ENE. */
export const GET_SYSINFO_AND_METER = request({ system: { get_sysinfo: {} }, ...GET_METER });

/** Asks for state and sensors in one exchange; only of devices that say that they have some. */
const GET_SYSINFO_AND_SENSORS = request({ system: { get_sysinfo: {} }, ...GET_SENSORS });

/** What a device of that kind is asked at each poll, in one exchange; the meters of a strip are asked one by one. */
export function pollOf({ hasMeter, hasSensors }: Sysinfo, kind: DeviceKind): Request {
  if (hasMeter && kind !== 'strip') return GET_SYSINFO_AND_METER;
  return hasSensors ? GET_SYSINFO_AND_SENSORS : GET_SYSINFO;
}

/** Asks for the meter of one outlet of a strip. */
export function getMeterOf(child: string): Request {
  return request(GET_METER, [child]);
}

/** Asks for the plug's own local time. */
export const GET_TIME = request({ time: { get_time: {} } });

/**
 * Asks for what changes slowly: the plug's local time, whether its clock is set (the schedule says so), and its
 * cloud. Each module answers or refuses for itself.
 */
export const GET_CLOCK_AND_CLOUD = request({
  time: { get_time: {}, get_timezone: {} },
  schedule: { get_next_action: {} },
  cnCloud: { get_info: {} },
});

/** What a command may change on a plug; what is left out stays as it is. */
export interface Settings {
  readonly relay?: boolean | undefined;
  readonly led?: boolean | undefined;
  /** Only with `relay: true`: what has a brightness is on. */
  readonly light?: LightSetting | undefined;
}

const prepared = new Map<string, Request>();

/**
 * Sets relay, LED or both, and asks for the state that results, in one exchange; with `meter` for the meter too
 * (a plug that does not have one must not be asked). `service` is how a lamp is told its light.
 */
export function setAndConfirm(settings: Settings, meter: boolean, service?: LightService): Request {
  const { relay, led, light } = settings;
  // There are too many lights to keep them all.
  if (light !== undefined) return confirming(setters(settings, service), meter);
  const key = `${relay} ${led} ${meter} ${service}`;
  let made = prepared.get(key);
  if (made === undefined) {
    made = confirming(setters(settings, service), meter);
    prepared.set(key, made);
  }
  return made;
}

/**
 * As {@link setAndConfirm}, for outlets of a strip. Without their names the relays of all would be set. The meter, too, is
 * that of the first of them.
 */
export function setOutletsAndConfirm(
  settings: Settings,
  meter: boolean,
  children: readonly string[],
): Request {
  return confirming(setters(settings), meter, children);
}

function confirming(setters: Query, meter: boolean, children: readonly string[] = []): Request {
  const query = { ...setters, system: { ...setters.system, get_sysinfo: {} } };
  return request(meter ? { ...query, ...GET_METER } : query, children);
}

/** What sets relay, LED and light on a device. */
function setters(settings: Settings, service?: LightService): Query {
  return service === 'bulb' || service === 'light-strip'
    ? bulbSetters(settings, service)
    : plugSetters(settings);
}

function plugSetters({ relay, led, light }: Settings): Query {
  const brightness = light?.brightness;
  return {
    // A dimmer that is set before it is switched on does not flash at its old brightness.
    ...(brightness === undefined ? {} : { [LIGHT_MODULES.dimmer]: { set_brightness: { brightness } } }),
    system: {
      ...(relay === undefined ? {} : { set_relay_state: { state: relay ? 1 : 0 } }),
      // The wire says "off": 1 is a dark LED.
      ...(led === undefined ? {} : { set_led_off: { off: led ? 0 : 1 } }),
    },
  };
}

/** A bulb has no LED. Without `ignore_default` it comes on as its owner set it to in the app. */
function bulbSetters({ relay, light }: Settings, service: 'bulb' | 'light-strip'): Query {
  if (relay === undefined) return {};
  const { brightness, colorTemp } = light ?? {};
  const change = {
    on_off: relay ? 1 : 0,
    ignore_default: light === undefined ? 0 : 1,
    ...(brightness === undefined ? {} : { brightness }),
    ...(colorTemp === undefined ? {} : { color_temp: colorTemp, hue: 0, saturation: 0 }),
  };
  return service === 'bulb'
    ? { [LIGHT_MODULES.bulb]: { transition_light_state: change } }
    : { [LIGHT_MODULES['light-strip']]: { set_light_state: change } };
}

/** Asks for the energy by day of one month and by month of one year, in the plug's own calendar. */
export function getStatistics(year: number, month: number, children: readonly string[] = []): Request {
  return request({ emeter: { get_daystat: { year, month }, get_monthstat: { year } } }, children);
}

/** Deletes the plug's countdown; it has room for one. */
export const STOP_COUNTDOWN: Query = { count_down: { delete_all_rules: {} } };

/** Has the plug switch its relay by itself after `delayS` seconds, whatever was counted down before. */
export function startCountdown(delayS: number, relay: boolean): Query {
  const rule = { enable: 1, delay: delayS, act: relay ? 1 : 0, name: 'hs110-mqtt' };
  return { count_down: { delete_all_rules: {}, add_rule: rule } };
}

/**
 * Sets the plug's clock to a local time, and asks what it then shows. The firmware takes the time only together with
 * the index of its zone; hardware 1 says that it does, and takes the zone alone.
 */
export function setTime(time: PlugTime, zone: number): Query {
  const { year, month, day, hour, minute, second } = time;
  const set = { index: zone, year, month, mday: day, hour, min: minute, sec: second };
  return { time: { set_timezone: set, get_time: {} } };
}
