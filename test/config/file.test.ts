import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigFile } from '../../src/config/file.ts';
import { problemsOf } from '../support/config-sources.ts';

/** Nine times nine times nine … of a text: a few lines that stand for gigabytes. */
function aliasBomb(levels: number): string {
  const lines = ['a0: &a0 [lol]'];
  for (let level = 1; level <= levels; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')}]`);
  }
  return `${lines.join('\n')}\n`;
}

describe('a configuration file', () => {
  it('knows where each of its values stands', () => {
    const file = new ConfigFile(
      'c.yaml',
      'mqtt:\n  url: x\nplugs:\n  - path: a\n    host: b\n  -   path: c\n',
    );
    expect(file.problems).toEqual([]);
    expect(file.locate(['mqtt'])).toBe('c.yaml:1:1');
    expect(file.locate(['mqtt', 'url'])).toBe('c.yaml:2:3');
    expect(file.locate(['plugs', 0, 'host'])).toBe('c.yaml:5:5');
    expect(file.locate(['plugs', 1])).toBe('c.yaml:6:7');
    expect(file.locate(['plugs', 7, 'host'])).toBe('c.yaml');
    expect(file.locate(['nowhere', 'at', 'all'])).toBe('c.yaml');
  });

  it('may use an anchor again and again', () => {
    const file = new ConfigFile('c.yaml', 'a: &slow {interval: 30s}\nb: *slow\nc: *slow\n');
    expect(file.problems).toEqual([]);
    expect(file.values).toEqual({ a: { interval: '30s' }, b: { interval: '30s' }, c: { interval: '30s' } });
  });

  it.each([
    ['a tab', 'mqtt:\n\turl: x\n', 'c.yaml:2:1: there is a tab in front of this line: indent with blanks'],
    [
      'a key twice',
      'mqtt:\n  url: x\n  url: y\n',
      'c.yaml:3:3: url is written twice: put what it holds together',
    ],
    ['two documents', 'a: 1\n---\nb: 2\n', 'c.yaml:2:1: here begins a second document'],
    ['a bracket that stays open', 'a: [1\n', 'c.yaml:2:1: '],
    ['a tag nobody knows', 'a: !odd x\n', 'c.yaml:1:4: what begins with ! must be written in quotes'],
    [
      'a group twice',
      'poll:\n  slow: 9s\nmqtt:\n  url: x\npoll:\n  fast: 1s\n',
      'c.yaml:5:1: poll is written twice',
    ],
    [
      'a line that is indented less',
      'poll:\n  slow: 9s\n fast: 1s\n',
      'c.yaml:3:1: this line is not indented',
    ],
    ['two colons in a line', 'poll: interval: 1s\n', 'c.yaml:1:7: there is a second ":" or "-" in one line'],
    ['no colon in a line', 'poll\nmqtt:\n', 'c.yaml:1:1: this line has no ":"'],
    ['a quote that stays open', 'a: "b\n', 'c.yaml:2:1: something is missing here'],
    ['a backslash', 'a: "\\q"\n', 'c.yaml:1:5: a backslash within "…" must be doubled'],
    ['a text that begins with @', 'a: @b\n', 'c.yaml:1:4: what begins with @'],
    ['an alias without an anchor', 'a: *b\n', 'c.yaml:1:4: what begins with * must be written in quotes'],
    ['a list', '- a\n', 'c.yaml: must hold options such as "poll:", not a list'],
    ['a text', 'hello\n', 'c.yaml: must hold options such as "poll:", not a text'],
    ['a number', '5\n', 'c.yaml: must hold options such as "poll:", not a number'],
    [
      'an alias to what it is in',
      'a: &a\n  b: *a\n',
      'c.yaml: its aliases refer to themselves or repeat too much',
    ],
    ['aliases without end', aliasBomb(9), 'c.yaml: its aliases refer to themselves or repeat too much'],
  ])('with %s is refused with its place, and holds nothing', (_, text, problem) => {
    const file = new ConfigFile('c.yaml', text);
    expect(file.problems[0]).toContain(problem);
    expect(file.values).toEqual({});
  });

  it.each([
    ['an alias to a plug in itself', 'plugs: &p\n  - *p\n'],
    ['a list as a key', '? [a]\n: b\n'],
    ['bytes in place of a map', 'mqtt: !!binary aGVsbG8=\n'],
    ['a prototype', '__proto__:\n  polluted: 1\n'],
    ['a merge', 'a: &a {x: 1}\nmqtt:\n  <<: *a\n'],
    ['zero bytes', 'a: "\\0"\n\0'],
    ['deep nesting', `${'['.repeat(500)}${']'.repeat(500)}`],
  ])('with %s is a list of problems, not a crash', (_, file) => {
    expect(problemsOf({ file }).length).toBeGreaterThan(0);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('is read or refused, but never throws, whatever it holds', () => {
    const pieces = fc.constantFrom(
      ...[
        'mqtt:',
        'plugs:',
        '- ',
        '  ',
        '\n',
        '\t',
        ': ',
        '&a ',
        '*a',
        '!!map ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '|',
        '? ',
      ],
      ...['x', '1', 'null', '# c\n', '---\n', '%YAML 1.1\n', '<<: '],
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (all) => {
        const file = new ConfigFile('c.yaml', all.join(''));
        expect(typeof file.values).toBe('object');
        for (const problem of file.problems) expect(problem).toMatch(/^c\.yaml(:\d+:\d+)?: \S/);
      }),
      { numRuns: 1000 },
    );
  });
});
