import { describe, expect, it } from 'vitest';
import { pathIn, treeOf, wantedOf } from '../../src/web/page/live/tree.ts';
import type { Plug } from '../../src/web/page/wire.ts';
import { somePlace, somePlug } from './samples.ts';

const byPath = (...plugs: readonly Plug[]) => new Map(plugs.map((plug) => [plug.path, plug] as const));

describe('the tree of places', () => {
  it('counts in its heads what its rows say, and nothing else', () => {
    const plugs = byPath(
      somePlug('shed1', { state: 'ON', power: 40 }),
      somePlug('east/hall/lamp-1', { state: 'ON', power: 18.5 }),
      somePlug('east/hall/lamp-2', { state: 'OFF', power: 0 }),
      somePlug('east/lamp-3', { state: null, power: null, availability: 'offline' }),
    );
    const tree = treeOf(plugs, new Map([['east', somePlace('east', 'East wing')]]));
    expect(tree.counts).toEqual({ on: 2, off: 1, unknown: 1, total: 4, locked: 0, power: 58.5 });
    const [east] = tree.places;
    expect(east).toMatchObject({ name: 'East wing', counts: { on: 1, off: 1, unknown: 1, total: 3 } });
    expect(east?.places[0]).toMatchObject({ path: 'east/hall', name: 'hall', counts: { on: 1, off: 1 } });
    expect(tree.plugs.map(({ path }) => path)).toEqual(['shed1']);
  });

  it('has no power where no plug reports any, which is not the same as none', () => {
    expect(treeOf(byPath(somePlug('a', { power: null })), new Map()).counts.power).toBeNull();
    expect(treeOf(byPath(somePlug('a', { power: 0 })), new Map()).counts.power).toBe(0);
  });
});

describe('the path of a plug that is taken in', () => {
  it('is made of what people call its place and it', () => {
    expect(pathIn('East wing', 'Lamp 1')).toBe('east-wing/lamp-1');
    expect(pathIn('', 'Schöne Lampe!')).toBe('schone-lampe');
    expect(pathIn('barn/Loft', 'TP-LINK_Smart Plug_3456')).toBe('barn/loft/tp-link_smart-plug_3456');
  });
});

describe('what is wanted of a plug', () => {
  const off = { target: 'east', wanted: 'OFF' } as const;

  it('is what a command to it or to a place around it wants, until the plug says that it is so', () => {
    expect(wantedOf(somePlug('east/lamp', { state: 'ON' }), [off])).toBe('OFF');
    expect(wantedOf(somePlug('east/lamp', { state: null }), [off])).toBe('OFF');
    expect(wantedOf(somePlug('east/lamp', { state: 'OFF' }), [off])).toBeNull();
  });

  it('is nothing for a plug elsewhere, whose name begins alike, or which is locked', () => {
    expect(wantedOf(somePlug('east-wing/lamp', { state: 'ON' }), [off])).toBeNull();
    expect(wantedOf(somePlug('east/lamp', { state: 'ON', locked: true }), [off])).toBeNull();
  });

  it('is what the later of two commands wants', () => {
    const on = { target: 'east/lamp', wanted: 'ON' } as const;
    expect(wantedOf(somePlug('east/lamp', { state: null }), [off, on])).toBe('ON');
  });
});
