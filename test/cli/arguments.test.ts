import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { plugAddress, seconds, wholeNumber } from '../../src/cli/arguments.ts';
import { table } from '../../src/cli/table.ts';

describe('arguments', () => {
  it.each([
    ['192.168.1.145', { host: '192.168.1.145', port: 9999 }],
    ['plug.example:1234', { host: 'plug.example', port: 1234 }],
    ['[::1]:1234', { host: '::1', port: 1234 }],
  ])('%s is the address of a plug', (text, address) => {
    expect(plugAddress(text)).toEqual(address);
  });

  it.each(['', 'a b', 'host:0', 'host:65536', 'host:port', 'http://host'])(
    '%j is no address of a plug',
    (text) => {
      expect(() => plugAddress(text)).toThrow(InvalidArgumentError);
    },
  );

  it.each([
    ['5', 5000],
    ['0.5', 500],
    ['500ms', 500],
    ['1m', 60_000],
  ])('%s is a time of %d ms', (text, ms) => {
    expect(seconds(100, 60_000)(text)).toBe(ms);
  });

  it.each(['', 'soon', '-1', '0', '50ms', '61', '5 parsecs', '1.2.3'])('%j is no time to wait', (text) => {
    expect(() => seconds(100, 60_000)(text)).toThrow('from 100 ms to 60 s');
  });

  it.each(['', '0', '11', '1.5', '1e1', ' 5', '0x5'])('%j is no whole number from 1 to 10', (text) => {
    expect(() => wholeNumber(1, 10)(text)).toThrow('a whole number from 1 to 10');
  });
});

describe('a table', () => {
  it('aligns its columns by what people see of them', () => {
    expect(
      table(
        ['A', 'LONGER'],
        [
          ['Süd', '1'],
          ['👨‍👩‍👧', ''],
          ['x', '2'],
        ],
      ),
    ).toEqual(['A    LONGER', 'Süd  1', '👨‍👩‍👧', 'x    2']);
  });

  it('gives the characters of East Asia and emoji the two columns that they take', () => {
    const names = ['博物館', 'ｌａｍｐ', '한국', 'カネ', '💡', '❤️', 'ab', 'é'];
    const rows = table(['A', 'B'], [...names.map((name) => [name, '|']), ['12345678', '|']]);
    expect(rows.slice(1)).toEqual([
      '博物館    |',
      'ｌａｍｐ  |',
      '한국      |',
      'カネ      |',
      '💡        |',
      '❤️        |',
      'ab        |',
      'é         |',
      '12345678  |',
    ]);
  });
});
