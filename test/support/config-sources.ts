import { LiveConfig } from '../../src/config/live-config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Sources } from '../../src/config/written.ts';
import { ConfigError } from '../../src/errors.ts';
import { thrownBy } from './thrown.ts';

export interface Given {
  readonly file?: string;
  readonly env?: { readonly [name: string]: string };
  readonly flags?: { readonly [name: string]: string };
  /** Files that `…_FILE` variables may name. */
  readonly secrets?: { readonly [path: string]: string };
}

/** The configuration that results from what is given; the file is called `site.yaml`. */
export function configOf(given: Given): Config {
  return loadConfig(sourcesOf(given));
}

/** The same, for a bridge that runs with it. */
export function liveConfigOf(given: Given): LiveConfig {
  return LiveConfig.of(sourcesOf(given));
}

function sourcesOf({ file, env = {}, flags = {}, secrets = {} }: Given): Sources {
  return {
    file: file === undefined ? undefined : { name: 'site.yaml', text: file },
    env,
    flags: new Map(Object.entries(flags)),
    readFile: (path) => {
      const text = secrets[path];
      if (text === undefined) throw new Error(`no such file: ${path}`);
      return text;
    },
  };
}

/** All that is wrong with what is given; fails the test if nothing is. */
export function problemsOf(given: Given): readonly string[] {
  const error = thrownBy(() => configOf(given));
  if (error instanceof ConfigError) return error.problems;
  throw error;
}
