import { describe, expect, it } from 'vitest';
import { hashOf, routeOf } from '../../src/web/page/route.ts';
import { formatFor } from '../../src/web/page/text/format.ts';
import { LANGUAGES, languageOf } from '../../src/web/page/text/languages.ts';
import { monthAfter } from '../../src/web/page/text/months.ts';

const noon = Date.parse('2026-06-30T22:30:00Z');
const formats = (locale: string, timeZone = 'Europe/Amsterdam') => formatFor(locale, timeZone, () => noon);

describe('the texts of the page', () => {
  it('have the same keys in every language, down to the last', () => {
    const keys = (value: object): string[] =>
      Object.entries(value).flatMap(([key, inner]) =>
        typeof inner === 'object' ? keys(inner).map((below) => `${key}.${below}`) : [key],
      );
    const [first, ...others] = [...LANGUAGES.values()].map(({ words }) => keys(words).sort());
    expect(first?.length).toBeGreaterThan(150);
    for (const other of others) expect(other).toEqual(first);
  });

  it('are in the first of the wanted languages that there is', () => {
    expect(languageOf([null, 'fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(languageOf([undefined, 'fr'])).toBe('en');
  });
});

describe('numbers and times', () => {
  it('are those of the site, wherever the reader is', () => {
    expect(formats('nl').time(noon)).toBe('00:30');
    expect(formats('en-GB', 'America/New_York').time(noon)).toBe('18:30');
    expect(formats('de').monthOf(noon)).toBe('2026-07');
  });

  it('are written as the language has them', () => {
    expect(formats('de').power(1234.5)).toBe('1,2 kW');
    expect(formats('en-GB').power(61.2)).toBe('61 W');
    expect(formats('en-GB').power(0.24)).toBe('0.2 W');
    expect(formats('nl').kwh(3.456)).toBe('3,46 kWh');
    expect(formats('de').month('2026-10')).toBe('Oktober 2026');
    expect(formats('de').money(12.5, 'EUR')).toMatch(/^12,50\s€$/);
    expect(formats('en-GB').money(12.5, 'no code')).toBe('12.50 no code');
  });

  it('name the day of what is not of today, by the calendar of the site', () => {
    expect(formats('en-GB').moment(noon - 60_000)).toBe('00:29');
    expect(formats('en-GB').moment(noon - 3_600_000)).toBe('30 Jun, 23:30');
  });

  it('count months over the turn of the year', () => {
    expect(monthAfter('2026-01', -1)).toBe('2025-12');
    expect(monthAfter('2025-12', 1)).toBe('2026-01');
  });
});

describe('addresses within the page', () => {
  it('lead back to what they were made of, and to the site if they are of nothing', () => {
    for (const route of [
      { view: 'site' },
      { view: 'energy' },
      { view: 'plug', path: 'east-wing/lamp-1' },
    ] as const) {
      expect(routeOf(hashOf(route))).toEqual(route);
    }
    for (const hash of ['', '#', '#/nothing', '#/plug', '#/plug/']) {
      expect(routeOf(hash), hash).toEqual({ view: 'site' });
    }
    expect(routeOf('#/plug/%E0%A4%A')).toEqual({ view: 'plug', path: '%E0%A4%A' });
  });
});
