import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { appendIn, removeIn, renameIn, setIn } from '../../src/config/edit.ts';
import { CommandError } from '../../src/errors.ts';
import { thrownBy } from '../support/thrown.ts';

const MUSEUM = readFileSync(fileURLToPath(new URL('../../config/museum.yaml', import.meta.url)), 'utf8');

/** Lines of `after` that are not in `before`, and the other way around, in order. */
function difference(before: string, after: string): { added: string[]; removed: string[] } {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  return { removed: old.slice(start, old.length - end), added: now.slice(start, now.length - end) };
}

describe('a change of a file', () => {
  it.each([
    ['a value', setIn(MUSEUM, ['poll', 'interval'], '2s'), ['  interval: 5s'], ['  interval: 2s']],
    [
      'a value that has a comment behind it',
      setIn('a: 1   # one\nb: 2\n', ['a'], 3),
      ['a: 1   # one'],
      ['a: 3   # one'],
      'a: 1   # one\nb: 2\n',
    ],
    ['an option of a group that is there', setIn(MUSEUM, ['poll', 'fast'], '1s'), [], ['  fast: 1s']],
    [
      'an option of a group in braces',
      setIn(MUSEUM, ['plugs', 5, 'poll', 'slow'], '15s'),
      ['    poll: { interval: 1s }'],
      ['    poll: { interval: 1s, slow: 15s }'],
    ],
    [
      'an option of a group that is not there',
      setIn(MUSEUM, ['metrics', 'listen'], '127.0.0.1:9110'),
      [],
      ['metrics:', '  listen: 127.0.0.1:9110'],
    ],
    [
      'an option of a group of which only the name is written',
      setIn('log:   # the log\n  # level: info\npoll: {}\n', ['log', 'level'], 'debug'),
      [],
      ['  level: debug'],
      'log:   # the log\n  # level: info\npoll: {}\n',
    ],
    [
      'an option without a value',
      setIn('plugs:\n  - path: a\n    name:   # none yet\n', ['plugs', 0, 'name'], 'A: "b" # c'),
      ['    name:   # none yet'],
      [`    name: 'A: "b" # c'   # none yet`],
      'plugs:\n  - path: a\n    name:   # none yet\n',
    ],
    [
      'one more plug',
      appendIn(MUSEUM, ['plugs'], { path: 'shed4', host: '192.0.2.4', poll: { interval: '1s' } }),
      [],
      ['  - path: shed4', '    host: 192.0.2.4', '    poll:', '      interval: 1s'],
    ],
    [
      'a place of another name',
      renameIn(MUSEUM, ['places', 'east-wing'], 'west-wing'),
      ['  east-wing:'],
      ['  west-wing:'],
    ],
    ['no plug any more', removeIn(MUSEUM, ['plugs', 1]), ['  - path: shed2', '    host: 192.168.1.144'], []],
    ['no option any more', removeIn(MUSEUM, ['plugs', 2, 'area']), ['    area: Yard'], []],
    [
      'no group any more that would be empty',
      removeIn(MUSEUM, ['plugs', 5, 'poll', 'interval']),
      ['    poll: { interval: 1s }'],
      [],
    ],
    [
      'the first option of a plug no more',
      removeIn('plugs:\n  - name: A   # so called\n    path: a\n', ['plugs', 0, 'name']),
      ['  - name: A   # so called', '    path: a'],
      ['  - path: a'],
      'plugs:\n  - name: A   # so called\n    path: a\n',
    ],
  ])('touches no other line: %s', (_, after, removed, added, before = MUSEUM) => {
    expect(difference(before, after)).toEqual({ removed, added });
  });

  it.each([
    ['', 'plugs:\n  - path: a\n'],
    ['# nothing yet\n', '# nothing yet\nplugs:\n  - path: a\n'],
    ['log: {}', 'log: {}\nplugs:\n  - path: a\n'],
    ['plugs:\n', 'plugs:\n  - path: a\n'],
    ['plugs: []\n', 'plugs: [{ path: a }]\n'],
    ['plugs: # all of them\nlog: {}\n', 'plugs: # all of them\n  - path: a\nlog: {}\n'],
    ['plugs: [{ path: b }] # two\n', 'plugs: [{ path: b }, { path: a }] # two\n'],
    ['plugs:\n- path: b # b\n# end\n', 'plugs:\n- path: b # b\n- path: a\n# end\n'],
    ['plugs:\n  -\n    path: b', 'plugs:\n  -\n    path: b\n  - path: a\n'],
    ['plugs:\r\n  - path: b\r\n', 'plugs:\r\n  - path: b\r\n  - path: a\r\n'],
  ])('adds a plug to %j', (before, after) => {
    expect(appendIn(before, ['plugs'], { path: 'a' })).toBe(after);
  });

  it('writes the document anew, with its comments, where a line alone cannot be changed', () => {
    const after = setIn('plugs:   # all\n  - path: a\nallow:\n  - reboot # yes\n', ['allow'], ['alias']);
    expect(parse(after)).toEqual({ plugs: [{ path: 'a' }], allow: ['alias'] });
    expect(after).toContain('# all');
  });

  it('is refused where one value stands for several', () => {
    const text = 'poll: &p { interval: 1s }\nplugs:\n  - path: a\n    poll: *p\n';
    const error = thrownBy(() => setIn(text, ['plugs', 0, 'poll', 'interval'], '2s'));
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ code: 'cannot-edit', message: expect.stringMatching(/by hand/) });
  });
});

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const scalar = fc.oneof(word, fc.integer(), fc.boolean(), fc.string({ maxLength: 12 }));
const plug = fc.record({ path: word, name: scalar, host: word }, { requiredKeys: ['path'] });
const site = fc.record({
  mqtt: fc.dictionary(word, scalar, { maxKeys: 3 }),
  plugs: fc.array(plug, { maxLength: 5 }),
  places: fc.dictionary(word, fc.dictionary(word, scalar, { minKeys: 1, maxKeys: 2 }), { maxKeys: 3 }),
});

/** The text as a person may have written it: with comments, blank lines, and spaces of their own. */
function commented(text: string, seed: readonly number[]): string {
  return text
    .split('\n')
    .flatMap((line, index) => {
      const kind = (seed[index % seed.length] ?? 0) % 5;
      if (line.trim() === '' || /[|>]-?$|^\s*[^\s:-]*$/.test(line)) return [line];
      if (kind === 0) return [`${line}   # behind ${index}`];
      if (kind === 1) return ['', `# before ${index}`, line];
      return [line];
    })
    .join('\n');
}

const commentsOf = (text: string) => text.match(/# (behind|before) \d+/g) ?? [];

describe('any file', () => {
  it('has all comments, in order, and all else byte for byte after a plug was added and removed again', () => {
    fc.assert(
      fc.property(site, fc.array(fc.nat(), { minLength: 1, maxLength: 9 }), plug, (values, seed, added) => {
        const text = commented(stringify(values), seed);
        fc.pre(text.length > 0 && parse(text) !== null);
        const more = appendIn(text, ['plugs'], added);
        expect(parse(more).plugs).toEqual([...values.plugs, added]);
        expect(commentsOf(more)).toEqual(commentsOf(text));
        const back = removeIn(more, ['plugs', values.plugs.length]);
        if (values.plugs.length > 0) expect(back).toBe(text);
        expect(parse(back)).toMatchObject({
          ...values,
          plugs: values.plugs.length > 0 ? values.plugs : expect.anything(),
        });
      }),
      { numRuns: 300 },
    );
  });

  it('has one line that is another once a value is set, and is what it was once that is set back', () => {
    fc.assert(
      fc.property(
        fc.array(plug, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.nat(),
        word,
        (plugs, seed, choice, path) => {
          const text = commented(stringify({ plugs }), seed);
          const index = choice % plugs.length;
          const old = plugs[index]?.path ?? '';
          const after = setIn(text, ['plugs', index, 'path'], path);
          expect(parse(after).plugs[index].path).toBe(path);
          expect(difference(text, after).added.length).toBeLessThanOrEqual(1);
          expect(commentsOf(after)).toEqual(commentsOf(text));
          expect(setIn(after, ['plugs', index, 'path'], old)).toBe(text);
        },
      ),
      { numRuns: 300 },
    );
  });
});
