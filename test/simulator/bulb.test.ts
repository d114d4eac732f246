import { describe, expect, it } from 'vitest';
import { SimulatedBulb } from '../../src/simulator/bulb.ts';
import { ManualClock } from '../support/manual-clock.ts';

const LIGHT = 'smartlife.iot.smartbulb.lightingservice';

function bulb(on = true): SimulatedBulb {
  return new SimulatedBulb({ alias: 'Lamp', mac: '50:C7:BF:00:00:0A', on }, new ManualClock());
}

describe('a simulated bulb', () => {
  it('has no relay, and refuses to switch one', () => {
    const device = bulb();
    const reply = device.answer({ system: { set_relay_state: { state: 0 }, get_sysinfo: {} } });
    expect(reply).toMatchObject({
      system: {
        set_relay_state: { err_code: -2001, err_msg: 'Module not support' },
        get_sysinfo: { mic_type: 'IOT.SMARTBULB', mic_mac: '50C7BF00000A', light_state: { on_off: 1 } },
      },
    });
    expect(JSON.stringify(reply)).not.toContain('relay_state":1');
    expect(device.on).toBe(true);
  });

  it('refuses in words of its own what plugs have', () => {
    expect(bulb().answer({ emeter: { get_realtime: {} }, system: { set_led_off: { off: 1 } } })).toEqual({
      emeter: { err_code: -2001, err_msg: 'Module not support' },
      system: { set_led_off: { err_code: -2000, err_msg: 'Method not support' } },
    });
  });

  it('changes its light, and says while it is off how it would be if it were on', () => {
    const device = bulb();
    const ask = (method: string, argument: object) =>
      device.answer({ [LIGHT]: { [method]: argument } })[LIGHT];
    expect(ask('transition_light_state', { brightness: 80, transition_period: 100 })).toMatchObject({
      transition_light_state: { on_off: 1, brightness: 80, err_code: 0 },
    });
    ask('transition_light_state', { on_off: 0 });
    expect(device.on).toBe(false);
    expect(ask('get_light_state', {})).toMatchObject({
      get_light_state: { on_off: 0, dft_on_state: { brightness: 80 }, err_code: 0 },
    });
    expect(ask('transition_light_state', { brightness: 101 })).toMatchObject({
      transition_light_state: { err_code: -10_000 },
    });
  });
});
