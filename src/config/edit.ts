import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isSeq, parseDocument } from 'yaml';
import { CommandError } from '../errors.ts';
import { isObject } from '../protocol/json.ts';
import { type Splice, spliceIn, spliceName, spliceOut } from './splice.ts';
import type { Step } from './written.ts';

/*
 * Changes to the text of a configuration file. Only the lines that a change is about are touched; comments, order,
 * indentation, quotes and blank lines of all else stay as a person wrote them, byte for byte. Where that is not possible
 * (the list is written in a way that is not foreseen here), the whole document is written anew with its comments.
 */

/** What a change makes of the document, in each of its forms. */
interface Change {
  readonly splice: (document: Document, text: string) => Splice | undefined;
  readonly values: (values: unknown) => unknown;
  readonly document: (document: Document) => void;
}

/** The text with `value` at `path`, in the place of what is there; groups on the way to it are made. */
export function setIn(text: string, path: readonly Step[], value: unknown): string {
  return changed(text, [setting(path, value)]);
}

/** The text with each of the values at its path, where something is at all of them already. */
export function setEach(
  text: string,
  settings: readonly (readonly [path: readonly Step[], value: unknown])[],
): string {
  return changed(
    text,
    settings.map(([path, value]) => setting(path, value)),
  );
}

function setting(path: readonly Step[], value: unknown): Change {
  return {
    splice: (document, source) => spliceIn(document, source, path, value),
    values: (values) => withValue(values, path, value),
    document: (document) => document.setIn(path, document.createNode(value)),
  };
}

/** The text without what is at `path`, nor the groups that are empty without it. */
export function removeIn(text: string, path: readonly Step[]): string {
  const document = parseDocument(text);
  if (!document.hasIn(path)) return text;
  const group = path.slice(0, -1);
  const parent: unknown = document.getIn(group, true);
  // An empty list of plugs is none; an empty place would be a mistake.
  if (group.length > 0 && isMap(parent) && parent.items.length === 1) return removeIn(text, group);
  const change: Change = {
    splice: (parsed, source) => spliceOut(parsed, source, path),
    values: (values) => withoutValue(values, path),
    document: (parsed) => void parsed.deleteIn(path),
  };
  return changed(text, [change]);
}

/** The text with one more `value` at the end of the list at `path`, which is made if it is not there. */
export function appendIn(text: string, path: readonly Step[], value: unknown): string {
  const list: unknown = parseDocument(text).getIn(path, true);
  if (!isSeq(list)) return setIn(text, path, [value]);
  return setIn(text, [...path, list.items.length], value);
}

/** The text in which the group or option at `path` has another name. */
export function renameIn(text: string, path: readonly Step[], name: string): string {
  const group = path.slice(0, -1);
  const old = path.at(-1) ?? '';
  const change: Change = {
    splice: (document) => spliceName(document, path, name),
    values: (values) => {
      const value = valueAt(values, path);
      return withValue(withoutValue(values, path), [...group, name], value);
    },
    document: (document) => {
      const value = document.getIn([...group, old], true);
      document.deleteIn(path);
      document.setIn([...group, name], value);
    },
  };
  return changed(text, [change]);
}

/** The value at `path`; `undefined` if there is none. */
export function valueAt(values: unknown, path: readonly Step[]): unknown {
  return path.reduce<unknown>((inner, step) => {
    if (Array.isArray(inner)) return inner[Number(step)];
    return isObject(inner) && Object.hasOwn(inner, step) ? inner[String(step)] : undefined;
  }, values);
}

function changed(text: string, changes: readonly Change[]): string {
  const document = parseDocument(text);
  const before: unknown = document.toJS();
  const wanted = written(changes.reduce((values, change) => change.values(values), before));
  const isRight = (result: string) => {
    const parsed = parseDocument(result);
    return parsed.errors.length === 0 && isDeepStrictEqual(written(parsed.toJS()), wanted);
  };
  const splices = changes.map((change) => change.splice(document, text));
  const result = spliced(text, splices);
  if (result !== undefined && isRight(result)) return result;
  const anew = rewritten(document, changes);
  if (anew !== undefined && isRight(anew)) return anew;
  throw new CommandError(
    'cannot-edit',
    'the configuration file is written in a way that cannot be changed from here, most likely with anchors and aliases: change it by hand',
  );
}

function spliced(text: string, splices: readonly (Splice | undefined)[]): string | undefined {
  const known = splices.filter((splice) => splice !== undefined);
  if (known.length < splices.length) return undefined;
  const isWindows = text.includes('\r\n');
  let result = '';
  let at = 0;
  for (const { from, to, text: inserted } of known.sort((one, other) => one.from - other.from)) {
    if (from < at) return undefined;
    result += text.slice(at, from) + (isWindows ? inserted.replaceAll('\n', '\r\n') : inserted);
    at = to;
  }
  return result + text.slice(at);
}

function rewritten(document: Document, changes: readonly Change[]): string | undefined {
  try {
    for (const change of changes) change.document(document);
    return document.toString({ lineWidth: 0 });
  } catch {
    // A group in the place of which there is an alias, for one.
    return undefined;
  }
}

function withValue(values: unknown, [step, ...rest]: readonly Step[], value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list: unknown[] = Array.isArray(values) ? [...values] : [];
    list[step] = withValue(list[step], rest, value);
    return list;
  }
  const group = isObject(values) ? values : {};
  return { ...group, [step]: withValue(group[step], rest, value) };
}

function withoutValue(values: unknown, [step, ...rest]: readonly Step[]): unknown {
  if (Array.isArray(values)) {
    const list: unknown[] = values;
    if (rest.length > 0) return list.map((item, index) => (index === step ? withoutValue(item, rest) : item));
    return list.filter((_, index) => index !== step);
  }
  if (!isObject(values) || step === undefined) return values;
  if (rest.length > 0) return { ...values, [step]: withoutValue(values[step], rest) };
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== String(step)));
}

/** What is written of a value: a group or list without anything in it is nothing. */
function written(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(written);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    const some = written(inner);
    return some === undefined ? [] : [[key, some] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
