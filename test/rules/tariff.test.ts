import { describe, expect, it } from 'vitest';
import { addDays, parseDay, textOfDay, weekdayOf } from '../../src/rules/calendar.ts';
import { type Band, bandAt, costOf } from '../../src/rules/tariff.ts';

const at = (text: string) => {
  const [, year, month, day, hour, minute] = (/(\d+)-(\d+)-(\d+) (\d+):(\d+)/.exec(text) ?? []).map(Number);
  return { year, month, day, hour, minute, second: 0 } as Parameters<typeof bandAt>[1];
};
const WORKDAYS = [1, 2, 3, 4, 5];
const NIGHT: Band = { name: 'night', price: 0.2, from: 22 * 60, to: 6 * 60, days: WORKDAYS };
const WEEKEND: Band = { name: 'weekend', price: 0.25, from: 0, to: 24 * 60, days: [0, 6] };

describe('a day', () => {
  it('is written as people write it, and read again; what is no day is none', () => {
    expect([textOfDay(20260105), textOfDay(202612)]).toEqual(['2026-01-05', '2026-12']);
    expect(parseDay('2028-02-29')).toBe(20280229);
    for (const none of ['2026-02-29', '2026-13-01', '2026-1-1', '20260101', '', 'today'])
      expect(parseDay(none), none).toBeUndefined();
  });

  it('follows another across months and leap years', () => {
    expect([addDays(20260228, 1), addDays(20280228, 1), addDays(20260101, -1)]).toEqual([
      20260301, 20280229, 20251231,
    ]);
    expect([weekdayOf(20260104), weekdayOf(20260110)]).toEqual([0, 6]);
  });
});

describe('a band of a tariff', () => {
  // The fifth of January 2026 is a Monday.
  it.each([
    ['2026-01-05 21:59', ''],
    ['2026-01-05 22:00', 'night'],
    ['2026-01-06 05:59', 'night'],
    ['2026-01-06 06:00', ''],
    ['2026-01-05 05:00', ''],
    ['2026-01-10 05:59', 'night'],
    ['2026-01-10 06:00', 'weekend'],
    ['2026-01-11 23:59', 'weekend'],
  ])(
    'that goes on into the next day belongs to the day on which it begins: at %s it is "%s"',
    (time, band) => {
      expect(bandAt([NIGHT, WEEKEND], at(time))).toBe(band);
    },
  );

  it('has its own price; a band that the tariff does not know has the usual one', () => {
    const tariff = { currency: 'EUR', price: 0.4, bands: [NIGHT] };
    expect([costOf(tariff, 'night', 10), costOf(tariff, '', 10), costOf(tariff, 'gone', 10)]).toEqual([
      2, 4, 4,
    ]);
  });
});
