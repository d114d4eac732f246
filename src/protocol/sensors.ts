import { boundedAt, flagAt, integerAt, isObject, type JsonObject, textAt } from './json.ts';

/** What the sensors of a wall switch sense; `undefined` where it did not say it, or they are switched off. */
export interface SensorReading {
  /** Whether something moves at the moment. */
  readonly motion: boolean | undefined;
  /** Percent of the light that it can measure. */
  readonly ambientLight: number | undefined;
}

/** The modules of the sensors. */
export const SENSOR_MODULES = { motion: 'smartlife.iot.PIR', light: 'smartlife.iot.LAS' } as const;

const { motion: MOTION, light: LIGHT } = SENSOR_MODULES;

/** Asks for what the sensors sense, and for how they are set. */
export const GET_SENSORS = {
  [MOTION]: { get_config: {}, get_adc_value: {} },
  [LIGHT]: { get_current_brt: {} },
};

/**
 * Whether a device says that it has sensors, by the name of its kind: the ES20M and KS220M are a `Wi-Fi Smart Dimmer with
 * sensor`, the KS200M is a `Smart Light Switch with PIR`. All others answer questions for them with an error.
 */
export function hasSensors(sysinfo: JsonObject): boolean {
  const name = textAt(sysinfo, 'dev_name') ?? '';
  return name.endsWith(' with sensor') || name.endsWith(' with PIR');
}

/** Reads the answers to GET_SENSORS, a module that refuses says nothing; `undefined` if nothing of it was asked. */
export function readSensors(reply: JsonObject): SensorReading | undefined {
  if (reply[MOTION] === undefined && reply[LIGHT] === undefined) return undefined;
  return {
    motion: readMotion(reply),
    ambientLight: boundedAt(answer(reply, LIGHT, 'get_current_brt'), 'value', 0, 100),
  };
}

/** More than the converter of any sensor shows. */
const MOST_COUNTS = 65_535;

/**
 * Something moves while the sensor swings further from the middle of its range than it is set to: `array` has the
 * sensitivities in percent (far, middle, near, and one's own), of which `trigger_index` is set; at 80 a swing of more than
 * 20 % counts. Reckoned as python-kasa does.
 */
function readMotion(reply: JsonObject): boolean | undefined {
  const config = answer(reply, MOTION, 'get_config');
  const value = boundedAt(answer(reply, MOTION, 'get_adc_value'), 'value', 0, MOST_COUNTS);
  const least = boundedAt(config, 'min_adc', 0, MOST_COUNTS);
  const most = boundedAt(config, 'max_adc', 0, MOST_COUNTS);
  const sensitivity = sensitivityIn(config);
  if (value === undefined || least === undefined || most === undefined || sensitivity === undefined)
    return undefined;
  if (flagAt(config, 'enable') !== true || most <= least) return undefined;
  const half = (most - least) / 2;
  const swing = Math.abs(value - least - half) / half;
  return swing * 100 > 100 - sensitivity;
}

function sensitivityIn(config: JsonObject): number | undefined {
  const index = integerAt(config, 'trigger_index', 0, 3);
  if (index === undefined || !Array.isArray(config.array)) return undefined;
  return boundedAt({ percent: config.array[index] }, 'percent', 0, 100);
}

const NOTHING: JsonObject = {};

/** The answer to one method; one that was refused has none of what is looked for in it. */
function answer(reply: JsonObject, module: string, method: string): JsonObject {
  const inModule = reply[module];
  const said = isObject(inModule) ? inModule[method] : undefined;
  return isObject(said) ? said : NOTHING;
}
