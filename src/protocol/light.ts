import { boundedAt, flagAt, isObject, type JsonObject, numberAt, textAt } from './json.ts';

/** What a lamp may be told besides on and off; what is left out stays as it is. */
export interface LightSetting {
  /** Percent, 1 to 100; what is brighter than off is on. */
  readonly brightness?: number | undefined;
  /** Kelvin */
  readonly colorTemp?: number | undefined;
}

/** Whether two say the same, or both nothing. */
export function isSameLight(one: LightSetting | undefined, other: LightSetting | undefined): boolean {
  return one?.brightness === other?.brightness && one?.colorTemp === other?.colorTemp;
}

/** Whether a lamp that says `reported` is as it was told to be. */
export function hasLight(
  reported: LightReading | undefined,
  { brightness, colorTemp }: LightSetting,
): boolean {
  return (
    (brightness === undefined || reported?.brightness === brightness) &&
    (colorTemp === undefined || reported?.colorTemp === colorTemp)
  );
}

/** How a family of lamps is told its light: the module and the method that set it. */
export type LightService = 'dimmer' | 'bulb' | 'light-strip';

/** The module that sets the light of each. */
export const LIGHT_MODULES = {
  dimmer: 'smartlife.iot.dimmer',
  bulb: 'smartlife.iot.smartbulb.lightingservice',
  'light-strip': 'smartlife.iot.lightStrip',
} as const satisfies { [K in LightService]: string };

/** What a lamp can do besides on and off. */
export interface LightAbility {
  readonly service: LightService;
  /** The colour temperatures that it has, in kelvin; `null` if it has one only. */
  readonly kelvin: Range | null;
  readonly isDimmable: boolean;
}

type Range = readonly [least: number, most: number];

/** What a lamp says of its light; `undefined` where it did not say it. */
export interface LightReading {
  readonly ability: LightAbility;
  readonly brightness: number | undefined;
  readonly colorTemp: number | undefined;
}

/** Wall switches that dim say their brightness beside the relay; bulbs have a `light_state` in place of it. */
export function readLight(answer: JsonObject): LightReading | undefined {
  const state = answer.light_state;
  if (isObject(state)) return readBulb(answer, state);
  if (numberAt(answer, 'brightness') === undefined) return undefined;
  return {
    ability: DIMMER,
    brightness: boundedAt(answer, 'brightness', 0, 100),
    colorTemp: undefined,
  };
}

/** Whether a bulb says that it is on. */
export function readBulbRelay(answer: JsonObject): boolean | undefined {
  return isObject(answer.light_state) ? flagAt(answer.light_state, 'on_off') : undefined;
}

/** A bulb that is off says in `dft_on_state` how it is when it is on; while it is on, that may be out of date. */
function readBulb(answer: JsonObject, state: JsonObject): LightReading {
  const { dft_on_state: whenOn, on_off } = state;
  const light = isObject(whenOn) ? (on_off === 1 ? { ...whenOn, ...state } : whenOn) : state;
  const ability = abilityOf(answer);
  const colorTemp = boundedAt(light, 'color_temp', LEAST_KELVIN, MOST_KELVIN);
  return {
    ability,
    brightness: ability.isDimmable ? boundedAt(light, 'brightness', 0, 100) : undefined,
    // 0 while the bulb shows a colour.
    colorTemp: ability.kelvin === null ? undefined : colorTemp,
  };
}

/** Colour temperatures that any lamp could have. */
export const LEAST_KELVIN = 1000;
export const MOST_KELVIN = 12_000;

const DIMMER: LightAbility = { service: 'dimmer', kelvin: null, isDimmable: true };

const WIDE: Range = [2500, 9000];
const USUAL: Range = [2700, 6500];

/** What python-kasa knows of the models; one that is not listed has at least what all of them have. */
const KELVIN: readonly (readonly [model: RegExp, range: Range])[] = [
  [/^(LB130|LB230|KB130|KL130|KL430)\b/, WIDE],
  [/^(KL125|KL135)\b/, [2500, 6500]],
  [/^KL120\(US\)/, [2700, 5000]],
];

const abilities = new Map<string, LightAbility>();

/** Always the same object for the same ability: whether it changed is a comparison of references. */
function abilityOf(answer: JsonObject): LightAbility {
  // Only light strips have a length.
  const service = numberAt(answer, 'length') === undefined ? 'bulb' : 'light-strip';
  const isDimmable = flagAt(answer, 'is_dimmable') !== false;
  const model = textAt(answer, 'model') ?? '';
  const kelvin = flagAt(answer, 'is_variable_color_temp') === true ? kelvinOf(model) : null;
  const key = `${service} ${isDimmable} ${kelvin}`;
  let ability = abilities.get(key);
  if (ability === undefined) {
    ability = { service, kelvin, isDimmable };
    abilities.set(key, ability);
  }
  return ability;
}

function kelvinOf(model: string): Range {
  return KELVIN.find(([pattern]) => pattern.test(model))?.[1] ?? USUAL;
}
