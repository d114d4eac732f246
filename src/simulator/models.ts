import type { Clock } from '../runtime/clock.ts';
import { SimulatedBulb } from './bulb.ts';
import { SimulatedDevice } from './device.ts';
import type { PlugDevice } from './plug-device.ts';
import { SimulatedStrip } from './strip.ts';

/** How a simulated device is made that is one of many. */
type Make = (
  model: string,
  named: { readonly alias: string; readonly mac: string },
  clock: Clock,
) => PlugDevice;

const LOAD_W = 40;

const plug =
  (hardware: '1.0' | '2.0'): Make =>
  (model, named, clock) =>
    new SimulatedDevice({ ...named, model, hardware, loadW: LOAD_W }, clock);

const strip =
  (count: number): Make =>
  (model, named, clock) => {
    const outlets = Array.from({ length: count }, (_, index) => ({
      alias: `Outlet ${index + 1}`,
      loadW: LOAD_W,
    }));
    return new SimulatedStrip({ ...named, model, outlets }, clock);
  };

const bulb: Make = (model, named, clock) => new SimulatedBulb({ ...named, model }, clock);

/** What can be simulated: the name of each model, its region, and how it is made. */
const MODELS: ReadonlyMap<string, readonly [region: string, Make]> = new Map([
  ['HS100', ['EU', plug('1.0')]],
  ['HS103', ['US', plug('2.0')]],
  ['HS105', ['US', plug('2.0')]],
  ['HS110', ['EU', plug('2.0')]],
  ['HS200', ['US', plug('2.0')]],
  ['HS210', ['US', plug('2.0')]],
  ['KP115', ['US', plug('2.0')]],
  ['KP125', ['US', plug('2.0')]],
  ['EP10', ['US', plug('2.0')]],
  ['EP25', ['US', plug('2.0')]],
  ['HS107', ['US', strip(2)]],
  ['KP200', ['US', strip(2)]],
  ['KP303', ['UK', strip(3)]],
  ['KP400', ['US', strip(2)]],
  ['EP40', ['US', strip(2)]],
  ['HS300', ['US', strip(6)]],
  ['HS220', ['US', plug('2.0')]],
  ['KS220', ['US', plug('2.0')]],
  ['KS230', ['US', plug('2.0')]],
  ['KP405', ['US', plug('2.0')]],
  ['ES20M', ['US', plug('2.0')]],
  ['KS220M', ['US', plug('2.0')]],
  ['KS200M', ['US', plug('2.0')]],
  ['KL50', ['US', bulb]],
  ['KL60', ['US', bulb]],
  ['KL110', ['EU', bulb]],
  ['KL120', ['EU', bulb]],
  ['KL125', ['US', bulb]],
  ['KL130', ['EU', bulb]],
  ['KL135', ['US', bulb]],
  ['KL430', ['US', bulb]],
  ['LB100', ['US', bulb]],
  ['LB110', ['US', bulb]],
  ['LB120', ['US', bulb]],
  ['LB130', ['US', bulb]],
]);

/** The models that can be simulated. */
export const MODEL_NAMES: readonly string[] = [...MODELS.keys()];

/** One device of a model, the `number`th of those that are played; `undefined` if there is no such model. */
export function simulatedModel(name: string, number: number, clock: Clock): PlugDevice | undefined {
  const [region, make] = MODELS.get(name) ?? [];
  if (region === undefined || make === undefined) return undefined;
  // Two programs that play a model each play two devices.
  const digits = ((MODEL_NAMES.indexOf(name) << 16) + number).toString(16).toUpperCase().padStart(6, '0');
  const mac = `50:C7:BF:${(digits.match(/../g) ?? []).join(':')}`;
  return make(`${name}(${region})`, { alias: `${name} ${number}`, mac }, clock);
}
