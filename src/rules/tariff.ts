import type { PlugTime } from '../protocol/replies.ts';
import { addDays, dayOf, weekdayOf } from './calendar.ts';

/** A part of the day or the week in which a kWh has a price of its own. */
export interface Band {
  readonly name: string;
  /** Of one kWh. */
  readonly price: number;
  /** Minutes since midnight at which it begins and ends; one that ends before it begins goes on into the next day. */
  readonly from: number;
  readonly to: number;
  /** Weekdays on which it begins; 0 is Sunday. */
  readonly days: readonly number[];
}

/** What electricity costs. */
export interface Tariff {
  /** As `EUR`. */
  readonly currency: string;
  /** Of one kWh while no band holds. */
  readonly price: number;
  /** The first that holds counts. */
  readonly bands: readonly Band[];
}

/** How energy is called that is in no band. */
export const NO_BAND = '';

/** The name of the band that holds at a local time. */
export function bandAt(bands: readonly Band[], time: PlugTime): string {
  const today = dayOf(time);
  const minute = time.hour * 60 + time.minute;
  return (
    bands.find((band) => holds(band, weekdayOf(today), weekdayOf(addDays(today, -1)), minute))?.name ??
    NO_BAND
  );
}

/** What so many kWh cost that were used in that band; in one that the tariff does not know they have its usual price. */
export function costOf({ price, bands }: Tariff, band: string, kwh: number): number {
  return kwh * (bands.find(({ name }) => name === band)?.price ?? price);
}

function holds({ from, to, days }: Band, today: number, yesterday: number, minute: number): boolean {
  if (from < to) return days.includes(today) && minute >= from && minute < to;
  return (days.includes(today) && minute >= from) || (days.includes(yesterday) && minute < to);
}
