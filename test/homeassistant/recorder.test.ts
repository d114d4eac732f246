import { describe, expect, it } from 'vitest';
import type { Deadbands } from '../../src/mqtt/deadband.ts';
import { rowsInAnHour } from '../support/recorder-rows.ts';

const NONE = { change: undefined, percent: undefined };
const NOWHERE: Deadbands = { power: NONE, voltage: NONE, current: NONE, rssi: NONE };
const SOME: Deadbands = {
  ...NOWHERE,
  power: { change: 1, percent: 2 },
  voltage: { change: 2, percent: undefined },
};

describe("a lamp's hour in Home Assistant's recorder", () => {
  it('has fewer rows with values as they are shown, and fewer still with deadbands', async () => {
    const without = await rowsInAnHour(NOWHERE);
    const damped = await rowsInAnHour(SOME);
    const sum = (rows: typeof without, pick: 'exact' | 'rounded') =>
      rows.reduce((total, row) => total + row[pick], 0);
    // The figures in docs/home-assistant.md.
    expect(sum(without, 'exact')).toBeCloseTo(2136, -2);
    expect(sum(without, 'rounded')).toBeCloseTo(1626, -2);
    expect(sum(damped, 'rounded')).toBeCloseTo(555, -2);
  });
});
