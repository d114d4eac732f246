import type { Clock } from '../runtime/clock.ts';
import type { Input } from './input.ts';

/** All that a verb may touch of the world around it. */
export interface Shell {
  readonly env: { readonly [name: string]: string | undefined };
  readonly version: string;
  /** Of Node.js, as `v24.1.0`. */
  readonly nodeVersion: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Aborts when the program is interrupted. */
  readonly signal: AbortSignal;
  /** Whether a person reads the log. */
  readonly isTerminal: boolean;
  /** The terminal that standard output is shown on; `undefined` if it goes elsewhere. */
  readonly screen: { readonly columns: number; readonly rows: number } | undefined;
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
  /** Writes bytes to standard output. */
  readonly write: (bytes: Uint8Array) => void;
  /** Writes a line to standard error: what is not part of the output. */
  readonly printError: (line: string) => void;
  /** Standard input. */
  readonly input: Input;
  /** This machine's time zone, as `Europe/Berlin`. */
  readonly timeZone: string;
  /** Reads a text file; throws if there is none. */
  readonly readFile: (path: string) => string;
  /** Writes a file, over one that is there; throws if it cannot. */
  readonly writeFile: (path: string, content: string | Uint8Array) => void;
  readonly fileExists: (path: string) => boolean;
}
