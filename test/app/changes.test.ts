import { describe, expect, it } from 'vitest';
import { type KnownPlug, plugChanges } from '../../src/app/changes.ts';
import { BARE_PLUG, type PlugConfig } from '../../src/config/schema.ts';

const plug = (path: string, more: Partial<PlugConfig> = {}): PlugConfig => ({ ...BARE_PLUG, path, ...more });
const known = (path: string, knownMac?: string, more: Partial<PlugConfig> = {}): KnownPlug => ({
  ...plug(path, more),
  knownMac,
});
const at = (host: string) => ({ host: { host, port: 9999 } });

/** What becomes of plugs, each as its path before and after. */
function changes(before: readonly KnownPlug[], after: readonly PlugConfig[]) {
  const { removed, kept, replaced, added } = plugChanges(before, after);
  return {
    removed,
    kept: [...kept].map(([path, now]) => `${path} → ${now.path}`),
    replaced: replaced.map(({ path }) => path),
    added: added.map(({ path }) => path),
  };
}

const NOTHING = { removed: [], kept: [], replaced: [], added: [] };

describe('which plug is which', () => {
  it.each([
    [
      'is known by its address',
      [known('a', undefined, at('h1'))],
      [plug('b', at('h1'))],
      { kept: ['a → b'] },
    ],
    ['is known by its MAC', [known('a', 'M1', at('h1'))], [plug('b', { mac: 'M1' })], { kept: ['a → b'] }],
    [
      'is known by its name in the Kasa app',
      [known('a', undefined, { alias: 'Lamp' })],
      [plug('b', { alias: 'Lamp' })],
      { kept: ['a → b'] },
    ],
    [
      'is told by its MAC where addresses were swapped',
      [known('a', 'M1', at('h1')), known('b', 'M2', at('h2'))],
      [plug('a', { mac: 'M1', ...at('h2') }), plug('b', { mac: 'M2', ...at('h1') })],
      { kept: ['a → a', 'b → b'] },
    ],
    [
      'is another one where another MAC is written for the same address',
      [known('a', 'M1', at('h1'))],
      [plug('a', { mac: 'M2', ...at('h1') })],
      { replaced: ['a'] },
    ],
    [
      'is the same where its MAC is written that was not known yet',
      [known('a', undefined, at('h1'))],
      [plug('a', { mac: 'M1', ...at('h1') })],
      { kept: ['a → a'] },
    ],
    [
      'never goes by its path: what is at the path of one that moved is new',
      [known('a', undefined, at('h1'))],
      [plug('b', at('h1')), plug('a', at('h2'))],
      { kept: ['a → b'], added: ['a'] },
    ],
    [
      'is new hardware at the same path',
      [known('a', 'M1', at('h1'))],
      [plug('a', at('h2'))],
      { replaced: ['a'] },
    ],
    [
      'is gone',
      [known('a', 'M1'), known('b', 'M2')],
      [plug('b', { mac: 'M2' })],
      { removed: ['a'], kept: ['b → b'] },
    ],
    ['is new', [], [plug('a', at('h1'))], { added: ['a'] }],
  ] as const)('%s', (_, before, after, expected) => {
    expect(changes(before, after)).toEqual({ ...NOTHING, ...expected });
  });
});
