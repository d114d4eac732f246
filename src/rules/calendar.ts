import type { PlugTime } from '../protocol/replies.ts';

/** A day of some calendar as a number that can be read and sorted: 20260105 is the fifth of January 2026. */
export type Day = number;

/** The day of a local time. */
export function dayOf({ year, month, day }: Pick<PlugTime, 'year' | 'month' | 'day'>): Day {
  return (year * 100 + month) * 100 + day;
}

/** The day so many days later, or earlier if `days` is negative. */
export function addDays(day: Day, days: number): Day {
  const date = new Date(utcOf(day) + days * DAY_MS);
  return dayOf({ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() });
}

/** 0 for a Sunday, 6 for a Saturday. */
export function weekdayOf(day: Day): number {
  return new Date(utcOf(day)).getUTCDay();
}

/** The day as `2026-01-05`; a month (202601) as `2026-01`. */
export function textOfDay(day: Day): string {
  return String(day)
    .replace(/^(\d{4})(\d\d)/, '$1-$2')
    .replace(/-(\d\d)(\d\d)$/, '-$1-$2');
}

/** The day written `2026-01-05`; `undefined` if that is none. */
export function parseDay(text: string): Day | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (year === undefined) return undefined;
  const parsed = dayOf({ year: Number(year), month: Number(month), day: Number(day) });
  return addDays(parsed, 0) === parsed ? parsed : undefined;
}

const DAY_MS = 86_400_000;

function utcOf(day: Day): number {
  return Date.UTC(Math.floor(day / 10_000), (Math.floor(day / 100) % 100) - 1, day % 100);
}
