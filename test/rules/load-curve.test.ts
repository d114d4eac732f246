import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginCurve, drawsFrom, endStretch, together } from '../../src/rules/load-curve.ts';

describe('a stretch of a load curve', () => {
  it('weights the power by the time that it was drawn', () => {
    const curve = drawsFrom(drawsFrom(beginCurve(0), 0, 60), 45_000, 20);

    const { point } = endStretch(curve, 0, 60_000);
    expect(point).toEqual({ at: 0, mean: 50, min: 20, max: 60 });
  });

  it('leaves out the time in which nothing was known, and is none if that is all', () => {
    const known = drawsFrom(drawsFrom(beginCurve(0), 0, 60), 10_000, null);

    const { point, next } = endStretch(known, 0, 60_000);
    expect(point).toMatchObject({ mean: 60 });
    expect(endStretch(next, 60_000, 120_000).point).toBeUndefined();
  });

  it('goes on with what was drawn last', () => {
    const { next } = endStretch(drawsFrom(beginCurve(0), 30_000, 40), 0, 60_000);

    expect(endStretch(next, 60_000, 120_000).point).toEqual({ at: 60_000, mean: 40, min: 40, max: 40 });
  });

  it('has its mean between least and most, whatever is drawn when', () => {
    const reading = fc.record({
      ms: fc.integer({ min: 0, max: 10_000 }),
      power: fc.option(fc.integer({ min: 0, max: 3000 })),
    });
    fc.assert(
      fc.property(fc.array(reading), (readings) => {
        let at = 0;
        let curve = beginCurve(0);
        for (const { ms, power } of readings) {
          at += ms;
          curve = drawsFrom(curve, at, power);
        }
        const { point } = endStretch(curve, 0, at + 1000);
        if (point === undefined) return;
        expect(point.mean).toBeGreaterThanOrEqual(point.min - 1e-6);
        expect(point.mean).toBeLessThanOrEqual(point.max + 1e-6);
      }),
    );
  });

  it('is one with others, and none without', () => {
    const points = [
      { at: 0, mean: 10, min: 5, max: 20 },
      { at: 60_000, mean: 30, min: 25, max: 40 },
    ];

    expect(together(points, 0)).toEqual({ at: 0, mean: 20, min: 5, max: 40 });
    expect(together([], 0)).toBeUndefined();
  });
});
