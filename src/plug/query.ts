import { CommandError, messageOf } from '../errors.ts';
import { encodeFrame } from '../protocol/frame.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import type { Request } from '../protocol/requests.ts';

/**
 * Reads a question that a user wrote as JSON. It is sent as it is understood here, not as it was written: the
 * firmware runs a key that is written twice both times, so nothing may hide behind another. `null` as an argument
 * becomes `{}`, which all firmware takes. Throws CommandError.
 */
export function readQuery(text: string): Request {
  const modules = Object.entries(readObject(text)).map(([module, methods]): [string, JsonObject] => {
    if (isObject(methods)) return [module, methods];
    throw notQuestion(`${module} must hold an object of methods`);
  });
  const query = modules
    .filter(([module]) => module !== 'context')
    .map(([module, methods]) => [module, readMethods(module, methods)] as const);
  if (query.length === 0) throw notQuestion('it asks nothing');
  // The outlets of a strip that are meant; it asks nothing itself.
  const context = modules.filter(([module]) => module === 'context');
  const sent = JSON.stringify(Object.fromEntries([...context, ...query]));
  return { query: Object.fromEntries(query), text: sent, frame: encodeFrame(sent) };
}

function readObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notQuestion(`it is not JSON (${messageOf(cause)})`, cause);
  }
  if (!isObject(value)) throw notQuestion('it is not an object');
  return value;
}

function readMethods(module: string, methods: JsonObject): { readonly [method: string]: JsonObject } {
  const read = Object.entries(methods).map(([method, argument]): [string, JsonObject] => {
    if (argument === null) return [method, {}];
    if (isObject(argument)) return [method, argument];
    throw notQuestion(`the argument of ${module}.${method} must be an object, at least {}`);
  });
  if (read.length === 0) throw notQuestion(`${module} holds no method`);
  return Object.fromEntries(read);
}

function notQuestion(why: string, cause?: unknown): CommandError {
  return new CommandError(
    'not-a-question',
    `a plug cannot be asked that: ${why}. A question is written {"system":{"get_sysinfo":{}}}`,
    { cause },
  );
}
