import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregate, placesOf } from '../../src/bridge/places.ts';
import { type PlugState, unseen } from '../../src/bridge/plug-state.ts';

type Short = 'on' | 'off' | 'silent' | 'away' | 'new';

/** A plug as short as it can be said; one that is away still holds what it last said. */
function plug(short: Short, power: number | null = null): PlugState {
  const availability = short === 'away' ? 'offline' : short === 'new' ? 'unknown' : 'online';
  const relay = short === 'silent' || short === 'new' ? null : short !== 'off';
  return { ...unseen('lamp'), availability, relay, power };
}

describe('the places of a plug', () => {
  it.each([
    ['lamp', ['']],
    ['east/lamp', ['east', '']],
    ['a/b/c/lamp', ['a/b/c', 'a/b', 'a', '']],
  ])('of %s are %j, the nearest first', (path, places) => {
    expect(placesOf(path)).toEqual(places);
  });
});

describe('the state of a place', () => {
  const table: [Short[], 'ON' | 'OFF' | 'MIXED' | null][] = [
    [['on', 'on'], 'ON'],
    [['off'], 'OFF'],
    [['on', 'off'], 'MIXED'],
    [['on', 'off', 'away'], 'MIXED'],
    [['on', 'away'], null],
    [['off', 'silent'], null],
    [['away'], null],
    [['new'], null],
    [[], null],
  ];

  it.each(table)('of %j is %s', (shorts, state) => {
    expect(
      aggregate(
        'east',
        shorts.map((short) => plug(short)),
        0,
      ),
    ).toMatchObject({ path: 'east', state });
  });

  it('sums the power of those that report it, to the milliwatt, and of nobody else', () => {
    const members = [plug('on', 0.1), plug('on', 0.2), plug('off', 0), plug('on', null), plug('away', 60)];
    expect(aggregate('', members, 0).power).toBe(0.3);
    expect(aggregate('', [plug('on'), plug('away', 60)], 0).power).toBeNull();
    expect(aggregate('', [plug('off', 0)], 0).power).toBe(0);
  });

  it('has used what it is told, to the Wh; nothing is known where no plug has a meter and none ever had', () => {
    expect(aggregate('', [plug('on')], 1_234_600).energy).toBe(1.235);
    expect(aggregate('', [plug('on')], 0).energy).toBeNull();
    expect(aggregate('', [{ ...plug('away'), energy: 7 }], 0).energy).toBe(0);
  });

  it('counts every plug once', () => {
    const shorts = fc.array(fc.constantFrom<Short>('on', 'off', 'silent', 'away', 'new'));
    fc.assert(
      fc.property(shorts, (members) => {
        const { on, off, unknown, total } = aggregate(
          '',
          members.map((short) => plug(short)),
          0,
        );
        const count = (...which: Short[]) => members.filter((short) => which.includes(short)).length;
        expect({ on, off, unknown, total }).toEqual({
          on: count('on'),
          off: count('off'),
          unknown: count('silent', 'away', 'new'),
          total: members.length,
        });
      }),
    );
  });
});
