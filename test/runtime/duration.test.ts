import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/runtime/duration.ts';

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

  it.each([
    [0, '0'],
    [1, '1ms'],
    [1500, '1500ms'],
    [5000, '5s'],
    [60_000, '1m'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [86_400_000, '1d'],
    [90_000_000, '25h'],
  ])('of %d ms is written %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is read as it was written, whatever its length', () => {
    const unit = fc.constantFrom(1, 1000, 60_000, 3_600_000, 86_400_000);
    fc.assert(
      fc.property(fc.nat(1_000_000), unit, (count, size) => {
        expect(parseDuration(formatDuration(count * size))).toBe(count * size);
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});
