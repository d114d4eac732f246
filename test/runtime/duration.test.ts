import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/runtime/duration.ts';

describe('a duration', () => {
  it.each([
    ['200ms', 200],
    ['5s', 5000],
    ['1.5s', 1500],
    ['30m', 1_800_000],
    ['8h', 28_800_000],
    ['1d', 86_400_000],
    ['0', 0],
    [' 0 ', 0],
    ['0s', 0],
    [' 5 s ', 5000],
    ['0.0004s', 0],
    ['0.0005s', 1],
  ])('"%s" is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    ' ',
    '5',
    's',
    '-5s',
    '+5s',
    '5S',
    '5 seconds',
    '.5s',
    '5.s',
    '1e3s',
    '5s5s',
    '1h30m',
    '0x5s',
    'NaNs',
    '9007199254740992ms',
    `${'9'.repeat(400)}d`,
  ])('is not "%s"', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('is so many of its unit, whatever its length', () => {
    const unit = fc.constantFrom(['ms', 1], ['s', 1000], ['m', 60_000], ['h', 3_600_000], ['d', 86_400_000]);
    fc.assert(
      fc.property(fc.nat(1_000_000), unit, (count, [name, ms]) => {
        expect(parseDuration(`${count}${name}`)).toBe(count * Number(ms));
      }),
    );
  });

  it.each([
    ['blanks', `1${' '.repeat(1e6)}x`],
    ['blanks in front', `${' '.repeat(1e6)}x`],
    ['digits', `${'1'.repeat(1e6)}x`],
    ['digits behind a point', `1.${'1'.repeat(1e6)}x`],
  ])('does not take long to be refused: %s', (_, text) => {
    const began = performance.now();
    expect(parseDuration(text)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(500);
  });
});
