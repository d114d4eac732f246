import { describe, expect, it } from 'vitest';
import { monthsToRead, readClockAndCloud, readEnergyTotals } from '../../src/plug/statistics.ts';

/** What a plug says about its zone and its cloud. */
function reply(zone: unknown, cloud: object = {}) {
  return { time: { get_timezone: { index: zone, err_code: 0 } }, cnCloud: { get_info: cloud } };
}

describe('what changes slowly', () => {
  it.each([0, 39, 109])('holds a zone that the firmware knows: %d', (index) => {
    expect(readClockAndCloud(reply(index)).zone).toBe(index);
  });

  it.each([-1, 110, 1e300, 39.5, '39', null])('does not hold a zone that there is not: %j', (index) => {
    expect(readClockAndCloud(reply(index)).zone).toBeUndefined();
  });

  it('says of the cloud only what is yes or no', () => {
    expect(readClockAndCloud(reply(39, { binded: 1, cld_connection: 0 })).cloud).toEqual({
      bound: true,
      connected: false,
    });
    expect(readClockAndCloud(reply(39, { binded: 7, cld_connection: 'x' })).cloud).toEqual({
      bound: undefined,
      connected: undefined,
    });
  });
});

const at = (year: number, month: number, day: number) => ({
  year,
  month,
  day,
  hour: 12,
  minute: 0,
  second: 0,
});
const text = (months: readonly { year: number; month: number }[]) =>
  months.map(({ year, month }) => `${year}-${month}`).join(' ');

describe('the months whose statistics are read', () => {
  it.each([
    ['in the middle of the year', at(2026, 6, 15), undefined, '2026-6'],
    ['on the first of a month, for yesterday', at(2026, 6, 1), undefined, '2026-6 2026-5'],
    ['in January, for last month', at(2026, 1, 20), undefined, '2026-1 2025-12'],
    [
      'back to where something was missed',
      at(2026, 2, 15),
      { year: 2025, month: 12 },
      '2026-2 2026-1 2025-12',
    ],
    [
      'and three months further at most',
      at(2026, 6, 15),
      { year: 2020, month: 1 },
      '2026-6 2026-5 2026-4 2026-3',
    ],
    ['but none that is still to come', at(2026, 6, 15), { year: 2027, month: 1 }, '2026-6'],
  ])('are, %s, %j', (_, now, since, months) => {
    expect(text(monthsToRead(now, since))).toBe(months);
  });
});

describe('the energy by day and month', () => {
  const reply = (days: object[], months: object[]) => ({
    emeter: {
      get_daystat: { day_list: days, err_code: 0 },
      get_monthstat: { month_list: months, err_code: 0 },
    },
  });

  it('is that of today, yesterday, this and last month, across the turn of the year', () => {
    const replies = [
      reply([{ year: 2026, month: 1, day: 1, energy_wh: 100 }], [{ year: 2026, month: 1, energy_wh: 100 }]),
      reply(
        [{ year: 2025, month: 12, day: 31, energy_wh: 700 }],
        [{ year: 2025, month: 12, energy_wh: 9000 }],
      ),
    ];
    expect(readEnergyTotals(replies, at(2026, 1, 1))).toMatchObject({
      today: 0.1,
      yesterday: 0.7,
      month: 0.1,
      lastMonth: 9,
      days: [{ day: 1 }, { day: 31 }],
    });
  });

  it('is open where nothing is booked, and where a question was refused', () => {
    const refused = { emeter: { err_code: -1, err_msg: 'module not support' } };
    expect(readEnergyTotals([reply([], []), refused], at(2026, 3, 1))).toEqual({
      today: undefined,
      yesterday: undefined,
      month: undefined,
      lastMonth: undefined,
      days: [],
    });
  });
});
