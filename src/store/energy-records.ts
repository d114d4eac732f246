import type { StoredMeter } from '../bridge/outlet-meter.ts';
import type { Day } from '../rules/calendar.ts';
import type { Store } from './store.ts';

/** Energy that an outlet used at a path. It is in thousandths of a Wh. */
export interface Booking {
  /** As {@link outletKey} makes it. */
  readonly outlet: string;
  readonly path: string;
  readonly day: Day;
  /** The band of the tariff. */
  readonly band: string;
  readonly energy: number;
  /** The part of it of which it is not known on which day it was used. */
  readonly late: number;
}

/** Adds to what is stored, with the transaction that runs. */
export function book(store: Store, { outlet, path, day, band, energy, late }: Booking): void {
  store.write(ADD_TO_SOURCE, [outlet, path, energy]);
  store.write(ADD_TO_DAY, [day, band, energy, late, outlet, path]);
}

/** Keeps what the meter of an outlet adds up to, with the transaction that runs. */
export function keepMeter(
  store: Store,
  outlet: string,
  { lifetime, total, at, booked, lamp }: StoredMeter,
): void {
  const row = [outlet, lifetime, total, at, booked && JSON.stringify(booked), JSON.stringify(lamp)];
  store.write('INSERT OR REPLACE INTO meter VALUES (?, ?, ?, ?, ?, ?)', row);
}

/**
 * Another device takes the place of one that broke: it goes on from the counter of that one, and inherits the lamp and all
 * that is stored by day. Devices are given by their MAC; the outlets of a strip keep their order.
 */
export function replaceMeters(store: Store, from: string, to: string): void {
  const renamed = `? || substr(outlet, ${from.length + 1})`;
  const isOf = `(outlet = ? OR outlet LIKE ? || ' %')`;
  store.transaction(() => {
    store.write(`DELETE FROM meter WHERE ${isOf}`, [to, to]);
    // What its own counter shows was not used here.
    store.write(`UPDATE meter SET outlet = ${renamed}, total = NULL, booked = NULL WHERE ${isOf}`, [
      to,
      from,
      from,
    ]);
    store.write(`UPDATE OR IGNORE source SET outlet = ${renamed} WHERE ${isOf}`, [to, from, from]);
  });
}

const ADD_TO_SOURCE = `
  INSERT INTO source (outlet, path, energy) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET energy = energy + excluded.energy`;

const ADD_TO_DAY = `
  INSERT INTO energy_day (day, source, band, energy, late)
  SELECT ?, id, ?, ?, ? FROM source WHERE outlet = ? AND path = ?
  ON CONFLICT DO UPDATE SET energy = energy + excluded.energy, late = late + excluded.late`;
