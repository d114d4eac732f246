import { describe, expect, it } from 'vitest';
import { configOf, problemsOf } from '../support/config-sources.ts';

const bands = (band: string) => configOf({ file: `tariff: { price: 0.3, bands: ["${band}"] }` }).tariff.bands;

describe('a band of the tariff', () => {
  it.each([
    ['night 22:00-06:00 0.27', { from: 1320, to: 360, days: [0, 1, 2, 3, 4, 5, 6] }],
    ['weekend sat-sun 0.29', { from: 0, to: 1440, days: [6, 0] }],
    ['peak mon-fri 17:00-20:00 0.5', { from: 1020, to: 1200, days: [1, 2, 3, 4, 5] }],
  ])('is written as "%s"', (text, band) => {
    expect(bands(text)).toMatchObject([band]);
  });

  it.each(['night', 'night 0.2 22:00-06:00', 'night 22:00-22:00 0.2', 'night 25:00-26:00 0.2', 'x abc 0.1'])(
    'is not "%s"',
    (text) => {
      expect(problemsOf({ file: `tariff: { price: 0.3, bands: ["${text}"] }` })).toHaveLength(1);
    },
  );
});

describe('the lamp on a plug', () => {
  it('is told in watts, learnt, or not checked', () => {
    const watts = (value: string) =>
      configOf({ file: `plugs: [{ path: a, host: 192.0.2.1, lamp: { watts: ${value} } }]` }).plugs[0]?.lamp
        .watts;
    expect(['60', '7.5', 'learn', 'off'].map(watts)).toEqual([60, 7.5, 'learn', 'off']);
  });
});
