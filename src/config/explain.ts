import { isObject, type JsonObject } from '../protocol/json.ts';
import { ConfigFile } from './file.ts';
import { loadConfig, type Sources } from './load.ts';
import {
  flagOf,
  type Leaf,
  leaves,
  PLACE_SCHEMA,
  PLUG_SCHEMA,
  SCHEMA,
  type Schema,
  variableOf,
} from './schema.ts';

/** One option in force. */
export interface ExplainedOption {
  /** As in the file, with dots; plugs by their position, places by their path. */
  readonly name: string;
  /** As it was written; `null` where nobody set it and there is no default. Secrets are masked. */
  readonly value: unknown;
  readonly source: 'default' | 'file' | 'environment' | 'flag';
  /** `file:line:column`, the variable, or the flag; empty for a default. */
  readonly at: string;
}

const MASK = '***';

/**
 * Every option in force and where its value came from; of plugs and places only what is written. Throws
 * ConfigError as `loadConfig` does: what is not valid is not in force.
 */
export function explainConfig(sources: Sources): ExplainedOption[] {
  const { plugs } = loadConfig(sources);
  const file = new ConfigFile(sources.file?.name ?? '', sources.file?.text ?? '');
  const options = [...leaves(SCHEMA)].map(([name, leaf]) => explainOption(name, leaf, sources, file));
  const ofPlugs = plugs.flatMap(({ path }, index) =>
    // The path in force is what was made of the one written.
    writtenAt(file, ['plugs', index], `plugs[${index}]`, PLUG_SCHEMA).map((option) =>
      option.name.endsWith('].path') ? { ...option, value: path } : option,
    ),
  );
  const places = isObject(file.values.places) ? Object.keys(file.values.places) : [];
  const ofPlaces = places.flatMap((path) =>
    writtenAt(file, ['places', path], `places.${path}`, PLACE_SCHEMA),
  );
  return [...options, ...ofPlugs, ...ofPlaces];
}

function explainOption(
  name: string,
  leaf: Leaf<unknown>,
  sources: Sources,
  file: ConfigFile,
): ExplainedOption {
  const { env, flags } = sources;
  const variable = variableOf(name);
  const path = name.split('.');
  const written = valueAt(file.values, path);
  if (flags.has(name)) return shown(name, leaf, flags.get(name), 'flag', `--${flagOf(name)}`);
  if (env[variable] !== undefined) return shown(name, leaf, env[variable], 'environment', variable);
  if (leaf.secret && env[`${variable}_FILE`] !== undefined)
    return shown(name, leaf, MASK, 'environment', `${variable}_FILE`);
  if (written !== undefined) return shown(name, leaf, written, 'file', file.locate(path));
  return shown(name, leaf, leaf.initial, 'default', '');
}

/** What the file says below `at` of the options in `schema`. */
function writtenAt(
  file: ConfigFile,
  at: readonly (string | number)[],
  prefix: string,
  schema: Schema,
): ExplainedOption[] {
  return [...leaves(schema)].flatMap(([name, leaf]) => {
    const path = [...at, ...name.split('.')];
    const value = valueAt(file.values, path);
    return value === undefined ? [] : [shown(`${prefix}.${name}`, leaf, value, 'file', file.locate(path))];
  });
}

function shown(
  name: string,
  leaf: Leaf<unknown>,
  value: unknown,
  source: ExplainedOption['source'],
  at: string,
): ExplainedOption {
  return {
    name,
    value: leaf.secret && value !== undefined ? MASK : withoutPasswords(value ?? null),
    source,
    at,
  };
}

/** The address of a broker may hold a password: `mqtt://name:password@host`; several may stand side by side. */
function withoutPasswords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPasswords);
  if (typeof value !== 'string') return value;
  const addresses = value.split(/,(?=\s*[a-z]+:\/\/)/);
  return addresses.map((one) => one.replace(/(:\/\/[^/\s:@]*):.*@/, `$1:${MASK}@`)).join(',');
}

/** What stands at `path`; `undefined` if there is nothing, or nothing but the key. */
function valueAt(values: JsonObject, path: readonly (string | number)[]): unknown {
  let value: unknown = values;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value ?? undefined;
}
