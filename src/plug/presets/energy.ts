import type { JsonObject } from '../../protocol/json.ts';
import {
  answerTo,
  type EnergyRecord,
  readDays,
  readMeter,
  readMonths,
  readTime,
} from '../../protocol/replies.ts';
import type { Query } from '../../protocol/requests.ts';
import { dateText, doing, type Plan, type Preset, reading, wholeNumberIn, wrong } from './preset.ts';

const GET_TIME: Query = { time: { get_time: {} } };

/** What the meter measures and has added up; W, V, A, kWh. */
export const ENERGY_PRESETS: readonly Preset[] = [
  reading(
    'energy',
    'power, voltage, current, energy since the plug started',
    {
      emeter: { get_realtime: {} },
    },
    readEnergy,
  ),
  {
    name: 'day',
    does: 'energy of each day of a month; of this month by the clock of the plug',
    parameters: ['[YEAR', 'MONTH]'],
    readOnly: true,
    before: (given) => (given.length === 0 ? GET_TIME : undefined),
    plan: (given, { before }) => dayPlan(...yearAndMonth(given, before)),
  },
  {
    name: 'month',
    does: 'energy of each month of a year; of this year by the clock of the plug',
    parameters: ['[YEAR]'],
    readOnly: true,
    before: (given) => (given.length === 0 ? GET_TIME : undefined),
    plan: (given, { before }) => monthPlan(year(given, before)),
  },
  doing('erase', 'erase the energy statistics', 'the statistics are erased', {
    emeter: { erase_emeter_stat: {} },
  }),
];

function readEnergy(reply: JsonObject): JsonObject {
  const { power, voltage, current, energy } = readMeter(answerTo(reply, 'emeter', 'get_realtime'));
  return { power: power ?? null, voltage: voltage ?? null, current: current ?? null, energy: energy ?? null };
}

function yearAndMonth([yearGiven, month]: readonly string[], before: JsonObject): [number, number] {
  if (yearGiven === undefined) {
    const now = readTime(answerTo(before, 'time', 'get_time'));
    return [now.year, now.month];
  }
  if (month === undefined) throw wrong('give year and month, or neither');
  return [year([yearGiven], before), wholeNumberIn(month, 'the month', 1, 12)];
}

function year([given]: readonly string[], before: JsonObject): number {
  if (given === undefined) return readTime(answerTo(before, 'time', 'get_time')).year;
  return wholeNumberIn(given, 'the year', 2000, 2099);
}

function dayPlan(yearAsked: number, month: number): Plan {
  return {
    query: { emeter: { get_daystat: { year: yearAsked, month } } },
    read: (reply) => {
      const records = readDays(answerTo(reply, 'emeter', 'get_daystat'));
      const days = byDate(records).map(({ day, energy }) => ({
        date: dateText(yearAsked, month, day),
        energy,
      }));
      return { days, total: sum(days) };
    },
  };
}

function monthPlan(yearAsked: number): Plan {
  return {
    query: { emeter: { get_monthstat: { year: yearAsked } } },
    read: (reply) => {
      const records = readMonths(answerTo(reply, 'emeter', 'get_monthstat'));
      const months = byDate(records).map(({ month, energy }) => ({
        month: dateText(yearAsked, month),
        energy,
      }));
      return { months, total: sum(months) };
    },
  };
}

/** Sorted; the plug keeps a ring of records, in which the last of a date holds. */
function byDate(records: readonly EnergyRecord[]): EnergyRecord[] {
  const byDay = new Map(records.map((record) => [(record.month - 1) * 31 + (record.day ?? 0), record]));
  return [...byDay].sort(([a], [b]) => a - b).map(([, record]) => record);
}

function sum(records: readonly { readonly energy: number }[]): number {
  return Math.round(records.reduce((wattHours, { energy }) => wattHours + energy * 1000, 0)) / 1000;
}
