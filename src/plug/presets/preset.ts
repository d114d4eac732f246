import { CommandError } from '../../errors.ts';
import { isObject, type JsonObject } from '../../protocol/json.ts';
import { answerTo } from '../../protocol/replies.ts';
import type { Query, Settings } from '../../protocol/requests.ts';

/** What a preset may need to know besides its arguments. */
export interface Circumstances {
  /** ms since 1970, UTC. */
  readonly date: number;
  /** The zone of this machine, as `Europe/Berlin`. */
  readonly timeZone: string;
  /** The reply to the preset's own first question, `{}` if it has none. */
  readonly before: JsonObject;
}

/** One question to a plug, and how its reply reads. */
export interface Plan {
  readonly query: Query;
  /** What it sets, where that can be confirmed by what the plug reports afterwards. */
  readonly settings?: Settings;
  /** The reply in the names and units of the bridge. Throws PlugError if the plug refused or did otherwise. */
  readonly read: (reply: JsonObject) => JsonObject;
}

/** A query or command that has a name, so that the protocol need not be known. Whether it is dangerous follows from its query. */
export interface Preset {
  readonly name: string;
  /** What it does, for a list. */
  readonly does: string;
  /** Names of its arguments; in brackets those that may be left out. */
  readonly parameters: readonly string[];
  /** Whether it changes nothing on the plug. */
  readonly readOnly: boolean;
  /** Whether it has the relay switch by itself later: a device with several would take it for another, or for all. */
  readonly switchesLater?: true;
  /** What is sent to the topic `set` for it, where each command has its receipt. */
  readonly asCommand?: string;
  /** What the plug has to be asked first. */
  readonly before?: (given: readonly string[]) => Query | undefined;
  /** How long the plug may think, where that is longer than usual, in ms. */
  readonly timeoutMs?: number;
  /** Throws CommandError if the arguments are not right. */
  readonly plan: (given: readonly string[], circumstances: Circumstances) => Plan;
}

/** Throws CommandError unless as many arguments are given as the preset takes. */
export function checkCount(
  { name, parameters }: Pick<Preset, 'name' | 'parameters'>,
  given: readonly string[],
): void {
  const needed = parameters.filter((parameter) => !/[[\]]/.test(parameter)).length;
  if (given.length >= needed && given.length <= parameters.length) return;
  const form = [name, ...parameters].join(' ');
  const hint = given.length > parameters.length ? ' (put what holds blanks into quotes)' : '';
  throw wrong(`it is written \`${form}\`${hint}`);
}

/** A whole number given as an argument. Throws CommandError beyond its bounds. */
export function wholeNumberIn(text: string | undefined, what: string, least: number, most: number): number {
  const value = Number(text);
  if (text !== undefined && /^\d+$/.test(text) && value >= least && value <= most) return value;
  throw wrong(`${what} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text ?? '')}`);
}

/** `on` or `off` given as an argument. Throws CommandError otherwise. */
export function onOrOff(text: string | undefined): boolean {
  const word = text?.toLowerCase();
  if (word === 'on' || word === 'off') return word === 'on';
  throw wrong(`it must be on or off, not ${JSON.stringify(text ?? '')}`);
}

/** An argument that cannot be understood. */
export function wrong(message: string): CommandError {
  return new CommandError('bad-argument', message);
}

/** A preset that shows what the plug answers. */
export function reading(
  name: string,
  does: string,
  query: Query,
  read: (reply: JsonObject) => JsonObject,
): Preset {
  return { name, does, parameters: [], readOnly: true, plan: () => ({ query, read }) };
}

/** A preset that has nothing to show but that it was done. */
export function doing(name: string, does: string, done: string, query: Query): Preset {
  const read = (reply: JsonObject) => {
    checkAll(reply, query);
    return { done };
  };
  return { name, does, parameters: [], readOnly: false, plan: () => ({ query, read }) };
}

/** Throws PlugError unless the reply answers all that was asked, and nothing with an error. */
export function checkAll(reply: JsonObject, query: JsonObject): void {
  for (const [module, methods] of Object.entries(query)) {
    for (const method of Object.keys(isObject(methods) ? methods : {})) {
      if (module !== 'context') answerTo(reply, module, method);
    }
  }
}

/** A date as it is sorted: `2026-01-31`, or without the day. */
export function dateText(...parts: readonly (number | undefined)[]): string {
  return parts.map((part) => String(part ?? 0).padStart(2, '0')).join('-');
}
