import { describe, expect, it } from 'vitest';
import { readClockAndCloud } from '../../src/plug/statistics.ts';

/** What a plug says about its zone and its cloud. */
function reply(zone: unknown, cloud: object = {}) {
  return { time: { get_timezone: { index: zone, err_code: 0 } }, cnCloud: { get_info: cloud } };
}

describe('what changes slowly', () => {
  it.each([0, 39, 109])('holds a zone that the firmware knows: %d', (index) => {
    expect(readClockAndCloud(reply(index)).zone).toBe(index);
  });

  it.each([-1, 110, 1e300, 39.5, '39', null])('does not hold a zone that there is not: %j', (index) => {
    expect(readClockAndCloud(reply(index)).zone).toBeUndefined();
  });

  it('says of the cloud only what is yes or no', () => {
    expect(readClockAndCloud(reply(39, { binded: 1, cld_connection: 0 })).cloud).toEqual({
      bound: true,
      connected: false,
    });
    expect(readClockAndCloud(reply(39, { binded: 7, cld_connection: 'x' })).cloud).toEqual({
      bound: undefined,
      connected: undefined,
    });
  });
});
