import { afterEach, describe, expect, it } from 'vitest';
import { replaceMeters } from '../../src/store/energy-records.ts';
import { EnergySite, type SiteOptions } from '../support/energy-site.ts';
import { POLICY } from '../support/plug-bench.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const sites: EnergySite[] = [];

/** A site with a lamp of 100 W on `lamp`: 0.1 kWh an hour. */
async function siteWith(options: SiteOptions = {}): Promise<EnergySite> {
  const site = new EnergySite({ startsAt: '2026-01-01T08:00:00Z', pollMs: MINUTE, ...options });
  sites.push(site);
  site.add('east/lamp');
  await site.start();
  return site;
}

afterEach(async () => {
  for (const site of sites.splice(0)) await site.remove();
});

const days = (site: EnergySite) =>
  site.energy({ by: 'day' }).plugs.map(({ period, kwh, lateKwh }) => [period, kwh, lateKwh]);

/** kWh, to a few Wh: plugs show whole ones. */
const about = (kwh: number) => expect.closeTo(kwh, 2);

function plug(site: EnergySite, path = 'east/lamp') {
  const found = site.plugs.get(path)?.device;
  if (found === undefined) throw new Error(`there is no plug ${path}`);
  return found;
}

describe('the lifetime energy of a plug', () => {
  it('goes on when the plug boots', async () => {
    const site = await siteWith();
    await site.advance(10 * HOUR);
    plug(site).reboot();
    await site.advance(5 * HOUR);
    expect(site.state('east/lamp')).toMatchObject({ energy: about(1.5), energyBoot: about(0.5) });
  });

  it('loses nothing with kill -9', async () => {
    const site = await siteWith();
    await site.advance(3 * HOUR + 59_000);
    site.kill();
    site.pass(2 * HOUR);
    await site.start();
    expect(site.state('east/lamp').energy).toBe(0.501);
    expect(days(site)).toEqual([['2026-01-01', 0.299, 0]]);
    await site.advance(MINUTE);
    expect(days(site)).toEqual([['2026-01-01', about(0.5), 0]]);
  });

  it('goes on with what its own statistics say when it booted while the bridge was away', async () => {
    const site = await siteWith();
    await site.advance(10 * HOUR);
    await site.stop();
    site.pass(12 * HOUR);
    plug(site).reboot();
    site.pass(8 * HOUR);
    await site.start();
    await site.advance(10 * MINUTE);
    expect(site.state('east/lamp')).toMatchObject({ energy: about(3.01), energyBoot: about(0.817) });
    expect(days(site)).toEqual([
      ['2026-01-01', about(1.6), 0],
      ['2026-01-02', about(1.412), 0],
    ]);
  });

  it('leaves out what nobody counted when its clock was not set either', async () => {
    const site = await siteWith();
    await site.advance(10 * HOUR);
    await site.stop();
    plug(site).setClock(undefined);
    site.pass(HOUR);
    plug(site).reboot();
    site.pass(2 * HOUR);
    await site.start();
    await site.advance(10 * MINUTE);
    expect(site.state('east/lamp').energy).toBeCloseTo(1.216, 2);
  });

  it('is that of the outlet when another plug takes the place of one that broke', async () => {
    const site = await siteWith();
    await site.advance(10 * HOUR);
    const old = plug(site).options.mac;
    const spare = site.add('spare', { loadW: 7000 });
    await site.advance(HOUR);
    spare.loadW = 100;
    await site.bridge.remove('east/lamp');
    replaceMeters(site.store, old, spare.options.mac);
    site.plugs.delete('spare');
    site.plugs.set('east/lamp', { device: spare, lamp: undefined });
    site.bridge.add(site.spec('east/lamp'));
    await site.advance(2 * HOUR);
    expect(site.state('east/lamp')).toMatchObject({ energy: about(1.3), energyBoot: about(7.2) });
    expect(site.energy().plugs).toMatchObject([{ path: 'east/lamp', kwh: about(1.3) }]);
    expect(site.bridge.place('east')).toMatchObject({ energy: about(1.3) });
  });

  it('may be set to what another meter shows, and stays there', async () => {
    const site = await siteWith();
    await site.advance(HOUR);
    expect(site.bridge.setEnergy('east/lamp', 1234.5)).toBe(true);
    expect(site.state('east/lamp').energy).toBe(1234.5);
    await site.advance(HOUR);
    site.kill();
    await site.start();
    expect(site.state('east/lamp').energy).toBeCloseTo(1234.6, 2);
    expect(site.energy().plugs).toMatchObject([{ kwh: about(0.2) }]);
    expect(site.bridge.setEnergy('west/lamp', 1)).toBe(false);
  });
});

describe('the energy by day', () => {
  it('ends at midnight of the site', async () => {
    const site = await siteWith({ timeZone: 'Europe/Berlin' });
    await site.advance(15 * HOUR - 1000);
    expect(days(site)).toEqual([['2026-01-01', about(1.5), 0]]);
    await site.advance(HOUR);
    expect(days(site)).toEqual([
      ['2026-01-01', about(1.5), 0],
      ['2026-01-02', about(0.1), 0],
    ]);
  });

  it('is booked in the bands of the tariff', async () => {
    const bands = [{ name: 'night', price: 0.2, from: 22 * 60, to: 6 * 60, days: [0, 1, 2, 3, 4, 5, 6] }];
    const site = await siteWith({ bands });
    await site.advance(24 * HOUR);
    expect(site.energy().plugs).toMatchObject([{ bands: { '': about(1.6), night: about(0.8) } }]);
  });

  it('of days on which the bridge was away is what the plug booked on them', async () => {
    const site = await siteWith();
    await site.advance(4 * HOUR);
    site.kill();
    site.pass(2 * DAY);
    plug(site).press();
    site.pass(DAY);
    await site.start();
    await site.advance(10 * MINUTE);
    expect(days(site)).toEqual([
      ['2026-01-01', about(1.6), 0],
      ['2026-01-02', about(2.4), 0],
      ['2026-01-03', about(1.2), 0],
    ]);
    expect(site.state('east/lamp').energy).toBeCloseTo(5.2, 2);
  });

  it('is told as late where the plug did not book it: only the sum is known', async () => {
    const site = await siteWith();
    plug(site).setClock(undefined);
    await site.advance(4 * HOUR);
    await site.stop();
    site.pass(2 * DAY);
    await site.start();
    await site.advance(10 * MINUTE);
    expect(days(site)).toHaveLength(1);
    await site.advance(10 * MINUTE);
    expect(days(site)).toEqual([
      ['2026-01-01', about(0.4), 0],
      ['2026-01-03', about(4.83), about(4.8)],
    ]);
  });

  it('is kept for ten years', async () => {
    const site = await siteWith();
    await site.advance(HOUR);
    site.store.write('UPDATE energy_day SET day = 20160101', []);
    await site.advance(DAY);
    expect(days(site).map(([period]) => period)).toEqual(['2026-01-01', '2026-01-02']);
    await site.stop();
    // What the place used in all stays.
    await site.start();
    expect(site.bridge.place('east')?.energy).toBeCloseTo(2.5, 2);
  });
});

describe('the energy of a place', () => {
  it('is what its plugs used in it, over restarts; a plug that is taken out leaves it behind', async () => {
    const site = await siteWith();
    await site.advance(HOUR);
    await site.stop();
    site.add('east/desk', { loadW: 50 });
    await site.start();
    await site.advance(2 * HOUR);
    expect(site.bridge.place('east')).toMatchObject({ energy: about(0.4) });
    await site.bridge.remove('east/lamp');
    expect(site.bridge.place('east')).toMatchObject({ energy: about(0.4), total: 1 });
    await site.advance(2 * HOUR);
    expect(site.bridge.place('east')).toMatchObject({ energy: about(0.5) });
    expect(site.bridge.place('')).toMatchObject({ energy: about(0.5) });
    site.kill();
    site.plugs.delete('east/lamp');
    await site.start();
    expect(site.bridge.place('east')).toMatchObject({ energy: about(0.5) });
  });

  it('stays behind, and is taken along nowhere, when a plug is moved', async () => {
    const site = await siteWith();
    await site.advance(3 * HOUR + 30_000);
    site.bridge.configure(
      new Map([['east/lamp', { ...site.spec('east/lamp'), timeoutMs: 1000, outlets: moved }]]),
    );
    const east = site.bridge.place('');
    expect([east?.energy, site.bridge.place('west')?.energy]).toEqual([about(0.3), 0]);
    await site.advance(2 * HOUR);
    const check = () => {
      expect(site.bridge.place('west')).toMatchObject({ energy: about(0.2) });
      expect(site.bridge.place('')).toMatchObject({ energy: about(0.5) });
    };
    check();
    expect(site.energy().places).toMatchObject([
      { path: '', kwh: about(0.5) },
      { path: 'east', kwh: about(0.3) },
      { path: 'west', kwh: about(0.2) },
    ]);
    site.kill();
    site.plugs.set('west/lamp', { device: plug(site), lamp: undefined });
    site.plugs.delete('east/lamp');
    await site.start();
    check();
  });
});

const moved = [{ path: 'west/lamp', id: null, policy: POLICY }];
