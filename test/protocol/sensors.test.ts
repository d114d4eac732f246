import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/protocol/json.ts';
import { hasSensors, readSensors } from '../../src/protocol/sensors.ts';

const CONFIG = {
  ...{ enable: 1, trigger_index: 1, array: [80, 50, 20, 0] },
  ...{ min_adc: 0, max_adc: 4095, cold_time: 60_000, version: '1.0', err_code: 0 },
};

function reply(
  value: unknown,
  config: JsonObject = {},
  light: JsonObject = { value: 12, err_code: 0 },
): JsonObject {
  return {
    'smartlife.iot.PIR': { get_config: { ...CONFIG, ...config }, get_adc_value: { value, err_code: 0 } },
    'smartlife.iot.LAS': { get_current_brt: light },
  };
}

describe('the sensors of a wall switch', () => {
  it.each([
    ['Wi-Fi Smart Dimmer with sensor', true],
    ['Smart Light Switch with PIR', true],
    ['Wi-Fi Smart Dimmer', false],
    ['Smart Wi-Fi Plug With Energy Monitoring', false],
    [undefined, false],
  ])('are there if it calls itself %j: %s', (name, there) => {
    expect(hasSensors({ dev_name: name })).toBe(there);
  });

  // 2025 and 2107 are what a KS200M and an ES20M said in an empty room.
  it.each([
    ['far', 0, 2025, false],
    ['far', 0, 2500, true],
    ['middle', 1, 2107, false],
    ['middle', 1, 3000, false],
    ['middle', 1, 3200, true],
    ['middle', 1, 900, true],
    ['near', 2, 3600, false],
    ['near', 2, 3700, true],
  ])(
    'set to %s see motion by how far it swings: index %i, value %i: %s',
    (_, trigger_index, value, motion) => {
      expect(readSensors(reply(value, { trigger_index }))).toEqual({ motion, ambientLight: 12 });
    },
  );

  it.each([
    ['it is switched off', reply(3900, { enable: 0 })],
    ['its setting is unknown', reply(3900, { trigger_index: 9 })],
    ['its range is none', reply(3900, { min_adc: 4095 })],
    ['it says no number', reply('3900')],
    [
      'the module refuses',
      { ...reply(3900), 'smartlife.iot.PIR': { err_code: -1, err_msg: 'module not support' } },
    ],
    [
      'a method refuses',
      { ...reply(3900), 'smartlife.iot.PIR': { get_config: { err_code: -2 }, get_adc_value: {} } },
    ],
  ])('say nothing of motion if %s', (_, answer) => {
    expect(readSensors(answer)).toEqual({ motion: undefined, ambientLight: 12 });
  });

  it.each([[{ err_code: -1 }], [{ value: 101 }], [{ value: -1 }], [{ value: null }]])(
    'say nothing of the light if they answer %j',
    (light) => {
      expect(readSensors(reply(2050, {}, light))).toEqual({ motion: false, ambientLight: undefined });
    },
  );

  it('are read whatever a device answers', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('smartlife.iot.PIR', 'smartlife.iot.LAS'), fc.jsonValue()),
        (said) => {
          const { motion, ambientLight } = readSensors(said) ?? {};
          expect([true, false, undefined]).toContain(motion);
          expect(ambientLight === undefined || (ambientLight >= 0 && ambientLight <= 100)).toBe(true);
        },
      ),
    );
  });
});
