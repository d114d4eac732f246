import { PlugError, PlugRefusal } from '../errors.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import { answerTo, type MeterReading, readMeter } from '../protocol/replies.ts';
import type { Settings } from '../protocol/requests.ts';

/** How the plug refused something of what was to be set, if it did. */
export function refusalIn(reply: JsonObject, { relay, led }: Settings): PlugRefusal | undefined {
  const ofRelay = relay === undefined ? undefined : refusalOf(reply, 'set_relay_state');
  return ofRelay ?? (led === undefined ? undefined : refusalOf(reply, 'set_led_off'));
}

/** How the plug refused one of the methods that set something, if it did. */
function refusalOf(reply: JsonObject, method: string): PlugRefusal | undefined {
  try {
    answerTo(reply, 'system', method);
    return undefined;
  } catch (error) {
    if (error instanceof PlugRefusal) return error;
    throw error;
  }
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
