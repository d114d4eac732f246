import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BRIDGE_ENTITIES } from '../../src/homeassistant/entities/bridge.ts';
import { PLACE_ENTITIES } from '../../src/homeassistant/entities/place.ts';
import { PLUG_ENTITIES } from '../../src/homeassistant/entities/plug.ts';
import type { Options } from '../../src/homeassistant/entity.ts';

interface Row {
  readonly platform: string;
  readonly name: string | null;
  readonly options?: Options;
}

const rowOf = (device: string, { platform, name, options = {} }: Row): string =>
  [
    device,
    name ?? '(as the device)',
    platform,
    options.entity_category ?? '',
    options.enabled_by_default === false ? 'disabled' : '',
  ].join(' | ');

const CODE = [
  ...PLUG_ENTITIES.map((entity) => rowOf('plug', entity)),
  ...PLACE_ENTITIES.map((entity) => rowOf('place', entity)),
  ...BRIDGE_ENTITIES.map((entity) => rowOf('bridge', entity)),
];

describe('the table of entities in the documentation', () => {
  it('has every entity that is announced, with its category and whether it is enabled, and no other', () => {
    const page = readFileSync(new URL('../../docs/home-assistant.md', import.meta.url), 'utf8');
    const table = page.slice(page.indexOf('## Entities'));
    const rows = [...table.matchAll(/^\| ((?:plug|place|bridge) \|.*) \|$/gm)].map(([, row = '']) =>
      row
        .split('|')
        .slice(0, 5)
        .map((cell) => cell.trim())
        .join(' | '),
    );
    expect(rows).toEqual(CODE);
  });
});
