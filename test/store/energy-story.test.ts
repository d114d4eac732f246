import { afterEach, expect, it } from 'vitest';
import { replaceMeters } from '../../src/store/energy-records.ts';
import { keepTariff } from '../../src/store/tariffs.ts';
import { EnergySite } from '../support/energy-site.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let site: EnergySite;

afterEach(() => site.remove());

it('energy is counted over three boots, an outage, kill -9 and new hardware, to a few Wh', async () => {
  site = new EnergySite({ startsAt: '2026-01-05T08:00:00Z', pollMs: 30_000 });
  const plug = site.add('east/lamp');
  const began = site.date();
  const truth = () => (0.1 * (site.date() - began)) / HOUR;
  const seen: { event: string; lifetime: number; boot: number; truth: number }[] = [];
  const look = (event: string) => {
    const { energy, energyBoot } = site.state('east/lamp');
    seen.push({ event, lifetime: energy ?? 0, boot: energyBoot ?? 0, truth: Number(truth().toFixed(3)) });
  };
  await site.start();
  await site.advance(10 * HOUR);
  look('ten hours');
  plug.reboot();
  await site.advance(5 * HOUR);
  look('boot 1, bridge up');
  await site.stop();
  site.pass(12 * HOUR);
  plug.reboot();
  site.pass(8 * HOUR);
  await site.start();
  await site.advance(10 * MINUTE);
  look('boot 2, bridge down');
  await site.advance(HOUR + 59_000);
  site.kill();
  site.pass(2 * HOUR);
  await site.start();
  await site.advance(MINUTE);
  look('kill -9, two hours away');
  plug.reboot();
  await site.advance(3 * HOUR);
  look('boot 3, bridge up');
  const spare = site.add('spare', { loadW: 100 });
  await site.bridge.remove('east/lamp');
  replaceMeters(site.store, plug.options.mac, spare.options.mac);
  site.plugs.delete('spare');
  site.plugs.set('east/lamp', { device: spare, lamp: undefined });
  site.bridge.add(site.spec('east/lamp'));
  await site.advance(4 * HOUR);
  look('new hardware');
  for (const { event, lifetime, truth: used } of seen) {
    expect(lifetime, event).toBeLessThanOrEqual(used);
    expect(used - lifetime, event).toBeLessThan(0.015);
  }
  expect(seen.map(({ lifetime }) => lifetime)).toEqual(
    seen.map(({ lifetime }) => lifetime).sort((a, b) => a - b),
  );
});

it('energy of a bulb, which has no counter, is counted by its statistics, over a midnight and two outages', async () => {
  site = new EnergySite({ startsAt: '2026-01-30T20:00:00Z', pollMs: 30_000 });
  site.addBulb('east/bulb');
  await site.start();
  expect(site.state('east/bulb')).toMatchObject({ power: 5.8, energy: 0, energyBoot: null });
  const began = site.date();
  const seen: number[] = [];
  const look = () => {
    const truth = (0.0058 * (site.date() - began)) / HOUR;
    const energy = site.state('east/bulb').energy ?? Number.NaN;
    expect(energy).toBeLessThanOrEqual(truth + 0.001);
    expect(truth - energy).toBeLessThan(0.002);
    seen.push(energy);
  };
  await site.advance(10 * HOUR);
  look();
  await site.stop();
  site.pass(40 * HOUR);
  await site.start();
  await site.advance(10 * MINUTE);
  look();
  await site.advance(HOUR);
  site.kill();
  site.pass(2 * HOUR);
  await site.start();
  await site.advance(10 * MINUTE);
  look();
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(site.energy({ by: 'month' }).plugs.map(({ period, kwh }) => [period, kwh > 0])).toEqual([
    ['2026-01', true],
    ['2026-02', true],
  ]);
});

it('a lamp is found weak as it ages, out when it dies, an unexpected load as a heater, and well when it is new', async () => {
  site = new EnergySite({ pollMs: 5000 });
  const lamp = site.add('lamp', { loadW: 60 }, { watts: 'learn', tolerance: 0.25, settleMs: MINUTE });
  await site.start();
  await site.advance(115 * MINUTE);
  expect(site.state('lamp').lamp).toBeNull();
  await site.advance(10 * MINUTE);
  const verdicts = [site.state('lamp').lamp];
  for (const watts of [50, 40, 0, 1500, 60]) {
    lamp.loadW = watts;
    await site.advance(5 * MINUTE);
    verdicts.push(site.state('lamp').lamp);
  }
  expect(verdicts).toEqual(['ok', 'ok', 'weak', 'out', 'unexpected-load', 'ok']);
  expect(site.log.lines.map(({ msg, lamp: verdict }) => verdict ?? msg)).toEqual([
    'the lamp is as it should be',
    'weak',
    'out',
    'unexpected-load',
    'the lamp is as it should be',
  ]);
  lamp.loadW = 0;
  await site.advance(5 * MINUTE);
  lamp.press();
  await site.advance(MINUTE);
  await site.stop();
  await site.start();
  // Nobody has lit it since.
  expect(site.state('lamp').lamp).toBe('out');
});

it('a week of two lamps is told by day, in bands, with its cost', async () => {
  const bands = [{ name: 'night', price: 0.2, from: 22 * 60, to: 6 * 60, days: [0, 1, 2, 3, 4, 5, 6] }];
  site = new EnergySite({ startsAt: '2026-01-05T00:00:00Z', pollMs: 5 * MINUTE, bands });
  site.add('east/lamp', { loadW: 60 });
  site.add('shed', { loadW: 1000, hardware: '1.0' });
  await site.start();
  keepTariff(site.store, { currency: 'EUR', price: 0.4, bands }, 20260105);
  await site.advance(7 * 24 * HOUR);
  const week = site.energy({ from: 20260105, to: 20260111, by: 'day' });
  expect(new Set(week.plugs.map(({ period }) => period)).size).toBe(7);
  for (const { path, kwh, cost } of week.plugs) {
    const watts = path === 'shed' ? 1 : 0.06;
    expect(kwh, path).toBeCloseTo(24 * watts, 0);
    expect(cost, path).toBeCloseTo(watts * (16 * 0.4 + 8 * 0.2), 0);
  }
  const [all] = site.energy({ from: 20260105, to: 20260111 }).places;
  expect(all?.kwh).toBeCloseTo(7 * 24 * 1.06, 0);
});
