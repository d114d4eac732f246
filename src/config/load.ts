import { ConfigError, messageOf } from '../errors.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import {
  accountProblems,
  brokerProblems,
  metricsProblems,
  networkProblems,
  placeProblems,
  plainProblems,
  plugProblems,
  tlsProblems,
  webProblems,
} from './check.ts';
import { ConfigFile } from './file.ts';
import type { Options } from './merge.ts';
import { isLeaf, type Leaf, type Schema, type Values } from './option.ts';
import {
  type Config,
  PLACE_SCHEMA,
  PLUG_SCHEMA,
  type PlaceConfig,
  type PlugConfig,
  SCHEMA,
} from './schema.ts';
import { slugPath } from './slug-path.ts';
import { dotted, type Sources, type Step, WrittenOptions } from './written.ts';

/** Options that stand together: those of the program, of one plug, or of one place. */
interface Block {
  readonly options: Options;
  /** Stands in front of their names in messages: `plugs[0].` */
  readonly prefix: string;
  /** Where one of them was written, or would be in the file; `''` is the block itself. */
  place(name: string): string;
}

/** Brings all sources together. Throws ConfigError with everything that is wrong, each with its place. */
export function loadConfig(sources: Sources): Config {
  return new Loader(sources).load();
}

class Loader {
  readonly #sources: Sources;
  readonly #file: ConfigFile;
  readonly #written: WrittenOptions;
  readonly #problems: string[] = [];

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#file = new ConfigFile(sources.file?.name ?? 'configuration', sources.file?.text ?? '');
    this.#written = new WrittenOptions(this.#file);
  }

  load(): Config {
    const { plugs, places } = this.#file.values;
    const options = this.#written.mergeSources(this.#sources);
    const place = (name: string) => this.#written.place(name);
    const values = this.#read(SCHEMA, { options, prefix: '', place });
    const config: Config = {
      ...withoutStateFile(values, this.#written.origin('dataDir') !== undefined),
      plugs: this.#readPlugs(plugs),
      places: this.#readPlaces(places),
      warnings: this.#written.warnings,
    };
    const locate = (path: readonly (string | number)[]) => this.#file.locate(path);
    const problems = [
      ...this.#file.problems,
      ...this.#written.problems,
      ...this.#problems,
      ...brokerProblems(config, place),
      ...metricsProblems(config, place),
      ...plainProblems(config, place),
      ...tlsProblems(config, place, this.#sources.readFile),
      ...accountProblems(config, place, locate),
      ...webProblems(config, place),
      ...plugProblems(config.plugs, locate),
      ...networkProblems(config, locate),
      ...placeProblems(config, locate),
    ];
    if (problems.length > 0) throw new ConfigError(problems);
    return freeze(config);
  }

  /** Turns raw values into what the schema promises; problems are noted and the default takes their place. */
  #read<S extends Schema>(schema: S, block: Block, group = ''): Values<S> {
    const entries = Object.entries(schema).map(([key, node]): [string, unknown] => {
      const name = group + key;
      return [key, isLeaf(node) ? this.#readLeaf(node, block, name) : this.#read(node, block, `${name}.`)];
    });
    // The object has the shape of the schema by construction, one value for each leaf.
    return Object.fromEntries(entries) as Values<S>;
  }

  #readLeaf(leaf: Leaf<unknown>, block: Block, option: string): unknown {
    const raw = block.options.get(option);
    const name = block.prefix + option;
    if (raw === undefined) {
      if (leaf.required && this.#written.origin(name) === undefined)
        this.#problems.push(`${block.place('')}: ${name} is missing: ${leaf.doc}`);
      return undefined;
    }
    try {
      const value = leaf.type.read(raw);
      if (value !== undefined) return value;
      this.#problems.push(
        `${block.place(option)}: ${name} must be ${leaf.type.expects}; it is ${leaf.secret ? 'something else' : show(raw)}`,
      );
    } catch (error) {
      const written = leaf.secret ? '' : `; it is ${show(raw)}`;
      this.#problems.push(`${block.place(option)}: ${name} ${messageOf(error)}${written}`);
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
    const plug = this.#read(PLUG_SCHEMA, this.#blockAt(at, entry, PLUG_SCHEMA));
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
    const values = this.#read(PLACE_SCHEMA, this.#blockAt(at, entry, PLACE_SCHEMA));
    return [[path === '/' ? '' : slugPath(path), values]];
  }

  /** What stands at `at` in the file, for one plug or place. */
  #blockAt(at: readonly Step[], entry: JsonObject, schema: Schema): Block {
    return {
      options: this.#written.mergeFile(entry, schema, at),
      prefix: `${dotted(at)}.`,
      place: (name) => this.#file.locate([...at, ...name.split('.').filter(Boolean)]),
    };
  }
}

/** `stateFile: off`, as it was written in an earlier version, stands for `dataDir: off` where that is left out. */
function withoutStateFile<T extends { dataDir: string; stateFile: string | undefined }>(
  options: T,
  hasDataDir: boolean,
): T {
  if (options.stateFile !== 'off') return options;
  return { ...options, dataDir: hasDataDir ? options.dataDir : 'off', stateFile: undefined };
}

/** Makes the path fit for topics, and keeps what was written as the plug's name if that differs. */
function slugged(plug: PlugConfig): PlugConfig {
  const path = slugPath(plug.path);
  const written = plug.path.split('/').at(-1)?.trim() ?? '';
  const name = plug.name ?? (path.endsWith(written) ? undefined : written);
  return { ...plug, path, name };
}

/** A value as it may be shown: short, and without the password that an address may hold. */
function show(value: unknown): string {
  const shown = (JSON.stringify(value) ?? String(value)).replaceAll(/[^\s"]+/g, withoutPassword);
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
}

function withoutPassword(word: string): string {
  const [colon, at] = [word.indexOf(':'), word.lastIndexOf('@')];
  return colon < 0 || at < colon ? word : `${word.slice(0, colon)}:…${word.slice(at)}`;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freeze);
  return Object.freeze(value);
}
