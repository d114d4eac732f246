import { describe, expect, it } from 'vitest';
import { type Booking, book } from '../../src/store/energy-records.ts';
import { readEnergy } from '../../src/store/energy-report.ts';
import { keepTariff, readTariffs } from '../../src/store/tariffs.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';

const KWH = 1_000_000;
const NIGHT = { name: 'night', price: 0.2, from: 1320, to: 360, days: [0, 1, 2, 3, 4, 5, 6] };

function storeWith(...bookings: Partial<Booking>[]) {
  const store = memoryStore(new ManualClock());
  store.transaction(() => {
    for (const booking of bookings)
      book(store, {
        outlet: 'A',
        path: 'east/lamp',
        day: 20260105,
        band: '',
        energy: KWH,
        late: 0,
        ...booking,
      });
  });
  return store;
}

const SITE = { path: '', from: 20260101, to: 20261231, by: 'month' } as const;
const kwh = (rows: readonly { path: string; kwh: number }[]) => rows.map(({ path, kwh }) => [path, kwh]);

describe('the energy that is stored', () => {
  it('is told by plug and by every place above it, for each day or month', () => {
    const store = storeWith({}, {}, { day: 20260106 }, { day: 20260201 }, { outlet: 'B', path: 'shed' });
    const days = readEnergy(store.database, { ...SITE, to: 20260131, by: 'day' });
    expect(days.plugs.map(({ period, path, kwh }) => [period, path, kwh])).toEqual([
      ['2026-01-05', 'east/lamp', 2],
      ['2026-01-05', 'shed', 1],
      ['2026-01-06', 'east/lamp', 1],
    ]);
    const { places } = readEnergy(store.database, SITE);
    expect(places.map(({ period, path, kwh }) => [period, path, kwh])).toEqual([
      ['2026-01', '', 4],
      ['2026-01', 'east', 3],
      ['2026-02', '', 1],
      ['2026-02', 'east', 1],
    ]);
  });

  it('stays with the place where it was used when the plug is moved, and with the plug, by its latest path', () => {
    const store = storeWith(
      {},
      { day: 20260106, path: 'west/lamp' },
      { day: 20260107, path: 'eastern/lamp' },
    );
    const all = readEnergy(store.database, { ...SITE, by: 'all' });
    expect(kwh(all.plugs)).toEqual([['eastern/lamp', 3]]);
    expect(kwh(all.places)).toEqual([
      ['', 3],
      ['east', 1],
      ['eastern', 1],
      ['west', 1],
    ]);
    const east = readEnergy(store.database, { ...SITE, by: 'all', path: 'east' });
    expect([kwh(east.plugs), kwh(east.places)]).toEqual([[['east/lamp', 1]], [['east', 1]]]);
    expect(kwh(readEnergy(store.database, { ...SITE, path: 'west/lamp' }).plugs)).toEqual([['west/lamp', 1]]);
  });

  it('has no price without a tariff, and says which part of it is known by its sum only', () => {
    const { currency, plugs } = readEnergy(storeWith({}, { late: KWH / 4 }).database, SITE);
    expect(currency).toBeNull();
    expect(plugs).toMatchObject([{ kwh: 2, lateKwh: 0.25, cost: null }]);
  });

  it('is priced by the tariff of its day and by its band; what was used before the first tariff, by that', () => {
    const store = storeWith({}, { band: 'night' }, { day: 20260301 }, { day: 20260601, band: 'night' });
    keepTariff(store, { currency: 'EUR', price: 0.4, bands: [NIGHT] }, 20260201);
    keepTariff(store, { currency: 'EUR', price: 0.5, bands: [] }, 20260601);
    const { currency, places } = readEnergy(store.database, { ...SITE, by: 'all' });
    expect(currency).toBe('EUR');
    expect(places[0]).toMatchObject({ kwh: 4, cost: 0.4 + 0.2 + 0.4 + 0.5, bands: { '': 2, night: 2 } });
    const months = readEnergy(store.database, SITE).plugs.map(({ period, cost }) => [period, cost]);
    expect(months).toEqual([
      ['2026-01', 0.6],
      ['2026-03', 0.4],
      ['2026-06', 0.5],
    ]);
  });
});

describe('a tariff', () => {
  it('is kept anew only when it is another one', () => {
    const store = storeWith();
    const tariff = { currency: 'EUR', price: 0.4, bands: [NIGHT] };
    for (const since of [20260101, 20260102, 20260103]) keepTariff(store, tariff, since);
    expect(readTariffs(store.database)).toEqual([{ since: 20260101, tariff }]);
    keepTariff(store, { ...tariff, price: 0.5 }, 20260103);
    keepTariff(store, { ...tariff, price: 0.6 }, 20260103);
    expect(readTariffs(store.database).map(({ since, tariff: { price } }) => [since, price])).toEqual([
      [20260101, 0.4],
      [20260103, 0.6],
    ]);
  });

  it('that cannot be read is left out', () => {
    const store = storeWith();
    store.write('INSERT INTO tariff VALUES (?, ?)', [20260101, 'nonsense']);
    store.write('INSERT INTO tariff VALUES (?, ?)', [20260102, '{}']);
    expect(readTariffs(store.database)).toEqual([]);
  });
});
