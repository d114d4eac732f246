import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/api/json-text.ts';

const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;

describe('JSON that a client sent', () => {
  it('may be nested sixteen levels, and no more', () => {
    expect(parseJson(nested(16))).toEqual(JSON.parse(nested(16)));
    for (const levels of [18, 7000, 1_000_000])
      expect(() => parseJson(nested(levels))).toThrow('it is nested too deep (at most 16 levels)');
  });

  it('that is not JSON is refused, however deep it seems', () => {
    for (const text of ['', '{', '[1,]', '"', '\\', ']'.repeat(9000), '"\\"[[['])
      expect(() => parseJson(text)).toThrow('it is not JSON');
  });

  it.each([
    ['lists side by side', Array.from({ length: 40 }, () => [])],
    ['objects side by side', Array.from({ length: 40 }, () => ({}))],
    ['brackets in a text', '['.repeat(40)],
    ['brackets behind a quote in a text', `"${'['.repeat(40)}`],
    ['brackets in a key', { [`\\"${'{'.repeat(40)}`]: 1 }],
  ])('is not taken to be deep for %s', (_, value) => {
    expect(parseJson(JSON.stringify(value))).toEqual(value);
  });

  it('is read as it is, whatever brackets and quotes its texts hold, and however many lists stand side by side', () => {
    const text = fc.stringMatching(/^[[\]{}"\\x]*$/);
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 10 }),
      fc.array(fc.constantFrom([], {}, [[]]), { maxLength: 60 }),
      fc.dictionary(text, text),
    );
    fc.assert(
      fc.property(value, (one) => {
        const written = JSON.stringify(one);
        expect(parseJson(written)).toEqual(JSON.parse(written));
      }),
    );
  });
});
