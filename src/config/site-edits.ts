import { CommandError } from '../errors.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import { appendIn, removeIn, renameIn, setEach, setIn, valueAt } from './edit.ts';
import { ConfigFile } from './file.ts';
import type { Edit } from './live-config.ts';
import { optionNames } from './option.ts';
import { type Config, SCHEMA } from './schema.ts';
import { slugPath } from './slug-path.ts';
import type { Step } from './written.ts';

/*
 * What may be done to a configuration while the bridge runs, as changes of its text. Each throws CommandError if there is
 * nothing that it could be done to; what would be wrong afterwards is found when the text is read again.
 */

/** Adds a plug with those options, as they would be written. */
export function addPlug(entry: JsonObject): Edit {
  return (text) => appendIn(text, ['plugs'], entry);
}

/** Takes a plug out, and what is configured for places that are no more without it. */
export function removePlug(path: string): Edit {
  return (text, config) =>
    withoutEmptyPlaces(removeIn(text, ['plugs', indexOf(config, path)]), config, (plug) => plug !== path);
}

/** Gives a plug another path. */
export function movePlug(path: string, to: string): Edit {
  return (text, config) => {
    const moved = setIn(text, ['plugs', indexOf(config, path), 'path'], to);
    return withoutEmptyPlaces(moved, config, (plug) => plug !== path, [slugPath(to)]);
  };
}

/** Gives a place another path, with everything in it. */
export function movePlace(from: string, to: string): Edit {
  return (text, config) => {
    const target = slugPath(to);
    const there = (path: string) =>
      target === '' ? path.slice(from.length + 1) : target + path.slice(from.length);
    const moves = config.plugs.flatMap(({ path }, index): [Step[], string][] =>
      path.startsWith(`${from}/`) ? [[['plugs', index, 'path'], there(path)]] : [],
    );
    if (moves.length === 0) throw new CommandError('not-found', `there is no place ${from}`);
    const keys = placeKeys(text).filter((key) => isWithin(slugPath(key), from));
    const moved = keys.reduce(
      (sum, key) => renameIn(sum, ['places', key], there(slugPath(key))),
      setEach(text, moves),
    );
    return withoutEmptyPlaces(
      moved,
      config,
      (plug) => !plug.startsWith(`${from}/`),
      moves.map(([, path]) => path),
    );
  };
}

/** Gives a plug another address, another MAC, or both; a name in the Kasa app no longer finds it. */
export function replacePlug(path: string, { mac, host }: { mac: string; host: string | undefined }): Edit {
  return (text, config) => {
    const at = ['plugs', indexOf(config, path)];
    const withMac = setIn(removeIn(text, [...at, 'alias']), [...at, 'mac'], mac);
    return host === undefined ? removeIn(withMac, [...at, 'host']) : setIn(withMac, [...at, 'host'], host);
  };
}

/** Sets options of a plug; `null` takes one back to its default. */
export function setPlug(path: string, options: JsonObject): Edit {
  return (text, config) => setOptionsAt(text, ['plugs', indexOf(config, path)], options);
}

/** Sets options of a place, `''` for the whole site; `null` takes one back to its default. */
export function setPlace(path: string, options: JsonObject): Edit {
  return (text) => {
    const key = placeKeys(text).find((one) => placeOf(one) === path) ?? (path === '' ? '/' : path);
    return setOptionsAt(text, ['places', key], options);
  };
}

/** Sets options of the program; `null` takes one back to its default. */
export function setOptions(options: JsonObject): Edit {
  return (text) => setOptionsAt(text, [], options);
}

/** The options in an object of groups, by their dotted names. */
export function* flatOptions(
  options: JsonObject,
  prefix = '',
): Iterable<readonly [name: string, value: unknown]> {
  for (const [key, value] of Object.entries(options)) {
    if (isObject(value)) yield* flatOptions(value, `${prefix}${key}.`);
    else yield [prefix + key, value];
  }
}

function setOptionsAt(text: string, at: readonly Step[], options: JsonObject): string {
  let result = text;
  for (const [name, value] of flatOptions(options)) {
    const path = at.length > 0 ? [...at, ...name.split('.')] : pathWritten(result, name);
    result = value === null ? removeIn(result, path) : setIn(result, path, value);
  }
  return result;
}

/** An option may stand under the name that it had in an earlier version. */
function pathWritten(text: string, name: string): readonly string[] {
  const { values } = new ConfigFile('', text);
  const names = [...optionNames(SCHEMA)].filter((option) => option.name === name);
  const written = names.find((option) => valueAt(values, option.written.split('.')) !== undefined);
  return (written?.written ?? name).split('.');
}

function indexOf({ plugs }: Config, path: string): number {
  const index = plugs.findIndex((plug) => plug.path === path);
  if (index < 0) throw new CommandError('not-found', `there is no plug ${path} in the configuration`);
  return index;
}

function placeKeys(text: string): string[] {
  const { places } = new ConfigFile('', text).values;
  return isObject(places) ? Object.keys(places) : [];
}

function placeOf(key: string): string {
  return key === '/' ? '' : slugPath(key);
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

/** Options of a place that lost its last plug would be a mistake; `stays` says which plugs do, `others` are new paths. */
function withoutEmptyPlaces(
  text: string,
  { plugs }: Config,
  stays: (path: string) => boolean,
  others: readonly string[] = [],
): string {
  const before = plugs.map(({ path }) => path);
  const after = [...before.filter(stays), ...others];
  const has = (paths: readonly string[], key: string) =>
    paths.some((path) => path.startsWith(`${placeOf(key)}/`));
  const empty = placeKeys(text).filter((key) => has(before, key) && !has(after, key));
  return empty.reduce((sum, key) => removeIn(sum, ['places', key]), text);
}
