import { SENSOR_MODULES } from '../protocol/sensors.ts';
import { type Modules, OK } from './plug-device.ts';

/** What the converter of the motion sensor shows in the middle of its range, and while somebody walks by. */
const STILL = 2050;
const MOVING = 3900;

/** The motion and light sensors of a wall switch, as an ES20M has them. */
export class SimulatedSensors {
  /** Whether somebody walks by. */
  motion = false;
  /** Percent */
  ambientLight = 35;
  /** Whether the motion sensor is switched on in the Kasa app. */
  watches = true;
  readonly modules: Modules = {
    [SENSOR_MODULES.motion]: {
      get_config: () => ({
        ...{ enable: this.watches ? 1 : 0, version: '1.0', trigger_index: 1, cold_time: 60_000 },
        ...{ min_adc: 0, max_adc: 4095, array: [80, 50, 20, 0], ...OK },
      }),
      get_adc_value: () => ({ value: this.motion ? MOVING : STILL, ...OK }),
    },
    [SENSOR_MODULES.light]: {
      get_current_brt: () => ({ value: this.ambientLight, ...OK }),
    },
  };
}
