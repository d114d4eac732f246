import { describe, expect, it } from 'vitest';
import { isPlugId, PlaceIds, plugId } from '../../src/homeassistant/ids.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import { memoryStore } from '../support/memory-store.ts';

describe('the id of a plug', () => {
  it('is made of its MAC, and of its outlet where it has several', () => {
    expect(plugId('50:C7:BF:12:34:AB', null)).toBe('hs110mqtt_50c7bf1234ab');
    expect(plugId('50:C7:BF:12:34:AB', '01')).toBe('hs110mqtt_50c7bf1234ab_01');
  });

  it('is told from that of anything else', () => {
    for (const id of ['hs110mqtt_50c7bf1234ab', 'hs110mqtt_50c7bf1234ab_01']) expect(isPlugId(id)).toBe(true);
    for (const id of ['hs110mqtt_bridge_museum', 'hs110mqtt_50c7bf1234abc', 'x_50c7bf1234ab', ''])
      expect(isPlugId(id)).toBe(false);
  });
});

describe('the id of a place', () => {
  const store = memoryStore();
  /** The ids as the next run knows them. */
  const ids = () => new PlaceIds(store, new Topics('museum'));

  it('is made of the base topic and of the path that the place has at first sight', () => {
    expect(ids().of('')).toBe('hs110mqtt_site_museum');
    expect(ids().of('east-wing/hall')).toBe('hs110mqtt_place_museum_east-wing_hall');
  });

  it('goes with the place when that moves, also over a restart', async () => {
    const before = ids();
    const id = before.of('barn');
    before.move('barn', 'yard/barn');
    expect(before.of('yard/barn')).toBe(id);
    store.transaction(() => {});
    expect(ids().of('yard/barn')).toBe(id);
  });

  it('that went elsewhere is not given to a new place on the old path', () => {
    const now = ids();
    expect(now.of('barn')).toBe('hs110mqtt_place_museum_barn_2');
    store.transaction(() => {});
    expect(ids().of('barn')).toBe('hs110mqtt_place_museum_barn_2');
    expect(ids().of('yard/barn')).toBe('hs110mqtt_place_museum_barn');
  });

  it('differs where two paths would make the same', () => {
    const now = ids();
    expect([now.of('a/b_c'), now.of('a_b/c'), now.of('a/b/c')]).toEqual([
      'hs110mqtt_place_museum_a_b_c',
      'hs110mqtt_place_museum_a_b_c_2',
      'hs110mqtt_place_museum_a_b_c_3',
    ]);
  });

  it('stays its own where the other place moves to it, or has none', () => {
    const now = ids();
    const [from, to] = [now.of('from'), now.of('to')];
    now.move('from', 'to');
    now.move('nowhere', 'elsewhere');
    expect([now.of('from'), now.of('to')]).toEqual([from, to]);
    expect(now.of('elsewhere')).toBe('hs110mqtt_place_museum_elsewhere');
  });
});
