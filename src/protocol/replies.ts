import { PlugRefusal, ProtocolError } from '../errors.ts';
import { isObject, type JsonObject, numberAt, objectsAt, textAt } from './json.ts';

/**
 * What a device is, by the fields of its sysinfo: a `plug` has one relay of its own (wall switches and dimmers too),
 * a `strip` has outlets (`children`), a `bulb` a lamp, `other` none of these.
 */
export type DeviceKind = 'plug' | 'strip' | 'bulb' | 'other';

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
  readonly relay: boolean | undefined;
  readonly led: boolean | undefined;
  /** dBm */
  readonly rssi: number | undefined;
  /** Seconds since the relay closed, or since boot if that was later; 0 when off. */
  readonly onTimeS: number | undefined;
}

/** What the meter says: W, V, A, and kWh since the plug last booted; `undefined` where it did not say it. */
export interface MeterReading {
  readonly power: number | undefined;
  readonly voltage: number | undefined;
  readonly current: number | undefined;
  readonly energy: number | undefined;
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
    throw new PlugRefusal(question, code, textAt(answer, 'err_msg') ?? '');
  }
}

/** Reads the answer of `system.get_sysinfo`; field order and presence differ by hardware. */
export function readSysinfo(answer: JsonObject): Sysinfo {
  return {
    kind: kindOf(answer),
    alias: textAt(answer, 'alias'),
    model: textAt(answer, 'model'),
    hardware: textAt(answer, 'hw_ver'),
    firmware: textAt(answer, 'sw_ver'),
    mac: readMac(textAt(answer, 'mac') ?? textAt(answer, 'mic_mac')),
    hasMeter: (textAt(answer, 'feature') ?? '').split(':').includes('ENE'),
    relay: readFlag(numberAt(answer, 'relay_state')),
    led: negate(readFlag(numberAt(answer, 'led_off'))),
    rssi: numberAt(answer, 'rssi'),
    onTimeS: numberAt(answer, 'on_time'),
  };
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
  return {
    power: bounded(numberAt(answer, 'power') ?? thousandth(answer, 'power_mw'), 5_000),
    voltage: bounded(numberAt(answer, 'voltage') ?? thousandth(answer, 'voltage_mv'), 500),
    current: bounded(numberAt(answer, 'current') ?? thousandth(answer, 'current_ma'), 25),
    energy: bounded(numberAt(answer, 'total') ?? thousandth(answer, 'total_wh'), Number.MAX_SAFE_INTEGER),
  };
}

/** Reads the days of `emeter.get_daystat`: only days with a record, in any order; the last of a day holds. */
export function readDays(answer: JsonObject): EnergyRecord[] {
  return objectsAt(answer, 'day_list')
    .flatMap(readEnergyRecord)
    .filter((record) => record.day !== undefined);
}

/** Reads the months of `emeter.get_monthstat`. */
export function readMonths(answer: JsonObject): EnergyRecord[] {
  return objectsAt(answer, 'month_list').flatMap(readEnergyRecord);
}

/** Reads `time.get_time`. Throws ProtocolError if it is not a time. */
export function readTime(answer: JsonObject): PlugTime {
  const part = (key: string) => {
    const value = numberAt(answer, key);
    if (value === undefined) throw new ProtocolError(`the plug's time has no ${key}`);
    return value;
  };
  return {
    year: part('year'),
    month: part('month'),
    day: part('mday'),
    hour: part('hour'),
    minute: part('min'),
    second: part('sec'),
  };
}

function readEnergyRecord(record: JsonObject): EnergyRecord[] {
  const year = numberAt(record, 'year');
  const month = numberAt(record, 'month');
  const energy = numberAt(record, 'energy') ?? thousandth(record, 'energy_wh');
  if (year === undefined || month === undefined || energy === undefined || energy < 0) return [];
  return [{ year, month, day: numberAt(record, 'day'), energy }];
}

function readFlag(value: number | undefined): boolean | undefined {
  if (value === 1) return true;
  return value === 0 ? false : undefined;
}

function negate(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function thousandth(object: JsonObject, key: string): number | undefined {
  const value = numberAt(object, key);
  return value === undefined ? undefined : value / 1000;
}

function bounded(value: number | undefined, most: number): number | undefined {
  return value !== undefined && value >= 0 && value <= most ? value : undefined;
}
