import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { differences, lay, overridesAsYaml } from '../../src/config/overrides.ts';

const FILE = `# ours
poll:
  interval: 5s   # often
plugs:
  - path: a      # first
    host: h1
  - path: b
    host: h2
places: {}
`;

const CHANGED = `
poll: { interval: 5s, fast: 1s }
plugs:
  - { path: a, host: h1, name: A }
  - { path: c, host: h2 }
places: { east: { name: East } }
`;

describe('changes that are kept beside the file', () => {
  it('are about one thing each', () => {
    expect(new Set(differences(FILE, CHANGED))).toEqual(
      new Set([
        { key: 'poll.fast', before: null, after: '1s' },
        { key: 'plug a', before: { path: 'a', host: 'h1' }, after: { path: 'a', host: 'h1', name: 'A' } },
        { key: 'plug b', before: { path: 'b', host: 'h2' }, after: null },
        { key: 'plug c', before: null, after: { path: 'c', host: 'h2' } },
        { key: 'place east', before: null, after: { name: 'East' } },
      ]),
    );
  });

  it('make the file what it was to be, and leave its comments', () => {
    const { text, conflicts } = lay(FILE, differences(FILE, CHANGED));
    expect(conflicts).toEqual([]);
    expect(parse(text)).toEqual(parse(CHANGED));
    expect(text).toMatch(/# ours\n(.*\n)*.*# often\n(.*\n)*.*# first/);
  });

  it('do nothing where they were written into the file by now', () => {
    expect(lay(CHANGED, differences(FILE, CHANGED))).toEqual({ text: CHANGED, conflicts: [] });
  });

  it('give way, one by one, where the file says something else by now', () => {
    const edited = FILE.replace('host: h1', 'host: h9').replace('interval: 5s', 'interval: 7s');
    const { text, conflicts } = lay(edited, differences(FILE, CHANGED));
    expect(conflicts).toEqual(['plug a']);
    expect(parse(text)).toMatchObject({
      poll: { interval: '7s', fast: '1s' },
      plugs: [
        { path: 'a', host: 'h9' },
        { path: 'c', host: 'h2' },
      ],
    });
  });

  it('are shown as YAML to paste', () => {
    expect(overridesAsYaml([])).toBe('');
    const yaml = overridesAsYaml(differences(FILE, CHANGED));
    expect(yaml).toContain('# no longer: plug b\n');
    expect(parse(yaml)).toEqual({
      poll: { fast: '1s' },
      plugs: [
        { path: 'a', host: 'h1', name: 'A' },
        { path: 'c', host: 'h2' },
      ],
      places: { east: { name: 'East' } },
    });
  });

  it('make any file another, and are none between the same', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/);
    const value = fc.oneof(word, fc.boolean(), fc.array(word, { minLength: 1, maxLength: 2 }));
    const site = fc.record({
      poll: fc.dictionary(word, value, { minKeys: 1, maxKeys: 3 }),
      plugs: fc.uniqueArray(fc.record({ path: word, host: word, name: value }, { requiredKeys: ['path'] }), {
        selector: ({ path }) => path,
        minLength: 1,
        maxLength: 4,
      }),
      places: fc.dictionary(word, fc.dictionary(word, value, { minKeys: 1, maxKeys: 2 }), {
        minKeys: 1,
        maxKeys: 2,
      }),
    });
    fc.assert(
      fc.property(site, site, (one, other) => {
        const [from, to] = [stringify(one), stringify(other)];
        const { text, conflicts } = lay(from, differences(from, to));
        expect(conflicts).toEqual([]);
        expect(differences(text, to)).toEqual([]);
        expect(differences(to, to)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
