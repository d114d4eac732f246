import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isSeq, parseDocument } from 'yaml';
import { CommandError } from '../errors.ts';
import { isObject } from '../protocol/json.ts';
import { type Splice, spliceIn, spliceOut } from './splice.ts';
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
  return changed(text, {
    splice: (document, source) => spliceIn(document, source, path, value),
    values: (values) => withValue(values, path, value),
    document: (document) => document.setIn(path, document.createNode(value)),
  });
}

/** The text without what is at `path`, nor the groups that are empty without it. */
export function removeIn(text: string, path: readonly Step[]): string {
  const document = parseDocument(text);
  if (!document.hasIn(path)) return text;
  const group = path.slice(0, -1);
  const parent: unknown = document.getIn(group, true);
  // An empty list of plugs is none; an empty place would be a mistake.
  if (group.length > 0 && isMap(parent) && parent.items.length === 1) return removeIn(text, group);
  return changed(text, {
    splice: (parsed, source) => spliceOut(parsed, source, path),
    values: (values) => withoutValue(values, path),
    document: (parsed) => void parsed.deleteIn(path),
  });
}

/** The text with one more `value` at the end of the list at `path`, which is made if it is not there. */
export function appendIn(text: string, path: readonly Step[], value: unknown): string {
  const list: unknown = parseDocument(text).getIn(path, true);
  if (!isSeq(list)) return setIn(text, path, [value]);
  return setIn(text, [...path, list.items.length], value);
}

function changed(text: string, change: Change): string {
  const document = parseDocument(text);
  const wanted = written(change.values(document.toJS()));
  const isRight = (result: string) => {
    const parsed = parseDocument(result);
    return parsed.errors.length === 0 && isDeepStrictEqual(written(parsed.toJS()), wanted);
  };
  const splice = change.splice(document, text);
  if (splice !== undefined) {
    const inserted = text.includes('\r\n') ? splice.text.replaceAll('\n', '\r\n') : splice.text;
    const result = text.slice(0, splice.from) + inserted + text.slice(splice.to);
    if (isRight(result)) return result;
  }
  const result = rewritten(document, change);
  if (result !== undefined && isRight(result)) return result;
  throw new CommandError(
    'cannot-edit',
    'the configuration file is written in a way that cannot be changed from here, most likely with anchors and aliases: change it by hand',
  );
}

function rewritten(document: Document, change: Change): string | undefined {
  try {
    change.document(document);
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
