import convict from 'convict';
import { ConfigError, messageOf } from '../errors.ts';
import { slug } from '../mqtt/topics.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import { brokerProblems, placeProblems, plugProblems, tlsProblems } from './check.ts';
import { ConfigFile } from './file.ts';
import { nearest } from './nearest.ts';
import {
  type Config,
  flagOf,
  isLeaf,
  type Leaf,
  leaves,
  PLACE_SCHEMA,
  PLUG_SCHEMA,
  type PlaceConfig,
  type PlugConfig,
  SCHEMA,
  type Schema,
  type Values,
  variableOf,
} from './schema.ts';

/** Where options come from; later ones win: file, environment, flags. */
export interface Sources {
  readonly file: { readonly name: string; readonly text: string } | undefined;
  readonly env: { readonly [name: string]: string | undefined };
  /** Dotted option names with the text given to their flags. */
  readonly flags: ReadonlyMap<string, string>;
  /** Reads a file that a `…_FILE` variable or an option such as `mqtt.ca` names. */
  readonly readFile: (path: string) => string;
}

/** The variable that names the configuration file itself. */
export const CONFIG_VARIABLE = 'HS110_MQTT_CONFIG';

/** Brings all sources together. Throws ConfigError with everything that is wrong, each with its place. */
export function loadConfig(sources: Sources): Config {
  return new Loader(sources).load();
}

class Loader {
  readonly #sources: Sources;
  readonly #file: ConfigFile;
  readonly #problems: string[] = [];
  /** Raw values of the file, by dotted name. */
  readonly #written = new Map<string, unknown>();
  readonly #env: { [name: string]: string } = {};

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#file = new ConfigFile(sources.file?.name ?? 'configuration', sources.file?.text ?? '');
    this.#problems.push(...this.#file.problems);
  }

  load(): Config {
    const { plugs, places, ...rest } = this.#file.values;
    this.#collect(rest, { ...SCHEMA, plugs: LIST, places: LIST }, []);
    this.#collectEnv();
    const raw = this.#merge();
    const options = this.#read(
      SCHEMA,
      (name) => raw.get(name),
      '',
      (name) => this.#place(name),
    );
    const config: Config = { ...options, plugs: this.#readPlugs(plugs), places: this.#readPlaces(places) };
    const locate = (path: readonly (string | number)[]) => this.#file.locate(path);
    this.#problems.push(
      ...brokerProblems(config, (name) => this.#place(name)),
      ...tlsProblems(config, (name) => this.#place(name), this.#sources.readFile),
      ...plugProblems(config.plugs, locate),
      ...placeProblems(config, locate),
    );
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
    return freeze(config);
  }

  /** Sorts what the file says by option; what is no option is a problem. */
  #collect(values: JsonObject, schema: Schema, path: readonly (string | number)[]): void {
    for (const [key, value] of Object.entries(values)) {
      const node = Object.hasOwn(schema, key) ? schema[key] : undefined;
      const here = [...path, key];
      if (node === undefined) this.#unknown(this.#file.locate(here), here, schema);
      else if (value === null) continue;
      else if (isLeaf(node)) this.#written.set(dotted(here), value);
      else if (isObject(value)) this.#collect(value, node, here);
      else
        this.#problems.push(
          `${this.#file.locate(here)}: ${dotted(here)} must hold options such as "${Object.keys(node)[0]}:"`,
        );
    }
  }

  #unknown(place: string, path: readonly (string | number)[], schema: Schema): void {
    const near = nearest(String(path.at(-1)), Object.keys(schema));
    const group = path.length > 1 ? ` in ${dotted(path.slice(0, -1))}` : '';
    const hint = near === undefined ? `there are ${Object.keys(schema).join(', ')}` : `did you mean ${near}?`;
    this.#problems.push(`${place}: there is no option ${path.at(-1)}${group}; ${hint}`);
  }

  /** A variable that is empty is not set: Docker Compose passes on what nobody gave it as an empty one. */
  #collectEnv(): void {
    const names = new Map([...leaves(SCHEMA)].map(([name, leaf]) => [variableOf(name), leaf]));
    for (const [variable, value] of Object.entries(this.#sources.env)) {
      if (!variable.startsWith('HS110_MQTT_') || variable === CONFIG_VARIABLE || !value) continue;
      const bare = variable.replace(/_FILE$/, '');
      if (names.has(variable)) this.#env[variable] = value;
      else if (names.get(bare)?.secret) this.#readSecret(bare, variable, value);
      else {
        const near = nearest(variable, names.keys());
        this.#problems.push(
          `environment: ${variable} is no option${near === undefined ? '' : `; did you mean ${near}?`}`,
        );
      }
    }
  }

  #readSecret(name: string, variable: string, path: string): void {
    try {
      this.#env[name] = this.#sources.readFile(path).replace(/\r?\n$/, '');
    } catch (error) {
      this.#problems.push(`environment: ${variable} names a file that cannot be read: ${messageOf(error)}`);
    }
  }

  /** Lets file, environment and flags win over the defaults, in this order. Values stay as they were written. */
  #merge(): ReadonlyMap<string, unknown> {
    const merged = convict<{ [name: string]: unknown }>(convictSchema(SCHEMA), { env: this.#env, args: [] });
    for (const [name, value] of this.#written) merged.set(name, value);
    merged.load({});
    // Not as convict's `args`: those it reads as numbers where it can, and a name may be 007.
    for (const [name, value] of this.#sources.flags) merged.set(name, value);
    return new Map([...leaves(SCHEMA)].map(([name]) => [name, merged.get(name)]));
  }

  /** Where the value in force of an option was written. */
  #place(name: string): string {
    if (this.#sources.flags.has(name)) return `--${flagOf(name)}`;
    if (variableOf(name) in this.#env) return `environment: ${variableOf(name)}`;
    return this.#file.locate(name.split('.'));
  }

  /** Turns raw values into what the schema promises; problems are noted and the default takes their place. */
  #read<S extends Schema>(
    schema: S,
    raw: (name: string) => unknown,
    prefix: string,
    place: (name: string) => string,
  ): Values<S> {
    const entries = Object.entries(schema).map(([key, node]): [string, unknown] => {
      const name = prefix + key;
      return [
        key,
        isLeaf(node)
          ? this.#readLeaf(node, raw(name), name, place)
          : this.#read(node, raw, `${name}.`, place),
      ];
    });
    // The object has the shape of the schema by construction, one value for each leaf.
    return Object.fromEntries(entries) as Values<S>;
  }

  #readLeaf(leaf: Leaf<unknown>, raw: unknown, name: string, place: (name: string) => string): unknown {
    if (raw === undefined || raw === null) {
      if (leaf.required) this.#problems.push(`${place('')}: ${name} is missing: ${leaf.doc}`);
      return undefined;
    }
    try {
      const value = leaf.type.read(raw);
      if (value !== undefined) return value;
      this.#problems.push(
        `${place(name)}: ${name} must be ${leaf.type.expects}; it is ${leaf.secret ? 'something else' : show(raw)}`,
      );
    } catch (error) {
      this.#problems.push(`${place(name)}: ${name} ${messageOf(error)}; it is ${show(raw)}`);
    }
    return leaf.initial === undefined ? undefined : leaf.type.read(leaf.initial);
  }

  #readPlugs(plugs: unknown): PlugConfig[] {
    if (plugs === undefined || plugs === null) return [];
    if (Array.isArray(plugs)) return plugs.flatMap((entry, index) => this.#readPlug(entry, index));
    this.#problems.push(
      `${this.#file.locate(['plugs'])}: plugs must be a list, each with "- path:" and "host:"`,
    );
    return [];
  }

  #readPlug(entry: unknown, index: number): PlugConfig[] {
    const at = ['plugs', index];
    if (!isObject(entry)) {
      this.#problems.push(`${this.#file.locate(at)}: plugs[${index}] must hold "path:" and "host:"`);
      return [];
    }
    this.#collect(entry, PLUG_SCHEMA, at);
    const prefix = `plugs[${index}].`;
    const place = (name: string) =>
      this.#file.locate([...at, ...name.slice(prefix.length).split('.').filter(Boolean)]);
    const plug = this.#read(PLUG_SCHEMA, (name) => this.#written.get(name), prefix, place);
    return typeof plug.path === 'string' ? [slugged(plug)] : [];
  }

  #readPlaces(places: unknown): Config['places'] {
    if (places === undefined || places === null) return {};
    if (!isObject(places)) {
      this.#problems.push(`${this.#file.locate(['places'])}: places must hold paths, such as "east-wing:"`);
      return {};
    }
    return Object.fromEntries(
      Object.entries(places).flatMap(([path, entry]) => this.#readPlace(path, entry)),
    );
  }

  #readPlace(path: string, entry: unknown): [string, PlaceConfig][] {
    const at = ['places', path];
    if (!isObject(entry)) {
      this.#problems.push(`${this.#file.locate(at)}: places.${path} must hold options such as "stagger:"`);
      return [];
    }
    this.#collect(entry, PLACE_SCHEMA, at);
    const prefix = `places.${path}.`;
    const place = (name: string) =>
      this.#file.locate([...at, ...name.slice(prefix.length).split('.').filter(Boolean)]);
    const values = this.#read(PLACE_SCHEMA, (name) => this.#written.get(name), prefix, place);
    return [[path === '/' ? '' : slugPath(path), values]];
  }
}

/** Stands for `plugs` and `places` where the names of all options are needed. */
const LIST: Leaf<unknown> = {
  doc: 'Plugs or places.',
  type: { expects: 'a list', schema: {}, read: (raw) => raw },
  initial: undefined,
};

/** The schema as convict wants it: convict merges the sources, the types of the leaves read the result. */
function convictSchema(schema: Schema, prefix = ''): convict.Schema<{ [name: string]: unknown }> {
  const entries = Object.entries(schema).map(([key, node]): [string, convict.SchemaObj<unknown>] => {
    const name = prefix + key;
    if (!isLeaf(node)) return [key, convictSchema(node, `${name}.`) as convict.SchemaObj<unknown>];
    const { doc, initial = null, secret = false } = node;
    return [
      key,
      {
        doc,
        default: initial,
        format: '*',
        env: variableOf(name),
        sensitive: secret,
      },
    ];
  });
  return Object.fromEntries(entries);
}

/** Makes the path fit for topics, and keeps what was written as the plug's name if that differs. */
function slugged(plug: PlugConfig): PlugConfig {
  const path = slugPath(plug.path);
  const written = plug.path.split('/').at(-1)?.trim() ?? '';
  const name = plug.name ?? (path.endsWith(written) ? undefined : written);
  return { ...plug, path, name };
}

function slugPath(path: string): string {
  return path
    .split('/')
    .map((segment) => (/[^a-z0-9_-]/.test(segment) ? slug(segment) : segment))
    .join('/');
}

function dotted(path: readonly (string | number)[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

/** A value as it may be shown: short, and without the password that an address may hold. */
function show(value: unknown): string {
  const shown = (JSON.stringify(value) ?? String(value)).replaceAll(/:[^\s"]*@/g, ':…@');
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
