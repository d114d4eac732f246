import { describe, expect, it } from 'vitest';
import { type PlugState, unseen } from '../../src/bridge/model.ts';
import { isTamperedWith, type PlugMemory, restoreTo } from '../../src/bridge/policy.ts';
import { POLICY } from '../support/plug-bench.ts';

const remembering = (relay: boolean | null): PlugMemory => ({ relay, revert: null });

function seen(relay: boolean | null, more: Partial<PlugState> = {}): PlugState {
  return { ...unseen('lamp'), availability: 'online', relay, ...more };
}

const away = (state: PlugState): PlugState => ({ ...state, availability: 'offline' });
const none = unseen('lamp');

describe('what a plug is made after a power cut', () => {
  it.each([
    ['keep', true, false, undefined],
    ['last', true, false, true],
    ['last', false, true, false],
    ['last', true, true, undefined],
    ['last', null, false, undefined],
    ['on', false, false, true],
    ['on', null, false, true],
    ['on', false, true, undefined],
    ['off', true, true, false],
    ['off', true, false, undefined],
    ['on', false, null, undefined],
  ] as const)('is, with restore %s, remembered %s and found %s: %s', (restore, remembered, found, wanted) => {
    // The relay has been on for less time than before, or it is another.
    const before = away(seen(found === null ? true : !found, { onSince: 1000 }));
    expect(restoreTo({ ...POLICY, restore }, remembering(remembered), before, seen(found))).toBe(wanted);
  });
});

describe('a power cut', () => {
  const restore = 'on';
  const isSeenIn = (before: PlugState, after: PlugState, remembered: boolean | null = null) =>
    restoreTo({ ...POLICY, restore }, remembering(remembered), before, after) !== undefined;

  it.each([
    ['a meter that starts anew', seen(false, { energy: 5 }), seen(false, { energy: 0 }), true],
    ['a meter that goes on', seen(false, { energy: 5 }), seen(false, { energy: 5.1 }), false],
    ['a meter that is rounded otherwise', seen(false, { energy: 5 }), seen(false, { energy: 4.999 }), false],
    ['a meter that is silent', seen(false, { energy: 5 }), seen(false), false],
    ['a change without an absence', seen(true), seen(false), false],
    ['a change over an absence', away(seen(true)), seen(false), true],
    ['no change over an absence', away(seen(false)), seen(false), false],
  ])('shows in %s or not', (_, before, after, expected) => {
    expect(isSeenIn(before, after)).toBe(expected);
  });

  it('shows in a relay that has been on for a shorter time than before', () => {
    const off = { ...POLICY, restore: 'off' } as const;
    const before = away(seen(true, { onSince: 1000 }));
    expect(restoreTo(off, remembering(true), before, seen(true, { onSince: 9000 }))).toBe(false);
    expect(restoreTo(off, remembering(true), before, seen(true, { onSince: 1000 }))).toBeUndefined();
  });

  it('shows after a restart of the bridge in a relay that is not as remembered', () => {
    expect(isSeenIn(none, seen(false), true)).toBe(true);
    expect(isSeenIn(none, seen(false), false)).toBe(false);
    expect(isSeenIn(none, seen(false), null)).toBe(false);
  });
});

describe('tampering', () => {
  it.each([
    [true, true, false, true],
    [true, false, true, true],
    [true, true, true, false],
    [true, null, true, false],
    [true, true, null, false],
    [false, true, false, false],
  ])('is, enforced %s, remembered %s, found %s: %s', (enforce, remembered, found, tampered) => {
    expect(isTamperedWith({ ...POLICY, enforce }, remembering(remembered), seen(found))).toBe(tampered);
  });
});
