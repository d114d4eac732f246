import { describe, expect, it } from 'vitest';
import type { ClockSyncSettings } from '../../src/bridge/clock-sync.ts';
import { setTime } from '../../src/protocol/requests.ts';
import { localTime, zoneOfIndex } from '../../src/protocol/time-zones.ts';
import { PlugBench } from '../support/plug-bench.ts';

const WATCHED: ClockSyncSettings = { enabled: false, toleranceMs: 120_000 };
const SYNCED: ClockSyncSettings = { enabled: true, toleranceMs: 120_000 };

const WRONG = "the plug's clock is wrong";
const UNSET = "the plug's clock is not set: it books no energy by day and month";
const RIGHT = "the plug's clock is right again";
const STUBBORN = "the plug's clock cannot be set";

/** A bench whose plug in London, in winter, shows the right time plus so much. */
function open(
  clockSync: ClockSyncSettings,
  aheadMs: number | undefined,
  hardware: '1.0' | '2.0' = '2.0',
): PlugBench {
  const bench = new PlugBench({ clockSync, device: { hardware }, poll: { statisticsMs: 60_000 } });
  setClock(bench, aheadMs);
  bench.loop.start(0);
  return bench;
}

function setClock({ device }: PlugBench, aheadMs: number | undefined): void {
  device.setClock(aheadMs);
}

const settings = ({ transport }: PlugBench) =>
  transport.queries.filter(({ time }) => time?.set_timezone !== undefined);

describe('the clock of a plug', () => {
  it.each([
    [0, 'right'],
    [120_000, 'right'],
    [-120_000, 'right'],
    [122_000, 'wrong'],
    [-3_600_000, 'wrong'],
    [undefined, 'unset'],
  ])('that is %s ms ahead is %s', async (aheadMs, state) => {
    const bench = open(WATCHED, aheadMs);
    await bench.clock.advance(1000);
    expect(bench.state.clock).toBe(state);
    expect(settings(bench)).toEqual([]);
  });

  it('is spoken of when it changes, once, and not while it is right', async () => {
    const bench = open(WATCHED, 0);
    await bench.clock.advance(61_000);
    setClock(bench, 600_000);
    await bench.clock.advance(180_000);
    setClock(bench, 0);
    await bench.clock.advance(120_000);
    const lines = bench.log.lines.filter(({ msg }) => msg.includes('clock'));
    expect(lines).toMatchObject([
      { msg: WRONG, aheadS: 600, cure: expect.stringMatching(/clock\.sync/) },
      { msg: RIGHT },
    ]);
  });

  it('is set where that is wanted, with the zone that the plug has, and is right from then on', async () => {
    const bench = open(SYNCED, undefined);
    await bench.clock.advance(1000);
    expect(bench.said(UNSET)).toMatchObject([{ cure: 'it is set' }]);
    expect(settings(bench)).toMatchObject([{ time: { set_timezone: { index: 39, hour: 12, min: 0 } } }]);
    expect(bench.state.clock).toBe('right');
    await bench.clock.advance(120_000);
    expect(settings(bench)).toHaveLength(1);
  });

  it('is not set while it is right', async () => {
    const bench = open(SYNCED, 60_000);
    await bench.clock.advance(130_000);
    expect(settings(bench)).toEqual([]);
  });

  it('is said to be out of reach when the plug refuses to have it set, and the statistics count all the same', async () => {
    const bench = open(SYNCED, 600_000);
    bench.device.broken.set('time.set_timezone', -3);
    await bench.clock.advance(1000);
    await bench.clock.advance(180_000);
    expect(bench.said(STUBBORN)).toHaveLength(1);
    expect(settings(bench)).toHaveLength(1);
    expect(bench.state).toMatchObject({ clock: 'wrong', cloud: { bound: false } });
  });

  it('is told once of hardware 1, which ignores the time it is set to, and set again only after it was right', async () => {
    const bench = open(SYNCED, 600_000, '1.0');
    await bench.clock.advance(600_000);
    expect(settings(bench)).toHaveLength(1);
    expect(bench.said(STUBBORN)).toMatchObject([{ cure: expect.stringContaining('time servers') }]);
    expect(bench.state.clock).toBe('wrong');
    setClock(bench, 0);
    await bench.clock.advance(60_000);
    setClock(bench, -600_000);
    await bench.clock.advance(600_000);
    expect(settings(bench)).toHaveLength(2);
    expect(bench.said(STUBBORN)).toHaveLength(2);
  });

  it.each([
    [0, null],
    [undefined, 'unset'],
  ])(
    'is not judged where the plug does not say its zone, %s ms ahead, unless it is not set',
    async (aheadMs, state) => {
      const bench = open(SYNCED, aheadMs);
      bench.device.broken.set('time.get_timezone', -1);
      await bench.clock.advance(1000);
      expect(bench.state.clock).toBe(state);
      expect(settings(bench)).toEqual([]);
    },
  );

  it('is not known of a plug that has none', async () => {
    const bench = open(SYNCED, undefined);
    bench.device.broken.set('time', -1);
    await bench.clock.advance(1000);
    expect(bench.state).toMatchObject({ clock: null, cloud: { bound: false } });
    expect(settings(bench)).toEqual([]);
  });
});

describe('the zone of a plug', () => {
  const BERLIN = 41;
  const NEW_YORK = 18;
  const HOUR = 3_600_000;

  /** A plug in that zone, whose clock shows its local time plus so much; it has been looked after for `ms`. */
  async function plugIn(
    index: number,
    clockSync: ClockSyncSettings,
    { aheadMs = 0, ms = 130_000, ...options }: { aheadMs?: number; ms?: number; startsAt?: string } = {},
  ): Promise<PlugBench> {
    const bench = new PlugBench({ clockSync, poll: { statisticsMs: 60_000 }, ...options });
    const { device, clock } = bench;
    const shown = localTime(zoneOfIndex(index) ?? '', clock.date() + aheadMs);
    device.answer(setTime(shown, index));
    bench.loop.start(0);
    await bench.clock.advance(ms);
    return bench;
  }

  it.each([BERLIN, NEW_YORK])('is what its clock is right by, wherever the bridge is: %d', async (index) => {
    const bench = await plugIn(index, SYNCED);
    expect(bench.state.clock).toBe('right');
    expect(settings(bench)).toEqual([]);
  });

  it.each([
    [BERLIN, 13],
    [NEW_YORK, 7],
  ])('is what its clock is set by where no zone is configured: %d', async (index, hour) => {
    const bench = await plugIn(index, SYNCED, { aheadMs: HOUR });
    expect(settings(bench)).toMatchObject([{ time: { set_timezone: { index, hour, min: 0 } } }]);
    expect(bench.state.clock).toBe('right');
  });

  it('becomes that of the site where one is configured', async () => {
    const bench = await plugIn(NEW_YORK, { ...SYNCED, timeZone: 'Europe/Berlin' });
    expect(settings(bench)).toMatchObject([{ time: { set_timezone: { index: BERLIN, hour: 13 } } }]);
    expect(bench.state.clock).toBe('right');
  });

  it('is wrong where it is not that of the site, and left alone unless it is to be set', async () => {
    const bench = await plugIn(NEW_YORK, { ...WATCHED, timeZone: 'Europe/Berlin' });
    expect(bench.state.clock).toBe('wrong');
    expect(bench.said(WRONG)).toMatchObject([{ aheadS: -6 * 3600 }]);
    expect(settings(bench)).toEqual([]);
  });

  it.each([
    ['Europe/Berlin', BERLIN, '2026-03-28T23:30:00Z'],
    ['Europe/Berlin', BERLIN, '2026-10-24T23:30:00Z'],
    ['America/New_York', NEW_YORK, '2026-03-08T05:30:00Z'],
    ['America/New_York', NEW_YORK, '2026-11-01T04:30:00Z'],
  ])('keeps its clock right over the change in %s: %d from %s on', async (timeZone, index, startsAt) => {
    for (const site of [undefined, timeZone]) {
      const bench = await plugIn(index, { ...SYNCED, timeZone: site }, { startsAt, ms: 3 * HOUR });
      expect(bench.state.clock).toBe('right');
      expect(bench.said(WRONG)).toEqual([]);
      expect(settings(bench)).toEqual([]);
    }
  });
});
