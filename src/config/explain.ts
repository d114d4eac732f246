import { isObject } from '../protocol/json.ts';
import { ConfigFile } from './file.ts';
import { loadConfig } from './load.ts';
import { type Leaf, leaves, type Schema } from './option.ts';
import { PLACE_SCHEMA, PLUG_SCHEMA, SCHEMA } from './schema.ts';
import { dotted, type Origin, type Sources, type Step, WrittenOptions } from './written.ts';

/** One option in force. */
export interface ExplainedOption {
  /** As in the file, with dots; plugs by their position, places by their path. */
  readonly name: string;
  /** As it was written; `null` where it is not set and has no default. Secrets are masked. */
  readonly value: unknown;
  readonly source: 'default' | Origin['source'];
  /** `file:line:column`, the variable, or the flag; empty for a default. */
  readonly at: string;
}

/** Stands for what is not shown. */
export const MASK = '***';

/**
 * Every option in force and where its value came from; of plugs and places only what is written. Throws
 * ConfigError as `loadConfig` does: what is not valid is not in force.
 */
export function explainConfig(sources: Sources): ExplainedOption[] {
  const { plugs } = loadConfig(sources);
  const file = new ConfigFile(sources.file?.name ?? '', sources.file?.text ?? '');
  const written = new WrittenOptions(file);
  const merged = written.mergeSources(sources);
  const options = [...leaves(SCHEMA)].map(([name, leaf]) =>
    shown(name, leaf, merged.get(name), written.origin(name)),
  );
  const { plugs: entries, places } = file.values;
  const ofPlugs = plugs.flatMap(({ path }, index) =>
    // The path in force is what was made of the one written.
    writtenAt(
      written,
      ['plugs', index],
      Array.isArray(entries) ? entries[index] : undefined,
      PLUG_SCHEMA,
    ).map((option) => (option.name.endsWith('].path') ? { ...option, value: path } : option)),
  );
  const ofPlaces = Object.entries(isObject(places) ? places : {}).flatMap(([path, entry]) =>
    writtenAt(written, ['places', path], entry, PLACE_SCHEMA),
  );
  return [...options, ...ofPlugs, ...ofPlaces];
}

/** What the file says in the `entry` at `path` of the options in `schema`. */
function writtenAt(
  written: WrittenOptions,
  path: readonly Step[],
  entry: unknown,
  schema: Schema,
): ExplainedOption[] {
  if (!isObject(entry)) return [];
  const options = written.mergeFile(entry, schema, path);
  return [...leaves(schema)].flatMap(([name, leaf]) => {
    const full = dotted([...path, name]);
    const origin = written.origin(full);
    return origin === undefined ? [] : [shown(full, leaf, options.get(name), origin)];
  });
}

function shown(
  name: string,
  { secret }: Leaf<unknown>,
  value: unknown,
  { source, at }: Pick<ExplainedOption, 'source' | 'at'> = { source: 'default', at: '' },
): ExplainedOption {
  const seen = secret && value !== undefined ? MASK : withoutPasswords(value ?? null);
  return { name, value: seen, source, at };
}

/** The address of a broker may hold a password: `mqtt://name:password@host`; several may stand side by side. */
function withoutPasswords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPasswords);
  if (typeof value !== 'string') return value;
  const addresses = value.split(/,(?=\s*[a-z]+:\/\/)/);
  return addresses.map((one) => one.replace(/(:\/\/[^/\s:@]*):.*@/, `$1:${MASK}@`)).join(',');
}
