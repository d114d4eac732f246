import { ProtocolError } from '../errors.ts';

/** Answers of plugs nest 7 levels at most. Parsing bears thousands, writing JSON and walking through it do not. */
const MAX_LEVELS = 100;

/** Names and versions of plugs have 40 characters at most. */
const MAX_LABEL = 100;

/** A JSON object whose values have not been looked at yet. */
export type JsonObject = { readonly [key: string]: unknown };

/** Whether `value` is a JSON object: not null, not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses what a plug sent. Throws ProtocolError unless it is one JSON object, perhaps with surplus after it. */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    value = parsePrefix(text);
    if (value === undefined) throw new ProtocolError(`the answer is not JSON: ${shorten(text)}`, { cause });
  }
  if (!isObject(value)) throw new ProtocolError(`the answer is not a JSON object: ${shorten(text)}`);
  return value;
}

/** As `parseObject`, for what is passed on or walked through. Throws ProtocolError too if it nests absurdly deep. */
export function parseReply(text: string): JsonObject {
  const reply = parseObject(text);
  if (!hasMoreBrackets(text, MAX_LEVELS) || !nestsDeeper(reply, MAX_LEVELS)) return reply;
  throw new ProtocolError(`the answer is nested more than ${MAX_LEVELS} levels deep`);
}

/** The number under `key`, or `undefined` where there is none; NaN and infinity cannot come out of JSON. */
export function numberAt(object: JsonObject, key: string): number | undefined {
  const value = object[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The number under `key` if it lies from `least` to `most`; otherwise it counts as not said. */
export function boundedAt(object: JsonObject, key: string, least: number, most: number): number | undefined {
  const value = numberAt(object, key);
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

/** The whole number under `key` if it lies from `least` to `most`; otherwise it counts as not said. */
export function integerAt(object: JsonObject, key: string, least: number, most: number): number | undefined {
  const value = boundedAt(object, key, least, most);
  return Number.isInteger(value) ? value : undefined;
}

/** The 1 or 0 under `key` as true or false; anything else counts as not said. */
export function flagAt(object: JsonObject, key: string): boolean | undefined {
  const value = object[key];
  if (value === 1) return true;
  return value === 0 ? false : undefined;
}

/** The name or version under `key`, cut to a length that a log line and a table bear. */
export function labelAt(object: JsonObject, key: string): string | undefined {
  const text = textAt(object, key);
  if (text === undefined || text.length <= MAX_LABEL) return text;
  return Array.from(text.slice(0, 2 * MAX_LABEL))
    .slice(0, MAX_LABEL)
    .join('');
}

/** The text under `key`, or `undefined`. */
export function textAt(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' ? value : undefined;
}

/** The objects in the list under `key`; what is not an object is passed over. */
export function objectsAt(object: JsonObject, key: string): readonly JsonObject[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Some firmware sends a brace or a line end too many after the object: takes the object alone. */
function parsePrefix(text: string): unknown {
  const end = objectEnd(text);
  if (end === undefined || /[^\s}]/.test(text.slice(end))) return undefined;
  try {
    return JSON.parse(text.slice(0, end));
  } catch {
    return undefined;
  }
}

/** Whether objects and lists are nested in `value` more than `levels` deep. */
export function nestsDeeper(value: unknown, levels: number): boolean {
  if (Array.isArray(value)) return levels <= 0 || value.some((inner) => nestsDeeper(inner, levels - 1));
  if (!isObject(value)) return false;
  if (levels <= 0) return true;
  // Every answer of every plug comes by here: a list of its values would cost twice as much.
  for (const key in value) if (nestsDeeper(value[key], levels - 1)) return true;
  return false;
}

/** Whether the text opens more objects and lists than that: every answer is checked, hardly any is walked through. */
function hasMoreBrackets(text: string, count: number): boolean {
  let found = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++found > count) return true;
    }
  }
  return false;
}

/** Where the object that `text` begins with ends, its closing brace included; `undefined` if it does not. */
export function objectEnd(text: string): number | undefined {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inText) {
      if (char === '\\') i++;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return i + 1;
  }
  return undefined;
}

function shorten(text: string): string {
  const head = JSON.stringify(text.slice(0, 60));
  return text.length > 60 ? `${head} … (${text.length} characters)` : head;
}
