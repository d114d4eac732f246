import { isObject, type JsonObject } from './json.ts';
import { type Query, type Request, request } from './requests.ts';

/** What bulbs call the modules of plugs; `system` answers to that name too. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['emeter', 'smartlife.iot.common.emeter'],
  ['time', 'smartlife.iot.common.timesetting'],
  ['schedule', 'smartlife.iot.common.schedule'],
  ['cnCloud', 'smartlife.iot.common.cloud'],
]);

/** What a bulb calls a module of plugs. */
export function bulbModule(name: string): string {
  return NAMES.get(name) ?? name;
}

const translated = new WeakMap<Request, Request>();

/** The same question to a bulb. */
export function askBulb(plain: Request): Request {
  let made = translated.get(plain);
  if (made === undefined) {
    const modules = Object.entries(plain.query).map(([name, methods]): [string, Query[string]] => [
      bulbModule(name),
      methods,
    ]);
    made = request(Object.fromEntries(modules));
    translated.set(plain, made);
  }
  return made;
}

/** How a bulb refuses a module that it does not have; plugs say -1. */
const NO_SUCH_MODULE = -2001;

/** Whether it is a bulb that answered: it calls what it was asked for by other names. */
export function isOfBulb({ query }: Request, reply: JsonObject): boolean {
  return Object.keys(query).some((name) => {
    const answer = reply[name];
    return NAMES.has(name) && isObject(answer) && answer.err_code === NO_SUCH_MODULE;
  });
}

/** What a bulb answered, under the names that were asked for. */
export function asAsked({ query }: Request, reply: JsonObject): JsonObject {
  const answers = Object.keys(query).flatMap((name) => {
    const theirs = NAMES.get(name);
    return theirs === undefined || reply[theirs] === undefined ? [] : [[name, reply[theirs]]];
  });
  return answers.length === 0 ? reply : { ...reply, ...Object.fromEntries(answers) };
}
