import { PlugError, PlugRefusal } from '../errors.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import { hasLight, type LightAbility } from '../protocol/light.ts';
import {
  answerTo,
  type DeviceKind,
  type MeterReading,
  readMeter,
  type Sysinfo,
} from '../protocol/replies.ts';
import type { Request, Settings } from '../protocol/requests.ts';

/** How the device refused the first that it did of what was to be set: all that was sent but the questions, in that order. */
export function refusalIn(reply: JsonObject, { query }: Request): PlugRefusal | undefined {
  for (const [module, methods] of Object.entries(query)) {
    for (const method of Object.keys(methods)) {
      const refusal = method.startsWith('get_') ? undefined : refusalOf(reply, module, method);
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}

/** How the device refused one of the methods that set something, if it did. */
function refusalOf(reply: JsonObject, module: string, method: string): PlugRefusal | undefined {
  try {
    answerTo(reply, module, method);
    return undefined;
  } catch (error) {
    if (error instanceof PlugRefusal) return error;
    throw error;
  }
}

/** What was asked of a device that cannot do it; `undefined` if it can do all of it. */
export function inability({ led, light }: Settings, ability: LightAbility | undefined): string | undefined {
  if (light?.brightness !== undefined && ability?.isDimmable !== true) return 'it cannot be dimmed';
  if (light?.colorTemp !== undefined) {
    if (!ability?.kelvin) return 'its colour temperature cannot be set';
    const [least, most] = ability.kelvin;
    if (light.colorTemp < least || light.colorTemp > most)
      return `its colour temperature is between ${least} and ${most} K`;
  }
  return led !== undefined && ability !== undefined && ability.service !== 'dimmer'
    ? 'it has no LED to be set'
    : undefined;
}

/** Whether the plug now reports what was set. */
export function follows(reported: Sysinfo, { relay, led, light }: Settings): boolean {
  return (
    (relay === undefined || reported.relay === relay) &&
    (led === undefined || reported.led === led) &&
    (light === undefined || hasLight(reported.light, light))
  );
}

/** Whether the connection ended under a question. */
export function isGone(error: unknown): boolean {
  return error instanceof PlugError && (error.reason === 'closed' || error.reason === 'reset');
}

/** A meter that refuses or is missing from the answer leaves the rest of the answer as good as it was. */
export function readMeterIn(reply: JsonObject): MeterReading | undefined {
  if (!isObject(reply.emeter)) return undefined;
  try {
    return readMeter(answerTo(reply, 'emeter', 'get_realtime'));
  } catch (error) {
    if (error instanceof PlugError) return undefined;
    throw error;
  }
}

/** Why a device of that kind takes no commands: `it does not report a relay; only …`. */
export function whyUnsupported(kind: DeviceKind, device = 'it'): string {
  const what =
    kind === 'strip' ? 'is a strip whose outlets are switched one by one' : 'does not report a relay';
  return `${device} ${what}; only plugs, outlets of strips, and bulbs are switched`;
}
