import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Command,
  placeReceipt,
  plugReceipt,
  type Settlement,
  unattempted,
} from '../../src/bridge/command.ts';

const COMMAND: Command = {
  relay: 'off',
  led: undefined,
  id: 'x1',
  origin: 'mqtt',
  user: null,
  replyTo: { topic: 'answers', correlation: 'AQ==' },
};
const HEAD = { id: 'x1', relay: 'off', led: undefined, replyTo: COMMAND.replyTo };

const confirmed: Settlement = { outcome: 'confirmed' };
const failed: Settlement = { outcome: 'failed', reason: 'it refused' };
const expired: Settlement = { outcome: 'expired', reason: 'timeout' };
const superseded: Settlement = { outcome: 'superseded', reason: 'a later command took over' };

const members = (...settlements: Settlement[]) =>
  new Map(settlements.map((settlement, index) => [`east/${index}`, settlement]));

describe('the receipt of a plug', () => {
  it('says that it confirmed', () => {
    expect(plugReceipt('lamp', COMMAND, confirmed, 41)).toEqual({
      ...HEAD,
      target: 'lamp',
      outcome: 'confirmed',
      confirmed: 1,
      total: 1,
      missing: [],
      ms: 41,
    });
  });

  it('says why it did not', () => {
    expect(plugReceipt('lamp', COMMAND, expired, 5)).toEqual({
      ...HEAD,
      target: 'lamp',
      outcome: 'expired',
      reason: 'timeout',
      confirmed: 0,
      total: 1,
      missing: [{ path: 'lamp', reason: 'timeout' }],
      ms: 5,
    });
  });

  it('says whether the plug counts down itself, where it was to', () => {
    const receipt = plugReceipt('lamp', COMMAND, { outcome: 'confirmed', countdown: false }, 1);
    expect(receipt.countdown).toBe(false);
    expect(plugReceipt('lamp', COMMAND, confirmed, 1)).not.toHaveProperty('countdown');
  });
});

describe('the receipt of a place', () => {
  it.each([
    [[confirmed, confirmed], 'confirmed'],
    [[failed, failed], 'failed'],
    [[expired], 'expired'],
    [[superseded, superseded], 'superseded'],
    [[confirmed, failed], 'partial'],
    [[failed, expired], 'partial'],
  ] as const)('folds %j into %s', (settlements, outcome) => {
    expect(placeReceipt('east', COMMAND, members(...settlements), 1).outcome).toBe(outcome);
  });

  it('names those that did not confirm, each with its reason', () => {
    expect(placeReceipt('east', COMMAND, members(confirmed, expired, failed), 9)).toEqual({
      ...HEAD,
      target: 'east',
      outcome: 'partial',
      reason: '2 of 3 did not confirm',
      confirmed: 1,
      total: 3,
      missing: [
        { path: 'east/1', reason: 'timeout' },
        { path: 'east/2', reason: 'it refused' },
      ],
      ms: 9,
    });
  });

  it('has no reason when all confirmed', () => {
    expect(placeReceipt('east', COMMAND, members(confirmed, confirmed), 1)).not.toHaveProperty('reason');
  });

  it('says that the plugs count down themselves only if all of them do', () => {
    const counting = (...told: boolean[]) =>
      members(...told.map((countdown): Settlement => ({ outcome: 'confirmed', countdown })), confirmed);
    expect(placeReceipt('east', COMMAND, counting(true, true), 1).countdown).toBe(true);
    expect(placeReceipt('east', COMMAND, counting(true, false), 1).countdown).toBe(false);
    expect(placeReceipt('east', COMMAND, members(confirmed, failed), 1)).not.toHaveProperty('countdown');
  });

  it('accounts for every member, and is confirmed exactly if all are', () => {
    const some = fc.array(fc.constantFrom(confirmed, failed, expired, superseded), { minLength: 1 });
    fc.assert(
      fc.property(some, (settlements) => {
        const receipt = placeReceipt('', COMMAND, members(...settlements), 1);
        expect(receipt.confirmed + receipt.missing.length).toBe(receipt.total);
        expect(receipt.total).toBe(settlements.length);
        expect(receipt.outcome === 'confirmed').toBe(receipt.missing.length === 0);
      }),
    );
  });
});

describe('the receipt of a command that reached nobody', () => {
  it('counts nobody and says why', () => {
    expect(unattempted('nowhere', COMMAND, 'refused', 'there is none')).toEqual({
      ...HEAD,
      target: 'nowhere',
      outcome: 'refused',
      reason: 'there is none',
      confirmed: 0,
      total: 0,
      missing: [],
      ms: 0,
    });
  });
});
