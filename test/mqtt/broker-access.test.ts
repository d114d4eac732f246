import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayPublish, maySubscribe } from '../../src/mqtt/broker-access.ts';
import { matchesFilter } from '../../src/mqtt/topic-filter.ts';

const publishing = (...publish: string[]) => ({ publish, subscribe: undefined });
const subscribing = (...subscribe: string[]) => ({ publish: undefined, subscribe });

describe('the access of a user', () => {
  it('is to everything where nothing is said, to nothing where the list is empty', () => {
    const free = { publish: undefined, subscribe: undefined };
    expect([mayPublish(free, 'a'), maySubscribe(free, '#')]).toEqual([true, true]);
    const none = { publish: [], subscribe: [] };
    expect([mayPublish(none, 'a'), maySubscribe(none, 'a')]).toEqual([false, false]);
  });

  it('to publish follows topic filters', () => {
    const staff = publishing('museum/+/set', 'homeassistant/#');
    expect(['museum/shed3/set', 'homeassistant/status'].every((topic) => mayPublish(staff, topic))).toBe(
      true,
    );
    expect(
      ['museum/set', 'museum/a/b/set', 'museum/shed3/state'].some((topic) => mayPublish(staff, topic)),
    ).toBe(false);
  });

  it.each([
    ['museum/#', 'museum/#', true],
    ['museum/#', 'museum', true],
    ['museum/#', 'museum/+/state', true],
    ['museum/#', '#', false],
    ['museum/#', '+/shed3', false],
    ['museum/+/state', 'museum/shed3/state', true],
    ['museum/+/state', 'museum/+/state', true],
    ['museum/+/state', 'museum/#', false],
    ['museum/+', 'museum', false],
    ['museum/shed3', 'museum/+', false],
    ['#', '$SYS/#', false],
    ['#', '+/+', true],
  ])('to what %s grants: %s %s', (granted, filter, may) => {
    expect(maySubscribe(subscribing(granted), filter)).toBe(may);
  });

  it('lets nobody receive what it does not grant, whatever the filters', () => {
    const level = fc.constantFrom('a', 'b', '+');
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));
    const topic = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(filter, filter, topic, (granted, wanted, levels) => {
        const one = levels.join('/');
        if (maySubscribe(subscribing(granted), wanted) && matchesFilter(wanted, one))
          expect(matchesFilter(granted, one)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
