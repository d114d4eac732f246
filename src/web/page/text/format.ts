/** Writes numbers and times as the reader's language and the site's time zone have them. */
export interface Format {
  /** A plain number with so many digits after the point. */
  number(value: number, digits?: number): string;
  /** W, or kW from 1,000 W on. */
  power(watts: number): string;
  kwh(value: number): string;
  money(value: number, currency: string): string;
  /** The time of the day if that is today, else the date as well. */
  moment(ms: number): string;
  /** Hour and minute. */
  time(ms: number): string;
  /** Date, hour and minute, always. */
  full(ms: number): string;
  day(ms: number): string;
  /** Month and year; of a month such as `2026-10`. */
  month(month: string): string;
  /** The month alone, short; of a month such as `2026-10`. */
  shortMonth(month: string): string;
  /** The month that the moment is in, as `2026-10`. */
  monthOf(ms: number): string;
  /** The day that the moment is in, as `2026-10-31`. */
  dayOf(ms: number): string;
}

/** `locale` such as `de-AT`, `timeZone` such as `Europe/Amsterdam`; `now` in milliseconds since 1970. */
export function formatFor(locale: string, timeZone: string, now: () => number): Format {
  const dates = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone, ...options });
  const time = dates({ hour: '2-digit', minute: '2-digit' });
  const full = dates({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  const day = dates({ day: 'numeric', month: 'short' });
  // A month is no moment: it is written without a zone of its own.
  const month = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', month: 'long', year: 'numeric' });
  const shortMonth = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', month: 'short' });
  const sortable = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const dayOf = (ms: number) => {
    const parts = sortable.formatToParts(ms);
    const part = (type: string) => parts.filter((one) => one.type === type)[0]?.value ?? '';
    return `${part('year')}-${part('month')}-${part('day')}`;
  };
  const numbers = [0, 1, 2, 3].map(
    (digits) =>
      new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  const number = (value: number, digits = 0) => (numbers[digits] ?? numbers[0])?.format(value) ?? '';
  return {
    number,
    power: (watts) =>
      Math.abs(watts) >= 999.5
        ? `${number(watts / 1000, 1)} kW`
        : `${number(watts, Math.abs(watts) < 9.95 && watts !== 0 ? 1 : 0)} W`,
    kwh: (value) => `${number(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} kWh`,
    money: (value, currency) => money(locale, currency, value),
    moment: (ms) => (day.format(ms) === day.format(now()) ? time.format(ms) : full.format(ms)),
    time: (ms) => time.format(ms),
    full: (ms) => full.format(ms),
    day: (ms) => day.format(ms),
    month: (text) => month.format(Date.parse(`${text}-15T00:00:00Z`)),
    shortMonth: (text) => shortMonth.format(Date.parse(`${text}-15T00:00:00Z`)),
    monthOf: (ms) => dayOf(ms).slice(0, 7),
    dayOf,
  };
}

/** A currency is what the configuration calls it: `EUR`, or a word that is no code. */
function money(locale: string, currency: string, value: number): string {
  try {
    return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(value);
  } catch {
    const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
    return `${new Intl.NumberFormat(locale, digits).format(value)} ${currency}`;
  }
}
