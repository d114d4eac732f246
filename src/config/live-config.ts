import type { Logger } from 'pino';
import { CommandError, ConfigError } from '../errors.ts';
import { setIn } from './edit.ts';
import { type ExplainedOption, explainConfig } from './explain.ts';
import { loadConfig } from './load.ts';
import { differences, lay, type Override, overridesAsYaml } from './overrides.ts';
import { ReadOnlyFile, replaceFile } from './replace-file.ts';
import { adopts, type Config } from './schema.ts';
import type { Sources } from './written.ts';

/** Where a configuration comes from. */
export interface ConfigOrigin {
  /** Everything as it is at the moment. Throws ConfigError if the file cannot be read. */
  sources(): Sources;
  /** Whether changes may be written into the file, if there is one. */
  readonly isFile: boolean;
}

/** Keeps changes that cannot be written into the file. */
export interface OverrideMemory {
  overrides(): readonly Override[];
  keepOverrides(overrides: readonly Override[]): void;
  /** Whether they survive a restart. */
  readonly keepsOverrides: boolean;
}

/** Where a change is kept; what is not in the file comes with the YAML that would be. */
export type Kept =
  | { readonly kept: 'file'; readonly file: string }
  | { readonly kept: 'database' | 'memory'; readonly yaml: string };

/** A change that was made. */
export interface Changed {
  /** What was in force before. */
  readonly before: Config;
  readonly after: Config;
  readonly kept: Kept;
}

/** Looks at a change before it is kept; throws what speaks against it. */
export type Approve = (before: Config, after: Config) => void;

/** Makes another text of that of the file, in which `config` stands. */
export type Edit = (text: string, config: Config) => string;

/** The configuration of a bridge that runs: what is in force, and the one way to change it. */
export class LiveConfig {
  readonly #origin: ConfigOrigin;
  #memory: OverrideMemory | undefined;
  #log: Logger | undefined;
  #config: Config;
  /** The text that {@link config} was read from. */
  #text: string;
  #saidReadOnly = false;
  /** What was explained last, and of which text: anyone may ask, and a large file takes its time. */
  #explained: { readonly text: string; readonly options: readonly ExplainedOption[] } | undefined;

  /** Throws ConfigError with all that is wrong. */
  constructor(origin: ConfigOrigin) {
    this.#origin = origin;
    const sources = origin.sources();
    this.#text = textOf(sources);
    this.#config = loadConfig(sources);
  }

  /** A configuration that is in no file of its own. */
  static of(sources: Sources): LiveConfig {
    return new LiveConfig({ sources: () => sources, isFile: false });
  }

  /** What is in force. */
  get config(): Config {
    return this.#config;
  }

  /** Lays over the file what was changed by earlier runs and could not be written there; the file holds where they differ. */
  useMemory(memory: OverrideMemory, log: Logger): void {
    this.#memory = memory;
    this.#log = log;
    if (memory.overrides().length === 0) return;
    const sources = this.#origin.sources();
    const { text, conflicts } = this.#inForce(sources);
    this.#config = loadConfig(withText(sources, text));
    this.#text = text;
    const cure =
      'send bridge/request/config/export for what is kept, and write into the file what is to hold';
    if (conflicts.length > 0)
      log.warn(
        { changes: conflicts, cure },
        'the configuration file differs from what was changed while the bridge ran: the file holds',
      );
  }

  /**
   * Changes the configuration: reads the file anew, has `edit` change its text, checks the result as at a start, and
   * keeps it if `approve` does not throw. Throws ConfigError with what would be wrong, CommandError if the file is;
   * nothing is changed then.
   */
  change(edit: Edit, approve: Approve): Changed {
    const before = this.#config;
    const sources = this.#origin.sources();
    const { text } = this.#inForce(sources);
    // Reading a large file takes its time.
    const written = text === this.#text ? before : this.#loadWritten(withText(sources, text));
    let edited = edit(text, written);
    let after = loadConfig(withText(sources, edited));
    if (adopts(after) !== adopts(written) && after.discovery.adopt === written.discovery.adopt) {
      // With the first plug that is configured, or the last one gone, others would not be taken in any more, or would be.
      edited = setIn(edited, ['discovery', 'adopt'], adopts(written));
      after = loadConfig(withText(sources, edited));
    }
    approve(written, after);
    const kept = this.#keep(sources, edited);
    this.#config = after;
    this.#text = edited;
    this.#explained = undefined;
    return { before, after, kept };
  }

  /** Every option in force, and where it comes from. Secrets are masked. */
  explain(): readonly ExplainedOption[] {
    const sources = this.#origin.sources();
    const text = textOf(sources);
    if (this.#explained?.text !== text)
      this.#explained = { text, options: explainConfig(withText(sources, this.#inForce(sources).text)) };
    return this.#explained.options;
  }

  /** What is kept beside the file, as YAML to paste into it. */
  export(): string {
    return overridesAsYaml(this.#memory?.overrides() ?? []);
  }

  /** The file's text with the changes laid over it that still fit; `conflicts` are those that do not. */
  #inForce(sources: Sources): { text: string; conflicts: readonly string[] } {
    const text = textOf(sources);
    const overrides = this.#memory?.overrides() ?? [];
    if (overrides.length === 0) return { text, conflicts: [] };
    const laid = lay(text, overrides);
    if (isRight(withText(sources, laid.text))) return laid;
    // Each is right alone, but not with what the file says by now.
    let sum = text;
    const conflicts: string[] = [];
    for (const override of overrides) {
      const next = lay(sum, [override]);
      if (next.conflicts.length > 0 || !isRight(withText(sources, next.text))) conflicts.push(override.key);
      else sum = next.text;
    }
    return { text: sum, conflicts };
  }

  /** The file may have been changed by hand since it was read last. */
  #loadWritten(sources: Sources): Config {
    try {
      return loadConfig(sources);
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      throw new CommandError(
        'file-wrong',
        `the configuration file is wrong, so that nothing is changed: ${cause.problems.join('; ')}`,
        { cause },
      );
    }
  }

  #keep(sources: Sources, text: string): Kept {
    const { file } = sources;
    if (file !== undefined && this.#origin.isFile) {
      try {
        if (text !== file.text) replaceFile(file.name, file.text, text);
        this.#memory?.keepOverrides([]);
        return { kept: 'file', file: file.name };
      } catch (error) {
        if (!(error instanceof ReadOnlyFile)) throw error;
        if (!this.#saidReadOnly)
          this.#log?.info({ reason: error.message }, 'changes of the configuration are kept in the database');
        this.#saidReadOnly = true;
      }
    }
    const overrides = differences(textOf(sources), text);
    this.#memory?.keepOverrides(overrides);
    const kept = this.#memory?.keepsOverrides === true ? 'database' : 'memory';
    return { kept, yaml: overridesAsYaml(overrides) };
  }
}

function textOf({ file }: Sources): string {
  return file?.text ?? '';
}

function withText(sources: Sources, text: string): Sources {
  return { ...sources, file: { name: sources.file?.name ?? 'configuration', text } };
}

function isRight(sources: Sources): boolean {
  try {
    loadConfig(sources);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}
