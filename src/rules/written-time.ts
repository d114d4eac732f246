import { CommandError } from '../errors.ts';
import { offsetAt } from '../protocol/time-zones.ts';

const MINUTE_MS = 60_000;
const DAY = /^\d{4}-\d\d-\d\d$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * The time that is written, in milliseconds since 1970: ISO 8601 with an offset, or a day, which begins at midnight
 * in `zone`. Throws CommandError for anything else.
 */
export function readTime(text: string, zone: string): number {
  const written = Date.parse(text);
  if (Number.isNaN(written) || !(DAY.test(text) || MOMENT.test(text)))
    throw new CommandError(
      'not-understood',
      `${JSON.stringify(text)} is no time: write 2026-10-31T18:00:00Z or 2026-10-31`,
    );
  return DAY.test(text) ? written - wholeOffset(zone, written - wholeOffset(zone, written)) : written;
}

/** The time as the clocks on the wall show it, with their offset: `2026-10-31T18:00:00+01:00`. */
export function localIso(at: number, zone: string): string {
  const offset = wholeOffset(zone, at);
  const minutes = Math.abs(offset) / MINUTE_MS;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const local = new Date(at + offset).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

function wholeOffset(zone: string, at: number): number {
  return Math.round(offsetAt(zone, at) / MINUTE_MS) * MINUTE_MS;
}
