import { type Command, Option } from 'commander';
import { CONFIG_VARIABLE, flagOf, optionNames, variableOf } from '../config/option.ts';
import { SCHEMA } from '../config/schema.ts';
import type { Sources } from '../config/written.ts';
import { ConfigError, messageOf } from '../errors.ts';
import type { Shell } from './shell.ts';

/** Read without being named, if it is there. */
const DEFAULT_FILE = 'config/default.yaml';

/** What the command line says of the configuration. */
export interface GivenFlags {
  /** The file named by `--config`. */
  readonly file: string | undefined;
  /** By the dotted names of their options. */
  readonly options: ReadonlyMap<string, string>;
}

/** The flags as they were given, once the command line has been read. */
export type Flags = () => GivenFlags;

/** Adds a flag for the file, and one for every option of the configuration that is not secret. */
export function addFlags(program: Command): Flags {
  program.option('-c, --config <file>', 'configuration file (YAML)');
  for (const { name, written, leaf } of optionNames(SCHEMA)) {
    if (leaf.secret) continue;
    const does = `${leaf.doc} (${name}, ${variableOf(name)})`;
    const option = new Option(`--${flagOf(written)} <value>`, does);
    program.addOption(option.hideHelp(written !== name || leaf.obsolete !== undefined));
  }
  return () => flagsGiven(program.opts());
}

/** The flags that were given, as they are written. */
export function writtenFlags({ file, options }: GivenFlags): string[] {
  return [
    ...(file === undefined ? [] : ['--config']),
    ...[...options.keys()].map((name) => `--${flagOf(name)}`),
  ];
}

/** File, environment and flags as sources of the configuration. Throws ConfigError if the file cannot be read. */
export function sourcesOf(shell: Shell, { file, options }: GivenFlags): Sources {
  const { env, readFile } = shell;
  return { file: configFile(shell, file), env, flags: options, readFile };
}

/** The file named by flag or variable, else the default one if it is there. */
function configFile(shell: Shell, path: string | undefined): Sources['file'] {
  // A variable that is empty is not set.
  const named = path ?? (shell.env[CONFIG_VARIABLE] || undefined);
  const name = named ?? (shell.fileExists(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  if (name === undefined) return undefined;
  try {
    return { name, text: shell.readFile(name) };
  } catch (cause) {
    throw new ConfigError([`the configuration file ${name} cannot be read: ${messageOf(cause)}`]);
  }
}

function flagsGiven(given: { config?: string; [flag: string]: unknown }): GivenFlags {
  const options = new Map<string, string>();
  for (const { written } of optionNames(SCHEMA)) {
    const value = given[camelCase(flagOf(written))];
    if (typeof value === 'string') options.set(written, value);
  }
  return { file: given.config, options };
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
