import { describe, expect, it } from 'vitest';
import { type Appearance, type AreaRule, Names } from '../../src/bridge/names.ts';

type Written = { readonly [path: string]: Partial<Appearance> };

const BARE: Appearance = { name: undefined, area: undefined, as: undefined };

const mapOf = (written: Written) =>
  new Map(Object.entries(written).map(([path, some]) => [path, { ...BARE, ...some }]));

const names = (plugs: Written = {}, places: Written = {}, areas: AreaRule = 'first-level') =>
  new Names({ site: 'museum', plugs: mapOf(plugs), places: mapOf(places), areas });

describe('the name of a place', () => {
  it.each([
    ['east-wing', 'East wing'],
    ['museum/old_barn', 'Old barn'],
    ['', 'Museum'],
    ['--', '--'],
  ])('%s is %s unless something else is written', (path, name) => {
    expect(names().place(path)).toBe(name);
    expect(names({}, { [path]: { name: 'Ostflügel' } }).place(path)).toBe('Ostflügel');
  });
});

describe('the area of a plug or place', () => {
  const both = (path: string, site: Names) => [site.plugArea(`${path}/lamp`), site.placeArea(path)];

  it.each([
    ['first-level', 'East wing'],
    ['path', 'East wing / Hall'],
    ['off', undefined],
  ] as const)('is derived from its path, %s', (rule, area) => {
    expect(both('east-wing/hall', names({}, {}, rule))).toEqual([area, area]);
  });

  it('follows the names of places', () => {
    expect(both('east', names({}, { east: { name: 'East wing' } }))).toEqual(['East wing', 'East wing']);
  });

  it('is what is written for it, else for the nearest place around it', () => {
    const site = names(
      { 'east/hall/lamp': { area: 'Corner' } },
      { east: { area: 'East' }, 'east/hall': { area: 'Hall' } },
    );
    expect(site.plugArea('east/hall/lamp')).toBe('Corner');
    expect(site.plugArea('east/hall/desk')).toBe('Hall');
    expect(site.plugArea('east/desk')).toBe('East');
    expect(site.placeArea('east/hall')).toBe('Hall');
    expect(site.placeArea('east/attic')).toBe('East');
  });

  it('is that of the site only where there is no place in between', () => {
    const site = names({}, { '': { area: 'Museum' } });
    expect([site.plugArea('shed'), site.plugArea('east/lamp'), site.placeArea('')]).toEqual([
      'Museum',
      'East',
      'Museum',
    ]);
    expect([names().plugArea('shed'), names().placeArea('')]).toEqual([undefined, undefined]);
  });
});

describe('what a plug or place is shown as', () => {
  it('is a switch, or what is written for it or the nearest place around it', () => {
    const site = names({ 'east/fan': { as: 'switch' } }, { east: { as: 'light' } });
    expect(['east/fan', 'east/lamp', 'east', 'west', ''].map((path) => site.as(path))).toEqual([
      'switch',
      'light',
      'light',
      'switch',
      'switch',
    ]);
  });
});

describe('a strip', () => {
  it('is called as its entry says, and its outlets as is written for them; both hold for how they are shown', () => {
    const site = names(
      { bench: { name: 'Werkbank', area: 'Barn', as: 'light' } },
      { 'bench/6': { name: 'Freezer', area: 'Kitchen', as: 'switch' } },
    );
    expect([site.place('bench'), site.plug('bench/1'), site.plug('bench/6')]).toEqual([
      'Werkbank',
      undefined,
      'Freezer',
    ]);
    expect(['bench/1', 'bench/6'].map((path) => [site.as(path), site.plugArea(path)])).toEqual([
      ['light', 'Barn'],
      ['switch', 'Kitchen'],
    ]);
  });
});

describe('a name that changes', () => {
  it('holds from then on, and is told until nobody listens', () => {
    const site = names({ lamp: { name: 'Lamp' } });
    const told: string[] = [];
    const end = site.onChange((path) => told.push(path));
    site.setPlug('lamp', { ...BARE, name: 'Reading lamp' });
    site.setPlace('east', { ...BARE, name: 'Ostflügel' });
    end();
    site.setPlug('lamp', undefined);
    expect(told).toEqual(['lamp', 'east']);
    expect([site.plug('lamp'), site.place('east')]).toEqual([undefined, 'Ostflügel']);
  });
});
