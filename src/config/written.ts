import { messageOf } from '../errors.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import type { ConfigFile } from './file.ts';
import { mergeOptions, type Options } from './merge.ts';
import { nearest } from './nearest.ts';
import {
  CONFIG_VARIABLE,
  flagOf,
  isLeaf,
  type Leaf,
  optionNames,
  type Schema,
  variableOf,
} from './option.ts';
import { SCHEMA } from './schema.ts';

/** Where options come from; later ones win: file, environment, flags. */
export interface Sources {
  readonly file: { readonly name: string; readonly text: string } | undefined;
  readonly env: { readonly [name: string]: string | undefined };
  /** Dotted option names with the text given to their flags. */
  readonly flags: ReadonlyMap<string, string>;
  /** Reads a file that a `…_FILE` variable or an option such as `mqtt.ca` names. */
  readonly readFile: (path: string) => string;
}

/** Where the value in force of an option was written. */
export interface Origin {
  readonly source: 'file' | 'credential' | 'environment' | 'flag';
  /** `file:line:column`, the name of the credential, the variable, or the flag. */
  readonly at: string;
}

/** Stands for `plugs` and `places` where the names of all options are needed. */
const LIST: Leaf<unknown> = {
  doc: 'Plugs or places.',
  type: { expects: 'a list', schema: {}, read: (raw) => raw },
  initial: undefined,
};

/** A step into a file: a key, or a position in a list. */
export type Step = string | number;

/** Reads what file, environment and flags say, by option, and keeps where each was written. */
export class WrittenOptions {
  readonly problems: string[] = [];
  /** What works and should be written otherwise, each with its place. */
  readonly warnings: string[] = [];
  readonly #file: ConfigFile;
  /** Of what was written last: file, environment and flags are read in this order. */
  readonly #origins = new Map<string, Origin>();

  constructor(file: ConfigFile) {
    this.#file = file;
  }

  /** Where an option was written; `undefined` if it has its default. */
  origin(name: string): Origin | undefined {
    return this.#origins.get(name);
  }

  /** Where the value in force of an option was written, or would be in the file. */
  place(name: string): string {
    const origin = this.#origins.get(name);
    if (origin === undefined) return this.#file.locate(name.split('.'));
    return origin.source === 'environment' || origin.source === 'credential'
      ? `${origin.source}: ${origin.at}`
      : origin.at;
  }

  /** The options of the program from all sources; plugs and places have their own. */
  mergeSources(sources: Sources): Options {
    const { plugs: _plugs, places: _places, ...rest } = this.#file.values;
    const values = this.#readFile(rest, { ...SCHEMA, plugs: LIST, places: LIST }, []);
    const options = mergeOptions(SCHEMA, values, this.#readEnvironment(sources));
    // Not as convict's `args`: it reads those as numbers where it can, and a name may be 1e3.
    for (const [name, value] of this.#readFlags(sources.flags)) options.set(name, value);
    return options;
  }

  /** The options of the plug or place whose `values` stand at `path` in the file. */
  mergeFile(values: JsonObject, schema: Schema, path: readonly Step[]): Options {
    return mergeOptions(schema, this.#readFile(values, schema, path), {});
  }

  /** The `values` at `path` in the file, by the present keys of their options; what is no option is a problem. */
  #readFile(values: JsonObject, schema: Schema, path: readonly Step[]): JsonObject {
    const read: { [key: string]: unknown } = {};
    for (const [writtenKey, value] of Object.entries(values)) {
      const key = currentKey(writtenKey, schema);
      const node = key === undefined ? undefined : schema[key];
      if (key === undefined || node === undefined) this.#unknown([...path, writtenKey], schema);
      else if (value !== null) {
        const known = this.#readNode(value, node, dotted([...path, key]), [...path, writtenKey]);
        if (known !== undefined) read[key] = known;
      }
    }
    return read;
  }

  /** What the file has at `path` for an option or a group; no option is a map, and a group is nothing else. */
  #readNode(value: unknown, node: Leaf<unknown> | Schema, name: string, path: readonly Step[]): unknown {
    const at = this.#file.locate(path);
    if (isLeaf(node)) {
      this.#add(name, node, { source: 'file', at }, dotted(path));
      if (!isObject(value)) return value;
      this.problems.push(`${at}: ${name} must be ${node.type.expects}; it holds options`);
      return undefined;
    }
    if (isObject(value)) return this.#readFile(value, node, path);
    this.problems.push(`${at}: ${name} must hold options such as "${Object.keys(node)[0]}:"`);
    return undefined;
  }

  /**
   * The values of the variables by the present names of these. A variable that is empty is not set: Docker Compose
   * passes unset variables on as empty ones.
   */
  #readEnvironment({ env, readFile }: Sources): { readonly [variable: string]: string } {
    const values: { [variable: string]: string } = this.#readCredentials(env.CREDENTIALS_DIRECTORY, readFile);
    const known = new Map([...optionNames(SCHEMA)].map((option) => [variableOf(option.written), option]));
    for (const [variable, value] of Object.entries(env)) {
      if (!variable.startsWith('HS110_MQTT_') || variable === CONFIG_VARIABLE || !value) continue;
      const option = known.get(variable) ?? known.get(variable.replace(/_FILE$/, ''));
      if (option === undefined || (!known.has(variable) && !option.leaf.secret)) {
        const near = nearest(variable, known.keys());
        const hint = near === undefined ? '' : `; did you mean ${near}?`;
        this.problems.push(`environment: ${variable} is no option${hint}`);
        continue;
      }
      const read = known.has(variable) ? value : this.#readSecret(variable, value, readFile);
      if (read === undefined) continue;
      this.#add(option.name, option.leaf, { source: 'environment', at: variable }, option.written);
      values[variableOf(option.name)] = read;
    }
    return values;
  }

  /** Secrets that systemd hands over (LoadCredential=), each in a file that is called as the option: `mqtt.password`. */
  #readCredentials(
    folder: string | undefined,
    readFile: (path: string) => string,
  ): { [variable: string]: string } {
    const values: { [variable: string]: string } = {};
    if (!folder) return values;
    for (const { name, written, leaf } of optionNames(SCHEMA)) {
      const value = leaf.secret ? contentOf(`${folder}/${written}`, readFile) : undefined;
      if (value === undefined) continue;
      this.#add(name, leaf, { source: 'credential', at: written }, written);
      values[variableOf(name)] = value;
    }
    return values;
  }

  /** The texts given to flags, by the present names of their options. */
  #readFlags(flags: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const values = new Map<string, string>();
    for (const { name, written, leaf } of optionNames(SCHEMA)) {
      const value = flags.get(written);
      if (value === undefined) continue;
      this.#add(name, leaf, { source: 'flag', at: `--${flagOf(written)}` }, written);
      values.set(name, value);
    }
    return values;
  }

  #readSecret(variable: string, path: string, readFile: (path: string) => string): string | undefined {
    try {
      return readFile(path).replace(/\r?\n$/, '');
    } catch (error) {
      this.problems.push(`environment: ${variable} names a file that cannot be read: ${messageOf(error)}`);
      return undefined;
    }
  }

  #add(name: string, { obsolete }: Leaf<unknown>, origin: Origin, writtenName: string): void {
    const twin = this.#origins.get(name);
    const before = twin === undefined ? '' : this.place(name);
    this.#origins.set(name, origin);
    const place = this.place(name);
    if (twin?.source === origin.source)
      this.problems.push(`${place}: this option was given before (${before}): give it once`);
    if (writtenName !== name) this.warnings.push(`${place}: ${writtenName} is now called ${name}`);
    if (obsolete !== undefined) this.warnings.push(`${place}: ${name} ${obsolete}`);
  }

  #unknown(path: readonly Step[], schema: Schema): void {
    const near = nearest(String(path.at(-1)), Object.keys(schema));
    const group = path.length > 1 ? ` in ${dotted(path.slice(0, -1))}` : '';
    const hint = near === undefined ? `there are ${Object.keys(schema).join(', ')}` : `did you mean ${near}?`;
    this.problems.push(`${this.#file.locate(path)}: there is no option ${path.at(-1)}${group}; ${hint}`);
  }
}

/** What a file holds, without the end of its last line; `undefined` if it cannot be read. */
function contentOf(path: string, readFile: (path: string) => string): string | undefined {
  try {
    return readFile(path).replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}

/** The key of the option that `key` means in this group: its own, or one that was called so formerly. */
function currentKey(key: string, schema: Schema): string | undefined {
  if (Object.hasOwn(schema, key)) return key;
  return Object.entries(schema).find(([, node]) => isLeaf(node) && node.formerly === key)?.[0];
}

/** The name of what stands at `path`: `plugs[0].path`. */
export function dotted(path: readonly Step[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}
