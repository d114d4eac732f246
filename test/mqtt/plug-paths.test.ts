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
      'plug',
    ]);
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
    fc.assert(
      fc.property(names, (aliases) => {
        const paths = pathsOf(...aliases);
        expect(new Set(paths).size).toBe(aliases.length);
        expect(paths.map((path) => pathProblem(path ?? ''))).toEqual(paths.map(() => undefined));
      }),
    );
  });
});
