import { describe, expect, it } from 'vitest';
import {
  checkLamp,
  type LampCheck,
  type LampSettings,
  relearn,
  SAMPLE_MS,
  SAMPLES,
  UNKNOWN_LAMP,
} from '../../src/rules/lamp.ts';

const SETTINGS: LampSettings = { watts: 60, tolerance: 0.25, settleMs: 60_000 };
const POLL_MS = 5000;

/** A lamp that draws so much, for a while from `at` on. */
function draws(
  lamp: LampCheck,
  power: number | null,
  ms: number,
  settings = SETTINGS,
  relay = true,
): LampCheck {
  let checked = lamp;
  for (let passed = 0; passed <= ms; passed += POLL_MS) {
    now += POLL_MS;
    checked = checkLamp(checked, settings, { relay, power, at: now });
  }
  return checked;
}

let now = 0;

const lit = (power: number) => draws(UNKNOWN_LAMP, power, 70_000);

describe('a lamp', () => {
  it.each([
    [60, 'ok'],
    [46, 'ok'],
    [44, 'weak'],
    [5, 'out'],
    [0, 'out'],
    [76, 'unexpected-load'],
    [2000, 'unexpected-load'],
  ])('of 60 W that draws %d W is %s', (power, verdict) => {
    expect(lit(power).verdict).toBe(verdict);
  });

  it('is not judged before it has been on for a while, nor by a flicker', () => {
    expect(draws(UNKNOWN_LAMP, 0, 50_000).verdict).toBeNull();
    const flicker = draws(draws(lit(60), 0, 30_000), 60, 10_000);
    expect(draws(flicker, 0, 40_000).verdict).toBe('ok');
    expect(draws(flicker, 0, 70_000).verdict).toBe('out');
  });

  it('keeps its verdict while it is off, and while its power is not known', () => {
    expect(draws(lit(0), 0, 600_000, SETTINGS, false).verdict).toBe('out');
    expect(draws(lit(0), null, 600_000).verdict).toBe('out');
  });

  it('is well again only well within the tolerance', () => {
    const weak = lit(44);
    expect(draws(weak, 46, 200_000).verdict).toBe('weak');
    expect(draws(weak, 49, 200_000).verdict).toBe('ok');
  });

  it('is learnt by the median of its first hours on, and learnt anew on request', () => {
    const learning = { ...SETTINGS, watts: 'learn' } as const;
    const early = draws(UNKNOWN_LAMP, 40, (SAMPLES - 2) * SAMPLE_MS, learning);
    expect(early).toMatchObject({ verdict: null, learnt: null });
    const learnt = draws(early, 40, 3 * SAMPLE_MS, learning);
    expect(learnt).toMatchObject({ verdict: 'ok', learnt: 40, samples: [] });
    expect(draws(learnt, 20, 200_000, learning).verdict).toBe('weak');
    expect(relearn(learnt)).toMatchObject({ verdict: null, learnt: null });
  });

  it('that is not there cannot be learnt', () => {
    const learning = { ...SETTINGS, watts: 'learn' } as const;
    expect(draws(UNKNOWN_LAMP, 0.4, 2 * SAMPLES * SAMPLE_MS, learning)).toMatchObject({
      verdict: null,
      learnt: null,
    });
  });
});
