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

const ADD_TO_SOURCE = `
  INSERT INTO source (outlet, path, energy) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET energy = energy + excluded.energy`;

const ADD_TO_DAY = `
  INSERT INTO energy_day (day, source, band, energy, late)
  SELECT ?, id, ?, ?, ? FROM source WHERE outlet = ? AND path = ?
  ON CONFLICT DO UPDATE SET energy = energy + excluded.energy, late = late + excluded.late`;
