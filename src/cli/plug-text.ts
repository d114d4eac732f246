import type { Observation } from '../plug/plug-client.ts';
import { printable } from '../printable.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import type { Sysinfo } from '../protocol/replies.ts';
import { table } from './table.ts';

const UNITS: { readonly [key: string]: string } = {
  power: 'W',
  voltage: 'V',
  current: 'A',
  energy: 'kWh',
  total: 'kWh',
  rssi: 'dBm',
};

/** Spans of time, in seconds. */
const SPANS: ReadonlySet<string> = new Set(['on_time', 'remaining', 'delay', 'ahead']);

/** What a preset found, for people: names and values under each other, lists as tables; safe for a terminal. */
export function textOf(data: JsonObject): string[] {
  if (typeof data.done === 'string') return [`Done: ${printable(data.done)}.`];
  const entries = Object.entries(data);
  const values = entries.filter(([, value]) => !isTable(value));
  const width = Math.max(...values.map(([key]) => key.length));
  const lines = values.map(([key, value]) => {
    const label = printable(key).replaceAll('_', ' ').padEnd(width);
    return `${label}  ${printable(valueText(key, value))}`.trimEnd();
  });
  const tables = entries.flatMap(([key, value]) => (isTable(value) ? tableText(key, value) : []));
  return [...lines, ...(lines.length > 0 && tables.length > 0 ? [''] : []), ...tables];
}

/** The state that a plug reports after a command, on one line. */
export function observationText({ sysinfo, meter, sensors }: Observation): string {
  const said = [
    onOff(sysinfo.relay) ?? 'nothing of its relay',
    ...(sysinfo.relay === true ? lightText(sysinfo) : []),
    ...(sysinfo.led === false ? ['LED off'] : []),
    ...meterText(meter),
    ...(sensors?.motion === true ? ['motion'] : []),
    ...(sensors?.ambientLight === undefined ? [] : [`ambient light ${sensors.ambientLight} %`]),
  ];
  return printable(`${sysinfo.alias ?? 'the plug'} reports ${said.join(', ')}`);
}

/** Brightness and colour temperature, as far as the device has them. */
export function lightText({ light }: Sysinfo): string[] {
  return [
    ...(light?.brightness === undefined ? [] : [`${light.brightness} %`]),
    ...(light?.colorTemp === undefined ? [] : [`${light.colorTemp} K`]),
  ];
}

/** Power, voltage and current, as far as they were measured. */
export function meterText(meter: Observation['meter']): string[] {
  return (['power', 'voltage', 'current'] as const)
    .filter((key) => meter?.[key] !== undefined)
    .map((key) => valueText(key, meter?.[key]));
}

/** The same as data, in the names and units of the bridge. */
export function observationData({ sysinfo, meter, sensors }: Observation): JsonObject {
  return {
    alias: sysinfo.alias ?? null,
    state: onOff(sysinfo.relay) ?? null,
    led: onOff(sysinfo.led) ?? null,
    ...(sysinfo.light === undefined
      ? {}
      : { brightness: sysinfo.light.brightness ?? null, color_temp: sysinfo.light.colorTemp ?? null }),
    ...(sensors === undefined
      ? {}
      : { motion: onOff(sensors.motion) ?? null, ambient_light: sensors.ambientLight ?? null }),
    power: meter?.power ?? null,
    voltage: meter?.voltage ?? null,
    current: meter?.current ?? null,
    energy: meter?.energy ?? null,
  };
}

export function onOff(value: boolean | undefined): 'ON' | 'OFF' | undefined {
  return value === undefined ? undefined : value ? 'ON' : 'OFF';
}

function isTable(value: unknown): value is readonly JsonObject[] {
  return Array.isArray(value) && value.every(isObject);
}

function tableText(key: string, rows: readonly JsonObject[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (rows.length === 0) return [`no ${printable(key)}`];
  const cells = rows.map((row) => columns.map((column) => valueText(column, row[column])));
  return table(
    columns.map((column) => column.replaceAll('_', ' ').toUpperCase()),
    cells,
  );
}

function valueText(key: string, value: unknown): string {
  if (value === undefined || value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return numberText(key, value);
  if (typeof value === 'string') return value;
  const parts = isObject(value) ? Object.values(value) : [value];
  const isFlat = parts.every((part) => typeof part === 'string');
  return isFlat ? parts.join(' ') : JSON.stringify(value);
}

function numberText(key: string, value: number): string {
  if (SPANS.has(key)) return spanText(value);
  const unit = UNITS[key];
  return unit === undefined ? String(value) : `${Math.round(value * 1000) / 1000} ${unit}`;
}

/** `5025` seconds as `1 h 23 min 45 s`. */
function spanText(seconds: number): string {
  const whole = Math.abs(Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const text = parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count} ${unit}`])).join(' ');
  return `${seconds < 0 ? '-' : ''}${text === '' ? '0 s' : text}`;
}
