import type { PlugTime } from './replies.ts';

/**
 * A zone for each index that `time.set_timezone` takes, 0 to 109, chosen by the cities that hardware 1 names in the
 * answer of `time.get_timezone` and that the Kasa app lists.
 */
const ZONES = `
  Etc/GMT+12 Pacific/Pago_Pago Pacific/Honolulu America/Anchorage America/Tijuana Etc/GMT+8
  America/Los_Angeles America/Phoenix America/Mazatlan Etc/GMT+7 America/Denver America/Guatemala Etc/GMT+6
  America/Chicago America/Mexico_City America/Regina America/Bogota Etc/GMT+5 America/New_York
  America/Indiana/Indianapolis America/Caracas America/Asuncion Etc/GMT+4 America/Halifax America/Cuiaba
  America/La_Paz America/Santiago America/St_Johns America/Sao_Paulo America/Argentina/Buenos_Aires
  America/Cayenne America/Nuuk America/Montevideo America/Bahia Etc/GMT+2 Atlantic/Azores Atlantic/Cape_Verde
  Africa/Casablanca Etc/UTC Europe/London Africa/Monrovia Europe/Berlin Europe/Belgrade Europe/Paris
  Europe/Warsaw Africa/Lagos Africa/Windhoek Asia/Amman Europe/Athens Asia/Beirut Africa/Cairo Asia/Damascus
  Europe/Chisinau Africa/Harare Europe/Helsinki Europe/Istanbul Asia/Jerusalem Europe/Kaliningrad
  Africa/Tripoli Asia/Baghdad Asia/Riyadh Europe/Minsk Europe/Moscow Africa/Nairobi Asia/Tehran Asia/Dubai
  Asia/Baku Europe/Samara Indian/Mauritius Asia/Tbilisi Asia/Yerevan Asia/Kabul Asia/Tashkent
  Asia/Yekaterinburg Asia/Karachi Asia/Kolkata Asia/Colombo Asia/Kathmandu Asia/Almaty Asia/Dhaka
  Asia/Novosibirsk Asia/Yangon Asia/Bangkok Asia/Krasnoyarsk Asia/Shanghai Asia/Irkutsk Asia/Singapore
  Australia/Perth Asia/Taipei Asia/Ulaanbaatar Asia/Tokyo Asia/Seoul Asia/Yakutsk Australia/Adelaide
  Australia/Darwin Australia/Brisbane Australia/Sydney Pacific/Guam Australia/Hobart Asia/Magadan
  Asia/Vladivostok Asia/Srednekolymsk Pacific/Guadalcanal Asia/Anadyr Pacific/Auckland Etc/GMT-12
  Pacific/Fiji Pacific/Tongatapu Pacific/Apia Pacific/Kiritimati
`
  .trim()
  .split(/\s+/);

/**
 * The plug's rules are those of about 2015: for these indexes its clock is wrong for part of the year or all of
 * it, because the law has changed there since (found by comparing the firmware's POSIX rules with 2025 and 2026).
 */
const OUTDATED: ReadonlySet<number> = new Set([
  8, 14, 20, 21, 24, 26, 28, 31, 32, 37, 46, 47, 50, 51, 55, 64, 66, 78, 80, 99, 106, 108,
]);

/** The highest index that the firmware knows. */
export const LAST_ZONE = ZONES.length - 1;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The zone that the plug calls by this index; `undefined` if it is none. */
export function zoneOfIndex(index: number): string | undefined {
  return ZONES[index];
}

/**
 * The index whose clock shows the time of `zone` over the year from `date` (ms since 1970): the one of that name if
 * its rules still hold, else one with the same offsets. `undefined` if the plug knows none.
 */
export function indexOfZone(zone: string, date: number): number | undefined {
  const usable = [...ZONES.keys()].filter((index) => !OUTDATED.has(index));
  const named = usable.find((index) => ZONES[index] === zone);
  if (named !== undefined) return named;
  const noon = Math.floor(date / DAY_MS) * DAY_MS + DAY_MS / 2;
  const days = Array.from({ length: 365 }, (_, day) => noon + day * DAY_MS);
  return usable.find((index) => {
    const other = ZONES[index] ?? '';
    return days.every((day) => offsetAt(other, day) === offsetAt(zone, day));
  });
}

/** What a clock on the wall shows in `zone` at `date` (ms since 1970). */
export function localTime(zone: string, date: number): PlugTime {
  const parts = new Map(
    clockOf(zone)
      .formatToParts(date)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
  };
}

/**
 * Seconds by which a clock in `zone` that shows `shown` is ahead at `date` (ms since 1970). Within an hour of the
 * change between winter and summer time a clock may already have changed or not yet.
 */
export function secondsAhead(shown: PlugTime, zone: string, date: number): number {
  const aheadBy = (time: number) => (asUtc(shown) - offsetAt(zone, time) - date) / 1000;
  const [before, after] = [aheadBy(date - HOUR_MS), aheadBy(date + HOUR_MS)];
  return Math.abs(before) < Math.abs(after) ? before : after;
}

function asUtc({ year, month, day, hour, minute, second }: PlugTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Milliseconds by which `zone` is ahead of UTC at `date` (ms since 1970). */
export function offsetAt(zone: string, date: number): number {
  return asUtc(localTime(zone, date)) - date;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Making one costs as much as a hundred uses of it. */
function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    clocks.set(zone, clock);
  }
  return clock;
}
