import { describe, expect, it } from 'vitest';
import type { ClockKeeping } from '../../src/bridge/plug-clock.ts';
import { PlugBench } from '../support/plug-bench.ts';

const WATCHED: ClockKeeping = { keep: false, toleranceMs: 120_000 };
const KEPT: ClockKeeping = { keep: true, toleranceMs: 120_000 };

const WRONG = "the plug's clock is wrong";
const UNSET = "the plug's clock is not set: it books no energy by day and month";
const RIGHT = "the plug's clock is right again";

/** A bench whose plug shows this machine's local time, plus so much. */
function open(clockKeeping: ClockKeeping, aheadMs: number | undefined): PlugBench {
  const bench = new PlugBench({ clockKeeping, poll: { surveyMs: 60_000 } });
  setClock(bench, aheadMs);
  bench.loop.start(0);
  return bench;
}

function setClock({ device, clock }: PlugBench, aheadMs: number | undefined): void {
  const zoneMs = -new Date(clock.date()).getTimezoneOffset() * 60_000;
  device.setClock(aheadMs === undefined ? undefined : zoneMs + aheadMs);
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
    expect(bench.loop.state.clock).toBe(state);
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
      { msg: WRONG, aheadS: 600, cure: expect.stringMatching(/clock\.keep/) },
      { msg: RIGHT },
    ]);
  });

  it('is set where that is wanted, with the zone that the plug has, and is right from then on', async () => {
    const bench = open(KEPT, undefined);
    await bench.clock.advance(1000);
    expect(bench.loop.state.clock).toBe('unset');
    expect(bench.said(UNSET)).toMatchObject([{ cure: 'it is set' }]);
    const at = new Date(bench.clock.date());
    expect(settings(bench)).toMatchObject([
      { time: { set_timezone: { index: 39, hour: at.getHours(), min: at.getMinutes() } } },
    ]);
    await bench.clock.advance(60_000);
    expect(bench.loop.state.clock).toBe('right');
    await bench.clock.advance(120_000);
    expect(settings(bench)).toHaveLength(1);
  });

  it('is not set while it is right', async () => {
    const bench = open(KEPT, 60_000);
    await bench.clock.advance(130_000);
    expect(settings(bench)).toEqual([]);
  });

  it('is said to be out of reach when the plug refuses to have it set, and the survey counts all the same', async () => {
    const bench = open(KEPT, 600_000);
    bench.device.broken.set('time.set_timezone', -3);
    await bench.clock.advance(1000);
    expect(bench.said("the plug's clock cannot be set")).toHaveLength(1);
    expect(bench.loop.state).toMatchObject({ clock: 'wrong', cloud: { bound: false } });
  });

  it('is not known of a plug that has none', async () => {
    const bench = open(KEPT, undefined);
    bench.device.broken.set('time', -1);
    await bench.clock.advance(1000);
    expect(bench.loop.state).toMatchObject({ clock: null, cloud: { bound: false } });
    expect(settings(bench)).toEqual([]);
  });
});
