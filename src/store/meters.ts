import type { StoredMeter } from '../bridge/outlet-meter.ts';
import { isObject, type JsonObject, numberAt, textAt } from '../protocol/json.ts';
import type { LampVerdict } from '../rules/lamp.ts';
import type { Database } from './database.ts';
import { jsonIn } from './rows.ts';

/** What is stored of the meter of an outlet. */
export function readMeter(database: Database, outlet: string): StoredMeter | undefined {
  const row = database.prepare('SELECT * FROM meter WHERE outlet = ?').get(outlet);
  if (!isObject(row)) return undefined;
  const lamp = jsonIn(row.lamp) ?? {};
  const samples = Array.isArray(lamp.samples)
    ? lamp.samples.filter((sample) => typeof sample === 'number')
    : [];
  return {
    lifetime: numberAt(row, 'lifetime') ?? 0,
    total: numberAt(row, 'total') ?? null,
    at: numberAt(row, 'at') ?? 0,
    booked: readBooked(jsonIn(row.booked)),
    lamp: {
      verdict: VERDICTS.find((verdict) => verdict === lamp.verdict) ?? null,
      learnt: numberAt(lamp, 'learnt') ?? null,
      samples,
    },
  };
}

/** Energy in thousandths of a Wh that was ever used at each path. */
export function readEnergyByPath(database: Database): Map<string, number> {
  const rows = database.prepare('SELECT path, sum(energy) AS energy FROM source GROUP BY path').all();
  return new Map(
    rows.filter(isObject).map((row) => [textAt(row, 'path') ?? '', numberAt(row, 'energy') ?? 0]),
  );
}

const VERDICTS: readonly LampVerdict[] = ['ok', 'out', 'weak', 'unexpected-load'];

function readBooked(json: JsonObject | null): StoredMeter['booked'] {
  if (json === null) return null;
  const [at, day, energy, lifetime] = ['at', 'day', 'energy', 'lifetime'].map((key) => numberAt(json, key));
  if (at === undefined || day === undefined || energy === undefined || lifetime === undefined) return null;
  return { at, day, energy, lifetime };
}
