import { addDays, type Day } from './calendar.ts';
import { ROUNDING } from './lifetime-energy.ts';

/*
 * What a plug used while nobody counted, told from its own statistics, which survive that it boots anew. Pure; energy is
 * in thousandths of a Wh, days are those of the plug's calendar.
 */

/** What the plug's statistics showed of the day that was then, and the lifetime counter at that time. */
export interface BookedDay {
  readonly day: Day;
  readonly energy: number;
  readonly lifetime: number;
}

/** Energy by day. */
export type DayEnergy = ReadonlyMap<Day, number>;

/** Statistics of each day are rounded, to a Wh as a rule. */
const ROUNDING_OF_DAY = 1000;

/** Days are looked at one by one; more than these are not asked of a plug. */
export const MOST_DAYS = 366;

/**
 * What the plug booked by its statistics since `before` and the lifetime counter did not see, at the least; 0 if
 * nothing. `slack` is what it may have used since its counter was last read.
 */
export function missedSince(
  before: BookedDay,
  days: DayEnergy,
  today: Day,
  lifetime: number,
  slack: number,
): number {
  const { energy, count } = bookedSince(before, days, today);
  const rounding = ROUNDING + slack + count * ROUNDING_OF_DAY;
  return Math.max(0, Math.floor(energy - (lifetime - before.lifetime) - rounding));
}

/** What the plug booked by its statistics since `before`: all that is known where it has no counter. */
export function usedByDays(before: BookedDay, days: DayEnergy, today: Day): number {
  return Math.max(0, bookedSince(before, days, today).energy);
}

function bookedSince(before: BookedDay, days: DayEnergy, today: Day): { energy: number; count: number } {
  let energy = -before.energy;
  let count = 0;
  for (const day of daysFrom(before.day, today)) {
    energy += days.get(day) ?? 0;
    count++;
  }
  return { energy, count };
}

/** What was used on which of the days; `late` is the rest, of which only the sum is known. */
export interface Placed {
  readonly days: readonly { readonly day: Day; readonly energy: number }[];
  readonly late: number;
}

/**
 * Spreads what was used from one day to another as the plug's statistics say, over what is stored of these days
 * already. What they do not account for is used on some day of them.
 */
export function placeMissed(
  energy: number,
  from: Day,
  to: Day,
  booked: DayEnergy,
  stored: DayEnergy,
): Placed {
  let rest = energy;
  let count = 0;
  const days: { day: Day; energy: number }[] = [];
  for (const day of daysFrom(from, to)) {
    const part = Math.min(rest, Math.max(0, (booked.get(day) ?? 0) - (stored.get(day) ?? 0)));
    if (part > 0) days.push({ day, energy: part });
    rest -= part;
    count++;
  }
  const isRounding = days.length > 0 && rest <= ROUNDING + count * ROUNDING_OF_DAY;
  if (isRounding && rest > 0) days.push({ day: to, energy: rest });
  return { days, late: isRounding ? 0 : rest };
}

function* daysFrom(from: Day, to: Day): Iterable<Day> {
  for (let day = from, count = 0; day <= to && count < MOST_DAYS; day = addDays(day, 1), count++) yield day;
}
