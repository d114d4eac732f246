import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff } from '../../src/runtime/backoff.ts';

describe('the wait before another attempt', () => {
  it('doubles with each attempt up to the most', () => {
    const waits = Array.from({ length: 8 }, (_, attempt) => backoff(attempt, 1000, 30_000, () => 0));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it.each([
    [0, 8000],
    [0.5, 7000],
    [1, 6000],
  ])('is shorter by up to a quarter by chance: %d of it gives %d ms', (chance, wait) => {
    expect(backoff(3, 1000, 30_000, () => chance)).toBe(wait);
  });

  it('is never more than the most nor less than three quarters of the base, after any number of attempts', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(), chance, (attempt, random) => {
        const wait = backoff(attempt, 1000, 30_000, () => random);
        expect(wait).toBeGreaterThanOrEqual(750);
        expect(wait).toBeLessThanOrEqual(30_000);
      }),
    );
  });

  it('is bounded by the most where that is less than the base', () => {
    expect(backoff(0, 1000, 400, () => 0)).toBe(400);
  });
});
