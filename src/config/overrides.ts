import { isDeepStrictEqual } from 'node:util';
import { Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { isObject, type JsonObject } from '../protocol/json.ts';
import { ConfigFile } from './file.ts';
import { slugPath } from './slug-path.ts';

/*
 * Changes that were made while the bridge ran and could not be written into the file: kept beside it, and laid over it at
 * each start. Each is about one thing: a plug (by its path), a place, or an option.
 */

/** What one thing was in the file when it was changed, and what it is to be; `null` is not there. */
export interface Override {
  /** `plug shed3`, `place east-wing`, or the name of an option such as `poll.interval`. */
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

const PLUG = 'plug ';
const PLACE = 'place ';

/** The overrides that make one text of the other. */
export function differences(from: string, to: string): Override[] {
  const before = thingsIn(from);
  const after = thingsIn(to);
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].flatMap((key) => {
    const override = { key, before: before.get(key) ?? null, after: after.get(key) ?? null };
    return isDeepStrictEqual(override.before, override.after) ? [] : [override];
  });
}

/** Lays overrides over a text. Where it says something else than it did then it holds: `conflicts` are those keys. */
export function lay(
  text: string,
  overrides: readonly Override[],
): { readonly text: string; readonly conflicts: readonly string[] } {
  const things = thingsIn(text);
  const document = parseDocument(text);
  const plugs = plugsIn(document);
  const conflicts: string[] = [];
  let isChanged = false;
  for (const override of overrides) {
    const now = things.get(override.key) ?? null;
    if (isDeepStrictEqual(now, override.after)) continue;
    if (isDeepStrictEqual(now, override.before)) {
      put(document, plugs, override);
      isChanged = true;
    } else conflicts.push(override.key);
  }
  return { text: isChanged ? document.toString({ lineWidth: 0 }) : text, conflicts };
}

/** What is to be written into the file to have the same there, as YAML to paste. */
export function overridesAsYaml(overrides: readonly Override[]): string {
  const gone = overrides.filter(({ after }) => after === null).map(({ key }) => `# no longer: ${key}\n`);
  const document = new Document({});
  const left = overrides.filter(({ after }) => after !== null);
  for (const override of left) put(document, new Map(), { ...override, before: null });
  const isEmpty = isMap(document.contents) && document.contents.items.length === 0;
  return gone.join('') + (isEmpty ? '' : document.toString({ lineWidth: 0 }));
}

/** The entries of plugs, by their paths. */
type Entries = ReadonlyMap<string, YAMLMap>;

function plugsIn(document: Document): Entries {
  const plugs: unknown = document.getIn(['plugs'], true);
  const entries = isSeq(plugs) ? plugs.items.filter((item) => isMap(item)) : [];
  return new Map(entries.map((entry) => [slugPath(String(entry.get('path'))), entry]));
}

function put(document: Document, plugs: Entries, { key, before, after }: Override): void {
  if (key.startsWith(PLUG)) putPlug(document, plugs.get(key.slice(PLUG.length)), before, after);
  else if (after === null) document.deleteIn(pathOf(key));
  else document.setIn(pathOf(key), document.createNode(after));
}

function putPlug(document: Document, entry: YAMLMap | undefined, before: unknown, after: unknown): void {
  const plugs: unknown = document.getIn(['plugs'], true);
  if (!isSeq(plugs)) {
    if (after !== null) document.setIn(['plugs'], document.createNode([after]));
    return;
  }
  if (after === null) plugs.items = plugs.items.filter((item) => item !== entry);
  else if (entry === undefined || !isObject(after)) plugs.add(document.createNode(after));
  else
    for (const [key, value] of changes(before, after)) {
      if (value === undefined) entry.delete(key);
      else entry.set(key, document.createNode(value));
    }
}

/** Key by key, so that what stays the same stays as it is written; `undefined` for what goes. */
function changes(before: unknown, after: JsonObject): [key: string, value: unknown][] {
  const old = isObject(before) ? before : {};
  const keys = new Set([...Object.keys(old), ...Object.keys(after)]);
  return [...keys].flatMap((key): [string, unknown][] =>
    isDeepStrictEqual(old[key], after[key]) ? [] : [[key, after[key]]],
  );
}

/** Everything that a file says, thing by thing. */
function thingsIn(text: string): ReadonlyMap<string, unknown> {
  const { plugs, places, ...options } = new ConfigFile('', text).values;
  const things = new Map(optionsIn(options, ''));
  for (const plug of Array.isArray(plugs) ? plugs : [])
    if (isObject(plug)) things.set(`${PLUG}${slugPath(String(plug.path))}`, plug);
  if (isObject(places))
    for (const [path, place] of Object.entries(places)) things.set(`${PLACE}${path}`, place);
  return things;
}

function* optionsIn(group: JsonObject, prefix: string): Iterable<[string, unknown]> {
  for (const [key, value] of Object.entries(group)) {
    if (isObject(value)) yield* optionsIn(value, `${prefix}${key}.`);
    else if (value !== null) yield [prefix + key, value];
  }
}

/** Where a place or an option stands. */
function pathOf(key: string): readonly string[] {
  return key.startsWith(PLACE) ? ['places', key.slice(PLACE.length)] : key.split('.');
}
