import { describe, expect, it } from 'vitest';
import { unseen } from '../../src/bridge/plug-state.ts';
import { type Deadbands, damped, dampedValue, hasDeadband, saysTheSame } from '../../src/mqtt/deadband.ts';
import { plugValues } from '../../src/mqtt/payloads.ts';

const NONE = { change: undefined, percent: undefined };
const NOWHERE: Deadbands = { power: NONE, voltage: NONE, current: NONE, rssi: NONE };
const POWER: Deadbands = { ...NOWHERE, power: { change: 1, percent: 2 } };

const values = (power: number | null, relay = true, voltage = 230) =>
  plugValues({ ...unseen('lamp'), relay, power, voltage });

describe('a value with a deadband', () => {
  it.each([
    [{ change: 1, percent: undefined }, 10, 10.9, 10],
    [{ change: 1, percent: undefined }, 10, 11, 11],
    [{ change: 1, percent: undefined }, 10, 9, 9],
    [{ change: undefined, percent: 2 }, 100, 101.9, 100],
    [{ change: undefined, percent: 2 }, 100, 102, 102],
    [{ change: 1, percent: 2 }, 10, 10.5, 10],
    [{ change: 1, percent: 2 }, 100, 101.5, 100],
    [{ change: 1, percent: 2 }, 100, 102.5, 102.5],
    [{ change: 3, percent: undefined }, -50, -52, -50],
    [{ change: undefined, percent: 10 }, -50, -56, -56],
    [NONE, 10, 10.001, 10.001],
  ])('%j that was %d and is %d is reported as %d', (deadband, last, value, reported) => {
    expect(dampedValue(value, last, deadband)).toBe(reported);
  });

  it.each([
    [null, 10],
    [10, null],
    [0, 0.5],
    [0.5, 0],
  ])('is never held back at or after nothing: %j after %j', (value, last) => {
    expect(dampedValue(value, last, { change: 1, percent: undefined })).toBe(value);
  });
});

describe('a report with deadbands', () => {
  it('has the values of the last one where they have hardly changed, and all others as they are', () => {
    expect(damped(values(60.5, true, 231), values(60), POWER)).toEqual(values(60, true, 231));
    expect(damped(values(62), values(60), POWER)).toEqual(values(62));
  });

  it('is exact when it is the first, or the relay has changed', () => {
    expect(damped(values(60.5), undefined, POWER)).toEqual(values(60.5));
    expect(damped(values(60.5), values(60, false), POWER)).toEqual(values(60.5));
  });

  it('says the same as another but for the time', () => {
    expect(saysTheSame({ ...values(60), last_seen: 'now' }, values(60))).toBe(true);
    expect(saysTheSame(values(60), values(61))).toBe(false);
  });

  it('is there only where one is configured', () => {
    expect([hasDeadband(NOWHERE), hasDeadband(POWER)]).toEqual([false, true]);
  });
});
