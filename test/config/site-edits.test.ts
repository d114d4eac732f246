import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Edit } from '../../src/config/live-config.ts';
import {
  addPlug,
  movePlace,
  movePlug,
  removePlug,
  replacePlug,
  setOptions,
  setPlace,
  setPlug,
} from '../../src/config/site-edits.ts';
import { BridgeError } from '../../src/errors.ts';
import { isObject, type JsonObject } from '../../src/protocol/json.ts';
import { liveConfigOf } from '../support/config-sources.ts';

const FILE = `plugs:
  - path: East Wing/Lamp 1   # the first
    host: h1
  - path: east-wing/hall/b
    alias: Bulb
    host: h2
  - path: shed
    host: h3
places:
  East Wing: { stagger: 1s }
  east-wing/hall:
    locked: true
  /: { enforce: false }
clock: { keep: true }
`;

/** The file after a change, as values. */
function changed(edit: Edit, file = FILE): JsonObject {
  let text = '';
  liveConfigOf({ file }).change(
    (before, config) => {
      text = edit(before, config);
      return text;
    },
    () => {},
  );
  const values: unknown = parse(text);
  return isObject(values) ? values : {};
}

describe('a change of the site', () => {
  it('finds plugs and places by the paths that are made of what is written', () => {
    expect(changed(setPlug('east-wing/lamp-1', { name: 'One' })).plugs).toMatchObject([
      { name: 'One' },
      {},
      {},
    ]);
    expect(changed(setPlace('east-wing', { stagger: '2s' })).places).toMatchObject({
      'East Wing': { stagger: '2s' },
    });
    expect(changed(setPlace('', { enforce: null })).places).toEqual({
      'East Wing': { stagger: '1s' },
      'east-wing/hall': { locked: true },
    });
  });

  it('moves a place with the places in it and their options', () => {
    const { plugs, places } = changed(movePlace('east-wing', 'old/east'));
    expect(plugs).toMatchObject([{ path: 'old/east/lamp-1' }, { path: 'old/east/hall/b' }, { path: 'shed' }]);
    expect(Object.keys(isObject(places) ? places : {})).toEqual(['old/east', 'old/east/hall', '/']);
  });

  it('takes what is configured for a place away with its last plug, and with no other', () => {
    expect(changed(removePlug('east-wing/hall/b')).places).toEqual({
      'East Wing': { stagger: '1s' },
      '/': { enforce: false },
    });
    expect(changed(movePlug('east-wing/lamp-1', 'lamp')).places).toMatchObject({
      'East Wing': { stagger: '1s' },
    });
  });

  it('names new hardware by its MAC, and by its address if it has one', () => {
    const mac = '50:C7:BF:00:00:01';
    expect(changed(replacePlug('east-wing/hall/b', { mac, host: undefined })).plugs).toMatchObject([
      {},
      { path: 'east-wing/hall/b', mac },
      {},
    ]);
    expect(JSON.stringify(changed(replacePlug('east-wing/hall/b', { mac, host: 'h9' })).plugs)).toContain(
      `{"path":"east-wing/hall/b","host":"h9","mac":"${mac}"}`,
    );
  });

  it('sets an option under the name that it has in the file', () => {
    expect(changed(setOptions({ clock: { sync: false } })).clock).toEqual({ keep: false });
  });

  it('keeps to whether plugs are taken in, with the first that is configured and without the last', () => {
    const first = liveConfigOf({ file: 'log: {}\n' });
    expect(first.change(addPlug({ path: 'a', host: 'h' }), () => {}).after.discovery.adopt).toBe(true);
    const last = liveConfigOf({ file: 'plugs: [{ path: a, host: h }]\n' });
    expect(last.change(removePlug('a'), () => {}).after.discovery.adopt).toBe(false);
  });

  it('of any kind is either made or refused in words, and then nothing is another', () => {
    const name = fc.oneof(
      fc.constantFrom(
        'poll',
        'poll.interval',
        'interval',
        'locked',
        'path',
        '__proto__',
        'name',
        '',
        '.',
        'plugs',
      ),
      fc.string({ maxLength: 6 }),
    );
    const options = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 });
    fc.assert(
      fc.property(
        options,
        fc.constantFrom(setOptions, addPlug, setPlug.bind(undefined, 'shed')),
        (given, make) => {
          const live = liveConfigOf({ file: FILE });
          const { config } = live;
          try {
            live.change(make(given as JsonObject), () => {});
          } catch (error) {
            expect(error).toBeInstanceOf(BridgeError);
            expect(live.config).toBe(config);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
