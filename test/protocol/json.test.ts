import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import {
  flagAt,
  isObject,
  labelAt,
  numberAt,
  objectsAt,
  parseObject,
  parseReply,
  textAt,
} from '../../src/protocol/json.ts';
import { thrownBy } from '../support/thrown.ts';

describe('parsing what a plug sent', () => {
  it.each([
    ['an object', '{"a":1}', { a: 1 }],
    ['blanks around it', ' \r\n{"a":1}\n', { a: 1 }],
    ['a brace too many', '{"a":{"b":2}}}', { a: { b: 2 } }],
    ['braces and line ends too many', '{"a":1}}}\r\n\r\n', { a: 1 }],
    ['braces in its texts and surplus', '{"a":"}{\\"}"}}', { a: '}{"}' }],
    ['an escaped backslash before a quote', '{"a":"\\\\"}}', { a: '\\' }],
    ['the same key twice', '{"a":1,"a":2}', { a: 2 }],
    ['nothing in it', '{}', {}],
  ])('takes an object with %s', (_, text, value) => {
    expect(parseObject(text)).toEqual(value);
  });

  it.each([
    ['nothing', '', 'not JSON'],
    ['a piece of an object', '{"a":1', 'not JSON'],
    ['an object with other text behind it', '{"a":1}x', 'not JSON'],
    ['two objects', '{"a":1}{"b":2}', 'not JSON'],
    ['a brace before the object', '}{"a":1}', 'not JSON'],
    ['NaN', '{"a":NaN}', 'not JSON'],
    ['surplus behind what is no JSON', '{"a":nope}}', 'not JSON'],
    ['a page of a web server', '<html>', 'not JSON'],
    ['a list', '[1]', 'not a JSON object'],
    ['null', 'null', 'not a JSON object'],
    ['a number', '5', 'not a JSON object'],
    ['a text', '"{}"', 'not a JSON object'],
  ])('refuses %s', (_, text, words) => {
    const error = thrownBy(() => parseObject(text));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(String(error)).toContain(words);
  });

  it('quotes no more than the beginning of a long answer in its message', () => {
    const error = thrownBy(() => parseObject(`<${'a'.repeat(60_000)}`));
    expect(String(error).length).toBeLessThan(200);
    expect(String(error)).toContain('(60001 characters)');
  });

  it('survives nesting as deep as an answer can hold', () => {
    const depth = 30_000;
    expect(isObject(parseObject(`${'{"a":'.repeat(depth / 5)}{}${'}'.repeat(depth / 5)}`))).toBe(true);
    expect(() => parseObject('['.repeat(depth))).toThrow(ProtocolError);
  });

  it('gives back any object, also with surplus braces behind it', () => {
    const objects = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
    fc.assert(
      fc.property(objects, fc.constantFrom('', '}', '}}\r\n', '\n'), (object, surplus) => {
        const text = JSON.stringify(object);
        expect(JSON.stringify(parseObject(text + surplus))).toBe(text);
      }),
    );
  });

  it('throws nothing but ProtocolError, whatever the text', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('{', '}', '"', '\\', ':', ',', 'a', '1', '[', ']', ' '))
        .map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(isObject(parseObject(text))).toBe(true);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a reply', () => {
  const nested = (levels: number, opening: string, closing: string) =>
    `${'{"a":'}${opening.repeat(levels - 1)}1${closing.repeat(levels - 1)}}`;

  it.each([
    ['objects', '{"a":', '}'],
    ['lists', '[', ']'],
  ])('may nest %s 100 levels deep, and no deeper', (_, opening, closing) => {
    expect(JSON.stringify(parseReply(nested(100, opening, closing)))).toHaveLength(
      nested(100, opening, closing).length,
    );
    for (const levels of [101, 7000, 30_000]) {
      const error = thrownBy(() => parseReply(nested(levels, opening, closing)));
      expect(error).toBeInstanceOf(ProtocolError);
      expect(String(error)).toContain('nested more than 100 levels deep');
    }
  });

  it('can be written as JSON again, however it nests', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('{"a":', '['), { maxLength: 12_000, size: 'max' }), (openings) => {
        const closings = openings.map((opening) => (opening === '[' ? ']' : '}')).reverse();
        try {
          JSON.stringify(parseReply(`{"a":${openings.join('')}1${closings.join('')}}`));
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('looking into an object', () => {
  const object = {
    zero: 0,
    number: 1.5,
    numeral: '1.5',
    empty: '',
    text: 'x',
    nothing: null,
    list: [{ a: 1 }, 2, null, [3], { b: 4 }],
    infinite: Number.POSITIVE_INFINITY,
  };

  it('takes only numbers for numbers, and 0 for one', () => {
    expect(
      ['zero', 'number', 'numeral', 'nothing', 'infinite', 'none', 'toString'].map((key) =>
        numberAt(object, key),
      ),
    ).toEqual([0, 1.5, undefined, undefined, undefined, undefined, undefined]);
  });

  it('takes only texts for texts, also the empty one', () => {
    expect(['text', 'empty', 'number', 'nothing', 'constructor'].map((key) => textAt(object, key))).toEqual([
      'x',
      '',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('takes only 1 and 0 for yes and no', () => {
    const flags = { yes: 1, no: 0, two: 2, truth: true, numeral: '1' };
    expect(['yes', 'no', 'two', 'truth', 'numeral', 'none'].map((key) => flagAt(flags, key))).toEqual([
      true,
      false,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('cuts names at 100 characters, and leaves shorter ones as they are', () => {
    const names = { short: 'Loom', just: 'ü'.repeat(100), long: 'ü'.repeat(101), none: 5 };
    expect(['short', 'just', 'long', 'none'].map((key) => labelAt(names, key)?.length)).toEqual([
      4,
      100,
      100,
      undefined,
    ]);
  });

  it('passes over what is no object in a list, and takes anything else for an empty list', () => {
    expect(objectsAt(object, 'list')).toEqual([{ a: 1 }, { b: 4 }]);
    expect(objectsAt(object, 'text')).toEqual([]);
    expect(objectsAt(object, 'none')).toEqual([]);
  });
});
