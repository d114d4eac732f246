import { placesOf } from '../bridge/places.ts';
import { isObject, numberAt, textAt } from '../protocol/json.ts';
import { type Day, textOfDay } from '../rules/calendar.ts';
import { costOf, type Tariff } from '../rules/tariff.ts';
import type { Database } from './database.ts';
import { readTariffs, type TariffPeriod } from './tariffs.ts';

/** What of the energy that is stored is asked for. */
export interface EnergyQuery {
  /** Below this place or of this plug; `''` is the whole site. */
  readonly path: string;
  /** The first and the last day, of the site's calendar. */
  readonly from: Day;
  readonly to: Day;
  /** One row for each day or month, or one for all of it. */
  readonly by: 'day' | 'month' | 'all';
}

/** The energy of one plug or place in one day or month. */
export interface EnergyRow {
  /** `2026-01-05` or `2026-01`; `''` for all of it. */
  readonly period: string;
  readonly path: string;
  readonly kwh: number;
  /** The part of it that was used while the bridge was away, of which it is not known on which day. */
  readonly lateKwh: number;
  /** `null` if there is no tariff. */
  readonly cost: number | null;
  /** kWh in each band of the tariff; `''` is its usual price. */
  readonly bands: { readonly [band: string]: number };
}

/** The energy of all plugs and places asked for, by period and path. Every plug that used any is in it, also one that is no more. */
export interface EnergyReport {
  /** As `EUR`; `null` if there is no tariff. */
  readonly currency: string | null;
  /** A plug that was moved counts with what it used below the place that was asked for. */
  readonly plugs: readonly EnergyRow[];
  readonly places: readonly EnergyRow[];
}

/** Reads from the database what plugs and places used, by day or month, and what it cost. */
export function readEnergy(database: Database, query: EnergyQuery): EnergyReport {
  const tariffs = readTariffs(database);
  const paths = new Map<string, { readonly path: string; readonly last: Day }>();
  const plugs = new Sums();
  const places = new Sums();
  for (const { tariff, from, to } of periodsIn(tariffs, query)) {
    for (const record of recordsOf(database, { ...query, from, to })) {
      const { outlet, path, last } = record;
      if ((paths.get(outlet)?.last ?? 0) <= last) paths.set(outlet, { path, last });
      plugs.add(outlet, record, tariff);
      for (const place of placesOf(path)) if (isWithin(place, query.path)) places.add(place, record, tariff);
    }
  }
  return {
    currency: tariffs.at(-1)?.tariff.currency ?? null,
    plugs: plugs.rows((outlet) => paths.get(outlet)?.path ?? ''),
    places: places.rows((place) => place),
  };
}

/** One outlet at one path, in one band of one period. Energy is in kWh. */
interface EnergyRecord {
  readonly period: string;
  readonly outlet: string;
  readonly path: string;
  readonly band: string;
  readonly kwh: number;
  readonly lateKwh: number;
  /** The last day of it. */
  readonly last: Day;
}

/** Thousandths of a Wh. */
const PER_KWH = 1_000_000;

const PERIOD = { day: 'day', month: 'day / 100', all: "''" } as const;

function recordsOf(database: Database, { path, from, to, by }: EnergyQuery): EnergyRecord[] {
  const sql = `
    SELECT ${PERIOD[by]} AS period, outlet, path, band, max(day) AS last,
      sum(energy_day.energy) AS energy, sum(late) AS late
    FROM energy_day JOIN source ON source.id = energy_day.source
    WHERE day BETWEEN ? AND ? AND (? = '' OR path = ? OR (path > ? AND path < ?))
    GROUP BY period, source, band`;
  // All that begins with "path/": the character after "/" is "0".
  const rows = database.prepare(sql).all(from, to, path, path, `${path}/`, `${path}0`);
  return rows.filter(isObject).map((row) => ({
    period: by === 'all' ? '' : textOfDay(numberAt(row, 'period') ?? 0),
    outlet: textAt(row, 'outlet') ?? '',
    path: textAt(row, 'path') ?? '',
    band: textAt(row, 'band') ?? '',
    kwh: (numberAt(row, 'energy') ?? 0) / PER_KWH,
    lateKwh: (numberAt(row, 'late') ?? 0) / PER_KWH,
    last: numberAt(row, 'last') ?? 0,
  }));
}

/** The parts of the days asked for in which one tariff holds; what was used before the first is priced by it. */
function periodsIn(
  tariffs: readonly TariffPeriod[],
  { from, to }: EnergyQuery,
): { tariff: Tariff | undefined; from: Day; to: Day }[] {
  if (tariffs.length === 0) return [{ tariff: undefined, from, to }];
  return tariffs.flatMap(({ since, tariff }, index) => {
    const next = tariffs[index + 1]?.since ?? Number.POSITIVE_INFINITY;
    const first = index === 0 ? from : Math.max(from, since);
    // The day before `next` is the largest below it that is stored.
    const last = Math.min(to, next - 1);
    return first <= last ? [{ tariff, from: first, to: last }] : [];
  });
}

function isWithin(place: string, path: string): boolean {
  return path === '' || place === path || place.startsWith(`${path}/`);
}

/** Rows that are being added up, by period and key. */
class Sums {
  readonly #sums = new Map<
    string,
    {
      key: string;
      period: string;
      kwh: number;
      late: number;
      cost: number | null;
      bands: Map<string, number>;
    }
  >();

  add(key: string, { period, band, kwh, lateKwh }: EnergyRecord, tariff: Tariff | undefined): void {
    const id = `${period} ${key}`;
    let sum = this.#sums.get(id);
    if (sum === undefined) {
      sum = { key, period, kwh: 0, late: 0, cost: tariff === undefined ? null : 0, bands: new Map() };
      this.#sums.set(id, sum);
    }
    sum.kwh += kwh;
    sum.late += lateKwh;
    sum.bands.set(band, (sum.bands.get(band) ?? 0) + kwh);
    if (tariff !== undefined) sum.cost = (sum.cost ?? 0) + costOf(tariff, band, kwh);
  }

  rows(pathOf: (key: string) => string): EnergyRow[] {
    return [...this.#sums.values()]
      .map(({ key, period, kwh, late, cost, bands }) => ({
        period,
        path: pathOf(key),
        kwh: rounded(kwh),
        lateKwh: rounded(late),
        cost: cost === null ? null : rounded(cost),
        bands: Object.fromEntries([...bands].map(([band, used]) => [band, rounded(used)])),
      }))
      .sort((one, other) => compare(one.period, other.period) || compare(one.path, other.path));
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** What is stored is exact to a thousandth of a Wh; what floats add beyond that is noise. */
function rounded(value: number): number {
  return Math.round(value * PER_KWH) / PER_KWH;
}
