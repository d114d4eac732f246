import type { Asker, Command, Receipt } from '../bridge/command.ts';
import { CommandError, messageOf } from '../errors.ts';
import { integerAt, isObject, type JsonObject } from '../protocol/json.ts';
import { LEAST_KELVIN, MOST_KELVIN } from '../protocol/light.ts';
import { parseDuration } from '../runtime/duration.ts';
import { parseJson } from './json-text.ts';

/** A command is a word or a small object; what is longer is none. */
export const MAX_COMMAND_BYTES = 4096;

const MAX_ID_LENGTH = 256;

/** The longest a command may stay wanted. */
const MAX_TTL_MS = 7 * 24 * 3_600_000;

/** The longest a relay may be switched for. */
const MAX_FOR_MS = 30 * 24 * 3_600_000;

/** What was meant as a command, or why it is none; the sender's id is kept where it can be read. */
export type Decoded =
  | { readonly command: Command }
  | { readonly refused: string; readonly id: string | null };

/** Reads a command: a word, or an object with `state`, `brightness`, `color_temp`, `for`, `led`, `id`, `ttl`. Never throws. */
export function decodeCommand(payload: Buffer, asker: Asker): Decoded {
  let id: string | null = null;
  try {
    if (payload.length > MAX_COMMAND_BYTES) {
      throw notUnderstood(
        `${payload.length} bytes are too many for a command (at most ${MAX_COMMAND_BYTES})`,
      );
    }
    const text = payload.toString('utf8').trim();
    const word = relayWord(text);
    if (word !== undefined) return { command: { relay: word, id: null, ...asker } };
    const fields = parseFields(text);
    id = readId(fields);
    return { command: readFields(fields, id, asker) };
  } catch (error) {
    return { refused: messageOf(error), id };
  }
}

function parseFields(text: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'string') return { state: value };
  if (isObject(value)) return value;
  const said = text === '' ? 'an empty message' : JSON.stringify(text.slice(0, 40));
  throw notUnderstood(`${said} is not a command: send ON, OFF, TOGGLE or {"state":"ON"}`);
}

const FIELDS = ['state', 'brightness', 'color_temp', 'for', 'led', 'id', 'ttl'];

function readFields(fields: JsonObject, id: string | null, asker: Asker): Command {
  for (const key of Object.keys(fields)) {
    if (!FIELDS.includes(key)) {
      throw notUnderstood(`"${key.slice(0, 40)}" is not part of a command (${FIELDS.join(', ')} are)`);
    }
  }
  const word = fields.state === undefined ? undefined : relayWord(wordOf(fields.state));
  if (fields.state !== undefined && word === undefined) {
    throw notUnderstood('"state" must be ON, OFF or TOGGLE');
  }
  const { relay, light } = readLight(fields, word);
  const led = fields.led === undefined ? undefined : relayWord(wordOf(fields.led));
  if (led === 'toggle' || (fields.led !== undefined && led === undefined)) {
    throw notUnderstood('"led" must be ON or OFF');
  }
  if (relay === undefined && led === undefined)
    throw notUnderstood('a command needs "state", "brightness", "color_temp" or "led"');
  const forMs = readDuration(fields, 'for', MAX_FOR_MS);
  if (forMs !== undefined && relay === undefined) throw notUnderstood('"for" needs "state"');
  return {
    relay,
    led: led && led === 'on',
    light,
    forMs,
    ttlMs: readDuration(fields, 'ttl', MAX_TTL_MS),
    id,
    ...asker,
  };
}

/** A lamp that is given a brightness or a colour temperature is on; a brightness of 0 is OFF. */
function readLight(fields: JsonObject, word: Command['relay']): Pick<Command, 'relay' | 'light'> {
  if (fields.brightness === undefined && fields.color_temp === undefined) return { relay: word };
  const brightness = readWhole(fields, 'brightness', 0, 100, 'a percentage from 0 (which is OFF) to 100');
  const kelvin = `kelvin from ${LEAST_KELVIN} to ${MOST_KELVIN}`;
  const colorTemp = readWhole(fields, 'color_temp', LEAST_KELVIN, MOST_KELVIN, kelvin);
  const isOff = brightness === 0;
  if (word !== undefined && word !== (isOff ? 'off' : 'on'))
    throw notUnderstood(
      `"state" contradicts "brightness" or "color_temp": they are those of a lamp that is on`,
    );
  return isOff ? { relay: 'off' } : { relay: 'on', light: { brightness, colorTemp } };
}

/** A whole number; as text too, as templates write it. */
function readWhole(
  fields: JsonObject,
  key: string,
  least: number,
  most: number,
  what: string,
): number | undefined {
  const said = fields[key];
  if (said === undefined) return undefined;
  const isText = typeof said === 'string' && /^\s*\d{1,5}(\.0+)?\s*$/.test(said);
  const value = integerAt({ value: isText ? Number(said) : said }, 'value', least, most);
  if (value === undefined) throw notUnderstood(`"${key}" must be ${what}, as a whole number`);
  return value;
}

function readId(fields: JsonObject): string | null {
  const id = fields.id;
  if (id === undefined || id === null) return null;
  if (typeof id !== 'string' && typeof id !== 'number') throw notUnderstood('"id" must be a text');
  const text = String(id);
  if (text.length > MAX_ID_LENGTH) throw notUnderstood(`"id" may have at most ${MAX_ID_LENGTH} characters`);
  return text;
}

/** A duration as text with a unit, or as a number of seconds. */
function readDuration(fields: JsonObject, key: string, mostMs: number): number | undefined {
  const value = fields[key];
  if (value === undefined) return undefined;
  const ms =
    typeof value === 'number' ? value * 1000 : typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms === undefined || !(ms >= 0 && ms <= mostMs)) {
    throw notUnderstood(
      `"${key}" must be a duration such as "30s" or "8h", at most ${mostMs / 86_400_000} days`,
    );
  }
  return ms;
}

/** The words that switch, in any case. */
const WORDS: ReadonlyMap<string, 'on' | 'off' | 'toggle'> = new Map([
  ['on', 'on'],
  ['1', 'on'],
  ['true', 'on'],
  ['off', 'off'],
  ['0', 'off'],
  ['false', 'off'],
  ['toggle', 'toggle'],
]);

function relayWord(text: string): 'on' | 'off' | 'toggle' | undefined {
  return WORDS.get(text.toLowerCase());
}

function wordOf(value: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
}

function notUnderstood(message: string): CommandError {
  return new CommandError('not-understood', message);
}

/** A receipt as JSON text; `target` is what the asker calls the plug or place, `repeated` says it may have been sent before. */
export function receiptJson(receipt: Receipt, target: string, repeated = false): string {
  return JSON.stringify(receiptFields(receipt, target, repeated));
}

/** What of a receipt its sender sees; `target` as it is called there. */
export function receiptFields(receipt: Receipt, target: string, repeated = false) {
  const { id, relay, led, light, outcome, reason, confirmed, total, missing, locked, countdown, ms } =
    receipt;
  return {
    id,
    target,
    wanted: relay === undefined ? null : relay.toUpperCase(),
    ...(led === undefined ? {} : { led: onOff(led) }),
    ...(light?.brightness === undefined ? {} : { brightness: light.brightness }),
    ...(light?.colorTemp === undefined ? {} : { color_temp: light.colorTemp }),
    outcome,
    ...(reason === undefined ? {} : { reason }),
    confirmed,
    total,
    missing: [...missing],
    ...(locked === undefined ? {} : { locked }),
    ...(countdown === undefined ? {} : { countdown }),
    ms,
    ...(repeated ? { repeated } : {}),
  };
}

function onOff(value: boolean): 'ON' | 'OFF' {
  return value ? 'ON' : 'OFF';
}
