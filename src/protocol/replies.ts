import { PlugRefusal, ProtocolError } from '../errors.ts';
import {
  boundedAt,
  flagAt,
  integerAt,
  isObject,
  type JsonObject,
  labelAt,
  numberAt,
  objectsAt,
  textAt,
} from './json.ts';
import { type LightReading, readBulbRelay, readLight } from './light.ts';
import { hasSensors } from './sensors.ts';

/** What a plug counts in, as its signed numbers of 32 bits; 68 years. */
const MAX_SECONDS = 2 ** 31 - 1;

/** A clock that is not set begins in 1970 or 2000. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 2099;

/** W; the ratings end at 16 A and 250 V, and glitches begin well above. */
const MAX_POWER = 5000;

/** kWh; `MAX_POWER` for a day, for a month, and for as long as a plug can count. */
const MAX_DAY_ENERGY = (MAX_POWER * 24) / 1000;
const MAX_MONTH_ENERGY = 31 * MAX_DAY_ENERGY;
const MAX_ENERGY = (MAX_POWER / 1000) * (MAX_SECONDS / 3600);

/**
 * What a device is, by the fields of its sysinfo: a `plug` has one relay of its own (wall switches and dimmers too),
 * a `strip` has outlets (`children`), a `bulb` is a lamp itself, `other` none of these.
 */
export type DeviceKind = 'plug' | 'strip' | 'bulb' | 'other';

/** Whether a device of that kind is switched as one; a strip is by its outlets. */
export function isSwitchedAsOne(kind: DeviceKind): boolean {
  return kind === 'plug' || kind === 'bulb';
}

/** What a strip says of one of its outlets; `undefined` where it did not say it. */
export interface OutletReading {
  /** How it is named in a `context`. */
  readonly child: string;
  /** Its number within the strip, as the last two characters of that: `00`, `01` … */
  readonly id: string;
  readonly alias: string | undefined;
  readonly relay: boolean | undefined;
  /** As `Sysinfo.onTimeS`. */
  readonly onTimeS: number | undefined;
}

const UNTOLD = { alias: undefined, relay: undefined, onTimeS: undefined };

/** What a strip says of that outlet, as a plug says it of itself. */
export function sysinfoOfOutlet(sysinfo: Sysinfo, id: string): Sysinfo {
  const { alias, relay, onTimeS } = sysinfo.outlets.find((outlet) => outlet.id === id) ?? UNTOLD;
  return { ...sysinfo, alias, relay, onTimeS };
}

/** What `system.get_sysinfo` says; `undefined` where the plug did not say it. */
export interface Sysinfo {
  readonly kind: DeviceKind;
  readonly alias: string | undefined;
  readonly model: string | undefined;
  readonly hardware: string | undefined;
  readonly firmware: string | undefined;
  /** Twelve upper-case hexadecimal digits in pairs with colons. */
  readonly mac: string | undefined;
  readonly hasMeter: boolean;
  /** Whether it senses motion and ambient light. */
  readonly hasSensors: boolean;
  readonly relay: boolean | undefined;
  readonly led: boolean | undefined;
  /** dBm */
  readonly rssi: number | undefined;
  /** Seconds since the relay closed, or since boot if that was later; 0 when off. */
  readonly onTimeS: number | undefined;
  /** The outlets of a strip, in the order of their numbers; none if they cannot be told apart. */
  readonly outlets: readonly OutletReading[];
  /** Only of what can be dimmed, and of bulbs. */
  readonly light: LightReading | undefined;
}

/** What the meter says: W, V, A, and kWh since the plug last booted; `undefined` where it did not say it. */
export interface MeterReading {
  readonly power: number | undefined;
  readonly voltage: number | undefined;
  readonly current: number | undefined;
  readonly energy: number | undefined;
  /** A value was beyond what such a meter can measure, and counts as not said. */
  readonly implausible?: true;
}

/** Energy of one day (`day` is there) or one month, in kWh, by the plug's own calendar. */
export interface EnergyRecord {
  readonly year: number;
  readonly month: number;
  readonly day: number | undefined;
  readonly energy: number;
}

/** The plug's local time, without a zone. */
export interface PlugTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/**
 * The answer to one method. Throws PlugRefusal on an `err_code` other than 0, be it the method's or the whole
 * module's, and ProtocolError if the reply does not hold what was asked.
 */
export function answerTo(reply: JsonObject, module: string, method: string): JsonObject {
  const inModule = reply[module];
  if (!isObject(inModule)) throw new ProtocolError(`the answer is to another question: it has no ${module}`);
  const answer = inModule[method];
  if (isObject(answer)) {
    refuse(answer, `${module}.${method}`);
    return answer;
  }
  refuse(inModule, module);
  throw new ProtocolError(`the answer is to another question: it has no ${module}.${method}`);
}

function refuse(answer: JsonObject, question: string): void {
  const code = answer.err_code;
  if (typeof code === 'number' && code !== 0) {
    throw new PlugRefusal(question, code, labelAt(answer, 'err_msg') ?? '');
  }
}

/** Reads the answer of `system.get_sysinfo`; field order and presence differ by hardware. */
export function readSysinfo(answer: JsonObject): Sysinfo {
  const kind = kindOf(answer);
  const isBulb = kind === 'bulb';
  return {
    kind,
    alias: labelAt(answer, 'alias'),
    model: labelAt(answer, 'model'),
    hardware: labelAt(answer, 'hw_ver'),
    firmware: labelAt(answer, 'sw_ver'),
    mac: readMac(textAt(answer, 'mac') ?? textAt(answer, 'mic_mac')),
    // Every bulb reckons what it draws, and says no word of it.
    hasMeter: isBulb || (textAt(answer, 'feature') ?? '').split(':').includes('ENE'),
    hasSensors: hasSensors(answer),
    relay: isBulb ? readBulbRelay(answer) : flagAt(answer, 'relay_state'),
    led: negate(flagAt(answer, 'led_off')),
    rssi: boundedAt(answer, 'rssi', -127, 0),
    onTimeS: boundedAt(answer, 'on_time', 0, MAX_SECONDS),
    outlets: answer.children === undefined ? NO_OUTLETS : readOutlets(answer),
    light: readLight(answer),
  };
}

const NO_OUTLETS: readonly OutletReading[] = [];

/** No strip has more. */
const MOST_OUTLETS = 32;

/** A strip that says its outlets' ids in two characters wants them back behind its own. */
function readOutlets(answer: JsonObject): readonly OutletReading[] {
  const device = textAt(answer, 'deviceId') ?? '';
  const outlets = objectsAt(answer, 'children').map((child): OutletReading => {
    const said = textAt(child, 'id') ?? '';
    return {
      child: said.length > 2 ? said : device + said,
      id: said.slice(-2),
      alias: labelAt(child, 'alias'),
      relay: flagAt(child, 'state'),
      onTimeS: boundedAt(child, 'on_time', 0, MAX_SECONDS),
    };
  });
  const ids = new Set(outlets.map(({ id }) => id));
  const areTold = ids.size === outlets.length && [...ids].every((id) => /^[0-9A-Z]{1,2}$/i.test(id));
  if (!areTold || outlets.length > MOST_OUTLETS) return NO_OUTLETS;
  return outlets.sort((one, other) => (one.id < other.id ? -1 : 1));
}

function kindOf(answer: JsonObject): DeviceKind {
  if (Array.isArray(answer.children)) return 'strip';
  if (isObject(answer.light_state)) return 'bulb';
  const type = textAt(answer, 'type') ?? textAt(answer, 'mic_type') ?? '';
  if (type.includes('SMARTBULB')) return 'bulb';
  return numberAt(answer, 'relay_state') === undefined ? 'other' : 'plug';
}

const MAC = /^[0-9A-F]{2}(?::[0-9A-F]{2}){5}$/;

/** The ways in which a MAC is written: `50:C7:BF…`, `50-C7-BF…`, `50C7.BF12.3456` or without separators. */
const SPELLINGS = [
  /^[0-9A-F]{2}(?::[0-9A-F]{2}){5}$/i,
  /^[0-9A-F]{2}(?:-[0-9A-F]{2}){5}$/i,
  /^[0-9A-F]{4}(?:\.[0-9A-F]{4}){2}$/i,
  /^[0-9A-F]{12}$/i,
];

/** Normalises a MAC to upper-case pairs with colons; `undefined` if it is none, as an IP address is none. */
export function readMac(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // Plugs write it as it is wanted, and say it in every answer.
  if (MAC.test(text)) return text;
  if (!SPELLINGS.some((spelling) => spelling.test(text))) return undefined;
  const digits = text.replaceAll(/[:.-]/g, '').toUpperCase();
  return (digits.match(/../g) ?? []).join(':');
}

/**
 * Reads `emeter.get_realtime` in either dialect, by the keys that are there: hardware 1 says A, V, W, kWh,
 * later hardware mA, mV, mW, Wh. What an HS110 cannot measure (a known glitch) counts as not said.
 */
export function readMeter(answer: JsonObject): MeterReading {
  const power = measuredAt(answer, 'power', 'power_mw', MAX_POWER);
  const voltage = measuredAt(answer, 'voltage', 'voltage_mv', 500);
  const current = measuredAt(answer, 'current', 'current_ma', 25);
  const energy = measuredAt(answer, 'total', 'total_wh', MAX_ENERGY);
  const implausible =
    (power === undefined && isSaid(answer, 'power', 'power_mw')) ||
    (voltage === undefined && isSaid(answer, 'voltage', 'voltage_mv')) ||
    (current === undefined && isSaid(answer, 'current', 'current_ma')) ||
    (energy === undefined && isSaid(answer, 'total', 'total_wh'));
  return implausible ? { power, voltage, current, energy, implausible } : { power, voltage, current, energy };
}

/** Reads the days of `emeter.get_daystat`: only days with a record, in any order; the last of a day holds. */
export function readDays(answer: JsonObject): EnergyRecord[] {
  return objectsAt(answer, 'day_list')
    .flatMap((record) => readEnergyRecord(record, MAX_DAY_ENERGY))
    .filter((record) => record.day !== undefined);
}

/** Reads the months of `emeter.get_monthstat`. */
export function readMonths(answer: JsonObject): EnergyRecord[] {
  return objectsAt(answer, 'month_list').flatMap((record) => readEnergyRecord(record, MAX_MONTH_ENERGY));
}

/** Reads `time.get_time`. Throws ProtocolError if it is not a time. */
export function readTime(answer: JsonObject): PlugTime {
  const part = (key: string, least: number, most: number) => {
    const value = integerAt(answer, key, least, most);
    if (value === undefined) throw new ProtocolError(`the plug's time has no ${key}`);
    return value;
  };
  return {
    year: part('year', FIRST_YEAR, LAST_YEAR),
    month: part('month', 1, 12),
    day: part('mday', 1, 31),
    hour: part('hour', 0, 23),
    minute: part('min', 0, 59),
    second: part('sec', 0, 60),
  };
}

function readEnergyRecord(record: JsonObject, most: number): EnergyRecord[] {
  const year = integerAt(record, 'year', FIRST_YEAR, LAST_YEAR);
  const month = integerAt(record, 'month', 1, 12);
  const energy = measuredAt(record, 'energy', 'energy_wh', most);
  if (year === undefined || month === undefined || energy === undefined) return [];
  return [{ year, month, day: integerAt(record, 'day', 1, 31), energy }];
}

function negate(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function isSaid(answer: JsonObject, key: string, milliKey: string): boolean {
  return numberAt(answer, key) !== undefined || numberAt(answer, milliKey) !== undefined;
}

/** What is under `key`, or a thousandth of what is under `milliKey`; not said if it is negative or above `most`. */
function measuredAt(object: JsonObject, key: string, milliKey: string, most: number): number | undefined {
  if (numberAt(object, key) !== undefined) return boundedAt(object, key, 0, most);
  const value = boundedAt(object, milliKey, 0, 1000 * most);
  return value === undefined ? undefined : value / 1000;
}
