import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathsByAlias } from '../../src/mqtt/plug-paths.ts';
import { pathProblem } from '../../src/mqtt/topics.ts';

const mac = (index: number) =>
  `50:C7:BF:${(index.toString(16).toUpperCase().padStart(6, '0').match(/../g) ?? []).join(':')}`;

function pathsOf(...aliases: (string | undefined)[]): (string | undefined)[] {
  const plugs = aliases.map((alias, index) => ({ mac: mac(index + 1), alias }));
  const paths = pathsByAlias(plugs);
  return plugs.map((plug) => paths.get(plug.mac));
}

describe('paths by alias', () => {
  it('are slugs of what people wrote', () => {
    expect(pathsOf('Große Halle 1', 'Shed/3', 'a+b#c', '💡\n')).toEqual([
      'grosse-halle-1',
      'shed-3',
      'a-b-c',
      'plug-0004',
    ]);
  });

  it('end with a part of the MAC where nothing is left of the name, whoever else is there', () => {
    expect(pathsOf('博物館')).toEqual(['plug-0001']);
    expect(pathsOf('博物館', 'музей', undefined)).toEqual(['plug-0001', 'plug-0002', 'plug-0003']);
  });

  it('are kept while they fit the name: others of that name make room', () => {
    const lamps = [
      { mac: mac(1), alias: 'a/b', before: 'a-b' },
      { mac: mac(2), alias: 'a-b' },
      { mac: mac(3), alias: 'a b', before: 'a-b-0003' },
      { mac: mac(4), alias: 'other', before: 'a-b-0004' },
    ];
    for (const plugs of [lamps, [...lamps].reverse()])
      expect(new Map(pathsByAlias(plugs))).toEqual(
        new Map([
          [mac(1), 'a-b'],
          [mac(2), 'a-b-0002'],
          [mac(3), 'a-b-0003'],
          [mac(4), 'other'],
        ]),
      );
    expect([...pathsByAlias(lamps.slice(2, 3))]).toEqual([[mac(3), 'a-b-0003']]);
  });

  it('are never one, even if two plugs have had the same', () => {
    const plugs = [1, 2].map((index) => ({ mac: mac(index), alias: 'Lamp', before: 'lamp' }));
    expect(new Set(pathsByAlias(plugs).values()).size).toBe(2);
  });

  it('end with a part of the MAC where several plugs have the same name, whichever comes first', () => {
    expect(pathsOf('Lamp', 'lamp!', 'Other')).toEqual(['lamp-0001', 'lamp-0002', 'other']);
    expect(pathsOf(undefined, undefined)).toEqual(['plug-0001', 'plug-0002']);
  });

  it('stay different from names that look like them', () => {
    expect(new Set(pathsOf('Lamp', 'Lamp', 'lamp-0001', 'lamp-000001', 'lamp-50c7bf000001')).size).toBe(5);
  });

  it('are fit for topics and one for each plug, whatever the aliases are', () => {
    const names = fc.array(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('set', 'lamp', 'bridge')),
      { maxLength: 20 },
    );
    const befores = fc.array(fc.constantFrom(undefined, 'lamp', 'lamp-0001', 'plug-set', 'x'), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(names, befores, (aliases, before) => {
        const plugs = aliases.map((alias, index) => ({ mac: mac(index + 1), alias, before: before[index] }));
        const paths = [...pathsByAlias(plugs).values()];
        expect(new Set(paths).size).toBe(aliases.length);
        expect(paths.map((path) => pathProblem(path))).toEqual(paths.map(() => undefined));
      }),
    );
  });
});
