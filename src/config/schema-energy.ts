import type { Band } from '../rules/tariff.ts';
import { leaf, open, type Schema } from './option.ts';
import { count, duration, listOf, type Type, text } from './types.ts';

/** A number that may have decimals. */
function decimal(least: number, most: number): Type<number> {
  return {
    expects: `a number from ${least} to ${most}`,
    schema: { type: 'number', minimum: least, maximum: most },
    read(raw) {
      const value = typeof raw === 'string' && /^\d+(\.\d+)?$/.test(raw) ? Number(raw) : raw;
      return typeof value === 'number' && value >= least && value <= most ? value : undefined;
    },
  };
}

const watts: Type<number | 'learn' | 'off'> = {
  expects: 'watts from 2 to 4000, learn or off',
  schema: { anyOf: [{ type: 'number', minimum: 2, maximum: 4000 }, { enum: ['learn', 'off'] }] },
  read(raw) {
    if (raw === 'learn') return raw;
    return raw === 'off' || raw === false ? 'off' : decimal(2, 4000).read(raw);
  },
};

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const WRITTEN_BAND =
  /^(?<name>[\w-]+)(?: (?<first>[a-z]{3})(?:-(?<last>[a-z]{3}))?)?(?: (?<from>\d\d:\d\d)-(?<to>\d\d:\d\d))? (?<price>\d+(?:\.\d+)?)$/;

const band: Type<Band> = {
  expects:
    'a name, weekdays or hours, and a price, such as "night 22:00-06:00 0.27" or "weekend sat-sun 0.29"',
  schema: { type: 'string', pattern: WRITTEN_BAND.source.replaceAll(/\?<\w+>/g, '') },
  read(raw) {
    const { name, first, last, from, to, price } =
      (typeof raw === 'string' ? WRITTEN_BAND.exec(raw.trim()) : null)?.groups ?? {};
    const days = daysOf(first, last ?? first);
    const [begins, ends] = [minuteOf(from ?? '00:00'), minuteOf(to ?? '24:00')];
    if (name === undefined || days === undefined || begins === undefined || ends === undefined)
      return undefined;
    return begins === ends ? undefined : { name, price: Number(price), from: begins, to: ends, days };
  },
};

function minuteOf(time: string): number | undefined {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return minute < 60 && hour * 60 + minute <= 24 * 60 ? hour * 60 + minute : undefined;
}

function daysOf(first: string | undefined, last: string | undefined): number[] | undefined {
  if (first === undefined || last === undefined) return [...WEEKDAYS.keys()];
  const [from, to] = [WEEKDAYS.indexOf(first), WEEKDAYS.indexOf(last)];
  if (from < 0 || to < 0) return undefined;
  return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, index) => (from + index) % 7);
}

/** What electricity costs. */
export const TARIFF = {
  currency: open('The currency of the prices, as `EUR`. Default: EUR.', text),
  price: open('The price of a kWh. Left out: energy has no cost.', decimal(0, 1_000_000)),
  bands: open(
    'Hours or weekdays with a price of their own, as `night 22:00-06:00 0.27`; the first that holds counts.',
    listOf(band),
  ),
} as const satisfies Schema;

/** How far the journal goes back. */
export const JOURNAL = {
  days: leaf('How many days the journal goes back.', count(1, 36_500), 1098),
  entries: leaf(
    'How many entries the journal has at most; the oldest go.',
    count(1000, 100_000_000),
    200_000,
  ),
} as const satisfies Schema;

/** What the lamp on a plug should draw; for one plug, or for all plugs of a place that do not say otherwise. */
export const LAMP = {
  watts: open(
    'What the lamp draws when it is on, in W; `learn` takes the median of its first two hours, `off` checks nothing (the default).',
    watts,
  ),
  tolerance: open('By how many percent it may differ. Default: 25.', decimal(1, 90)),
  settle: open(
    'How long it is on, or differs, before it is judged. Default: 60s.',
    duration(1000, 3_600_000),
  ),
} as const satisfies Schema;

/** A lamp of which nothing is configured. */
export const NO_LAMP = { watts: undefined, tolerance: undefined, settle: undefined };
