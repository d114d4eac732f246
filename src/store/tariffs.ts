import { isObject, type JsonObject, numberAt, objectsAt, textAt } from '../protocol/json.ts';
import type { Day } from '../rules/calendar.ts';
import type { Band, Tariff } from '../rules/tariff.ts';
import type { Database } from './database.ts';
import { jsonIn } from './rows.ts';
import type { Store } from './store.ts';

/** A tariff, and the first day on which it holds. */
export interface TariffPeriod {
  readonly since: Day;
  readonly tariff: Tariff;
}

/** All tariffs there have been, in order. What cannot be read is left out. */
export function readTariffs(database: Database): TariffPeriod[] {
  const rows = database.prepare('SELECT since, tariff FROM tariff ORDER BY since').all();
  return rows.filter(isObject).flatMap((row) => {
    const since = numberAt(row, 'since');
    const tariff = readTariff(jsonIn(row.tariff) ?? {});
    return since === undefined || tariff === undefined ? [] : [{ since, tariff }];
  });
}

/**
 * Keeps the tariff that is configured now: energy of the days before `since` keeps the price it had. A tariff that is
 * the same as the one before is not kept anew.
 */
export function keepTariff(store: Store, tariff: Tariff, since: Day): void {
  const text = JSON.stringify(tariff);
  const before = readTariffs(store.database).findLast((period) => period.since <= since);
  if (before !== undefined && JSON.stringify(before.tariff) === text) return;
  store.transaction(() => store.write('INSERT OR REPLACE INTO tariff VALUES (?, ?)', [since, text]));
}

function readTariff(json: JsonObject): Tariff | undefined {
  const [currency, price] = [textAt(json, 'currency'), numberAt(json, 'price')];
  if (currency === undefined || price === undefined) return undefined;
  return { currency, price, bands: objectsAt(json, 'bands').flatMap(readBand) };
}

function readBand(json: JsonObject): Band[] {
  const [name, price] = [textAt(json, 'name'), numberAt(json, 'price')];
  const [from, to] = [numberAt(json, 'from'), numberAt(json, 'to')];
  const days = Array.isArray(json.days) ? json.days.filter((day) => typeof day === 'number') : [];
  if (name === undefined || price === undefined || from === undefined || to === undefined) return [];
  return [{ name, price, from, to, days }];
}
