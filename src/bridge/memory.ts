import type { Command } from './command.ts';
import type { PlugMemory } from './policy.ts';

/** A command that is not settled yet. `until` is in milliseconds since 1970. */
export interface OpenCommand {
  readonly target: string;
  readonly command: Command;
  readonly until: number;
}

/** What the bridge must still know after it was killed and started again. */
export class Memory {
  readonly plugs: Map<string, PlugMemory>;
  /** Oldest first. */
  readonly commands: Set<OpenCommand>;
  /** Paths given to plugs that were taken in without being configured, by MAC. */
  readonly adopted: Map<string, string>;
  /** Called after every change. */
  onChange: () => void = () => {};

  constructor(
    plugs: Iterable<readonly [string, PlugMemory]> = [],
    commands: Iterable<OpenCommand> = [],
    adopted: Iterable<readonly [string, string]> = [],
  ) {
    this.plugs = new Map(plugs);
    this.commands = new Set(commands);
    this.adopted = new Map(adopted);
  }

  /** What is remembered of a plug; the owner changes it in place and calls `changed`. */
  plug(path: string): PlugMemory {
    let memory = this.plugs.get(path);
    if (memory === undefined) {
      memory = { relay: null, revert: null };
      this.plugs.set(path, memory);
    }
    return memory;
  }

  /** The plug is gone for good. */
  forget(path: string): void {
    this.plugs.delete(path);
    this.changed();
  }

  /** Notes a command until the returned function is called. */
  open(command: OpenCommand): () => void {
    this.commands.add(command);
    this.changed();
    return () => {
      this.commands.delete(command);
      this.changed();
    };
  }

  changed(): void {
    this.onChange();
  }
}
