import { describe, expect, it } from 'vitest';
import { readSysinfo } from '../../src/protocol/replies.ts';
import { setAndConfirm } from '../../src/protocol/requests.ts';

const BULB = {
  mic_type: 'IOT.SMARTBULB',
  mic_mac: '50C7BF000001',
  is_dimmable: 1,
  is_variable_color_temp: 1,
};
const ON = { on_off: 1, mode: 'normal', hue: 0, saturation: 0, color_temp: 3500, brightness: 40 };

describe('the light of a bulb', () => {
  it('is read where it is on', () => {
    const { kind, relay, hasMeter, light } = readSysinfo({ ...BULB, model: 'KL130(EU)', light_state: ON });
    expect({ kind, relay, hasMeter }).toEqual({ kind: 'bulb', relay: true, hasMeter: true });
    expect(light).toMatchObject({ brightness: 40, colorTemp: 3500 });
  });

  it('is read as it will be where it is off', () => {
    const { on_off: _, ...rest } = ON;
    const { relay, light } = readSysinfo({ ...BULB, light_state: { on_off: 0, dft_on_state: rest } });
    expect(relay).toBe(false);
    expect(light).toMatchObject({ brightness: 40, colorTemp: 3500 });
  });

  it('is that of the moment where a bulb that is on says also how it was before', () => {
    const light_state = { ...ON, dft_on_state: { ...ON, brightness: 100, color_temp: 2700 } };
    expect(readSysinfo({ ...BULB, light_state }).light).toMatchObject({ brightness: 40, colorTemp: 3500 });
  });

  it('has no colour temperature while it shows a colour, and none at all where it is white', () => {
    const shows = { ...ON, hue: 120, saturation: 100, color_temp: 0 };
    expect(readSysinfo({ ...BULB, light_state: shows }).light?.colorTemp).toBeUndefined();
    const white = readSysinfo({ ...BULB, is_variable_color_temp: 0, light_state: ON }).light;
    expect([white?.colorTemp, white?.ability.kelvin]).toEqual([undefined, null]);
  });

  it.each([
    ['KL130(EU)', [2500, 9000]],
    ['KL120(US)', [2700, 5000]],
    ['KL120(EU)', [2700, 6500]],
    ['KL125(US)', [2500, 6500]],
    ['LB999(US)', [2700, 6500]],
  ])('of model %s has %j kelvin', (model, kelvin) => {
    expect(readSysinfo({ ...BULB, model, light_state: ON }).light?.ability.kelvin).toEqual(kelvin);
  });

  it('keeps what it can do as one object, so that a change of it shows', () => {
    const [one, other] = [ON, { ...ON, brightness: 1 }].map(
      (light_state) => readSysinfo({ ...BULB, light_state }).light?.ability,
    );
    expect(one).toBe(other);
  });

  it.each([[-1], [101], ['40'], [null], [{}]])(
    'is not known where it says a brightness of %j',
    (brightness) => {
      expect(readSysinfo({ ...BULB, light_state: { ...ON, brightness } }).light?.brightness).toBeUndefined();
    },
  );
});

describe('what sets a light', () => {
  it('goes to a dimmer before it is switched on', () => {
    const { text } = setAndConfirm({ relay: true, light: { brightness: 40 } }, false, 'dimmer');
    expect(text).toBe(
      '{"smartlife.iot.dimmer":{"set_brightness":{"brightness":40}},"system":{"set_relay_state":{"state":1},"get_sysinfo":{}}}',
    );
  });

  it('goes to a bulb in one change, with its colour put out where a colour temperature is wanted', () => {
    const { query } = setAndConfirm({ relay: true, light: { colorTemp: 2700 } }, false, 'bulb');
    expect(query['smartlife.iot.smartbulb.lightingservice']).toEqual({
      transition_light_state: { on_off: 1, ignore_default: 1, color_temp: 2700, hue: 0, saturation: 0 },
    });
  });

  it('has a bulb come on as its owner set it where nothing else is said', () => {
    const { query } = setAndConfirm({ relay: true }, false, 'light-strip');
    expect(query['smartlife.iot.lightStrip']).toEqual({ set_light_state: { on_off: 1, ignore_default: 0 } });
  });
});
