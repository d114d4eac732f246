import { messageOf } from '../errors.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import type { ConfigFile } from './file.ts';
import { nearest } from './nearest.ts';
import { flagOf, isLeaf, type Leaf, optionNames, type Schema, variableOf } from './option.ts';
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

/** What was written for an option, and where. */
export interface Written {
  readonly value: unknown;
  readonly source: 'file' | 'environment' | 'flag';
  /** `file:line:column`, the variable, or the flag. */
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

/** The variable that names the configuration file itself. */
export const CONFIG_VARIABLE = 'HS110_MQTT_CONFIG';

/** What file, environment and flags say, by option; what is added later wins. */
export class WrittenOptions {
  readonly problems: string[] = [];
  /** What works and should be written otherwise, each with its place. */
  readonly warnings: string[] = [];
  readonly #file: ConfigFile;
  readonly #byName = new Map<string, Written>();

  constructor(file: ConfigFile) {
    this.#file = file;
  }

  get(name: string): Written | undefined {
    return this.#byName.get(name);
  }

  /** Where the value in force of an option was written, or would be in the file. */
  place(name: string): string {
    const written = this.#byName.get(name);
    if (written === undefined) return this.#file.locate(name.split('.'));
    return written.source === 'environment' ? `environment: ${written.at}` : written.at;
  }

  /** Adds what all sources say of the options of the program; plugs and places have their own. */
  addSources({ env, flags, readFile }: Sources): void {
    const { plugs: _plugs, places: _places, ...values } = this.#file.values;
    this.addFile(values, { ...SCHEMA, plugs: LIST, places: LIST }, []);
    this.#addEnvironment(env, readFile);
    this.#addFlags(flags);
  }

  /** Adds the `values` that stand at `path` in the file; what is no option of `schema` is a problem. */
  addFile(values: JsonObject, schema: Schema, path: readonly Step[]): void {
    for (const [key, value] of Object.entries(values)) {
      const at = this.#file.locate([...path, key]);
      const current = currentKey(key, schema);
      const node = current === undefined ? undefined : schema[current];
      const name = dotted([...path, current ?? key]);
      if (node === undefined) this.#unknown(at, [...path, key], schema);
      else if (value === null) continue;
      else if (isLeaf(node)) this.#add(name, node, { value, source: 'file', at }, dotted([...path, key]));
      else if (isObject(value)) this.addFile(value, node, [...path, key]);
      else this.problems.push(`${at}: ${name} must hold options such as "${Object.keys(node)[0]}:"`);
    }
  }

  /** A variable that is empty is not set: Docker Compose passes unset variables on as empty ones. */
  #addEnvironment(
    env: { readonly [name: string]: string | undefined },
    readFile: (path: string) => string,
  ): void {
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
      const written = { value: read, source: 'environment', at: variable } as const;
      this.#add(option.name, option.leaf, written, option.written);
    }
  }

  /** Adds the texts given to flags, by the dotted names of their options. */
  #addFlags(flags: ReadonlyMap<string, string>): void {
    for (const { name, written, leaf } of optionNames(SCHEMA)) {
      const value = flags.get(written);
      if (value === undefined) continue;
      this.#add(name, leaf, { value, source: 'flag', at: `--${flagOf(written)}` }, written);
    }
  }

  #readSecret(variable: string, path: string, readFile: (path: string) => string): string | undefined {
    try {
      return readFile(path).replace(/\r?\n$/, '');
    } catch (error) {
      this.problems.push(`environment: ${variable} names a file that cannot be read: ${messageOf(error)}`);
      return undefined;
    }
  }

  #add(name: string, { obsolete }: Leaf<unknown>, written: Written, writtenName: string): void {
    const twin = this.#byName.get(name);
    const before = twin === undefined ? '' : this.place(name);
    this.#byName.set(name, written);
    const place = this.place(name);
    if (twin?.source === written.source)
      this.problems.push(`${place}: this option was given before (${before}): give it once`);
    if (writtenName !== name) this.warnings.push(`${place}: ${writtenName} is now called ${name}`);
    if (obsolete !== undefined) this.warnings.push(`${place}: ${name} ${obsolete}`);
  }

  #unknown(place: string, path: readonly Step[], schema: Schema): void {
    const near = nearest(String(path.at(-1)), Object.keys(schema));
    const group = path.length > 1 ? ` in ${dotted(path.slice(0, -1))}` : '';
    const hint = near === undefined ? `there are ${Object.keys(schema).join(', ')}` : `did you mean ${near}?`;
    this.problems.push(`${place}: there is no option ${path.at(-1)}${group}; ${hint}`);
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
