import { type Type, text } from './types.ts';

/** One option: its documentation, its type and its default. */
export interface Leaf<T> {
  readonly doc: string;
  readonly type: Type<T>;
  /** Written as a user would write it; `undefined` leaves the value open. */
  readonly initial: unknown;
  /** There is no doing without it. */
  readonly required?: true;
  /** Never shown, logged or taken from the command line; `…_FILE` names a file that holds it. */
  readonly secret?: true;
  /** The key it had in its group in an earlier version; it still works, with a warning. */
  readonly formerly?: string;
  /** Completes "NAME …" in the warning for an option that should not be used any more. */
  readonly obsolete?: string;
}

export type Schema = { readonly [key: string]: Leaf<unknown> | Schema };

/** The values of a schema, once read. */
export type Values<S> = { readonly [K in keyof S]: S[K] extends Leaf<infer T> ? T : Values<S[K]> };

/** An option with a default, written as a user would write it. */
export function leaf<T>(doc: string, type: Type<T>, initial: unknown): Leaf<T> {
  return { doc, type, initial };
}

/** An option that is not there unless someone sets it. */
export function open<T>(doc: string, type: Type<T>): Leaf<T | undefined> {
  return { doc, type, initial: undefined };
}

/** An option that must be given. */
export function needed<T>(doc: string, type: Type<T>): Leaf<T> {
  return { doc, type, initial: undefined, required: true };
}

/** An option that is never shown. */
export function secret(doc: string): Leaf<string | undefined> {
  return { ...open(doc, text), secret: true };
}

/** Whether a node of the schema is an option, not a group of them. */
export function isLeaf(node: Leaf<unknown> | Schema): node is Leaf<unknown> {
  return typeof node.doc === 'string';
}

/** Every option of a schema with its dotted name, in order. */
export function* leaves(schema: Schema, prefix = ''): Iterable<readonly [string, Leaf<unknown>]> {
  for (const [key, node] of Object.entries(schema)) {
    if (isLeaf(node)) yield [prefix + key, node];
    else yield* leaves(node, `${prefix}${key}.`);
  }
}

/** A name under which an option may be written: its own, or its former one. */
export interface OptionName {
  /** As it is called now. */
  readonly name: string;
  /** As it may be written. */
  readonly written: string;
  readonly leaf: Leaf<unknown>;
}

/** Every name under which an option of a schema may be written. */
export function* optionNames(schema: Schema): Iterable<OptionName> {
  for (const [name, leaf] of leaves(schema)) {
    yield { name, written: name, leaf };
    if (leaf.formerly !== undefined) yield { name, written: formerName(name, leaf.formerly), leaf };
  }
}

/** The dotted name that an option had when its key was `formerly`. */
export function formerName(name: string, formerly: string): string {
  return [...name.split('.').slice(0, -1), formerly].join('.');
}

/** The variable that names the configuration file itself. */
export const CONFIG_VARIABLE = 'HS110_MQTT_CONFIG';

/** The environment variable of an option: `poll.interval` is `HS110_MQTT_POLL_INTERVAL`. */
export function variableOf(name: string): string {
  return `HS110_MQTT_${name.replaceAll('.', '_').toUpperCase()}`;
}

/** The flag of an option: `mqtt.baseTopic` is `mqtt-base-topic`. */
export function flagOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('.', '-');
}
