import type { Input } from '../../src/cli/input.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { Shell } from '../../src/cli/shell.ts';
import { type Clock, SystemClock } from '../../src/runtime/clock.ts';

/** What a test gives a shell; all else is as on an empty machine. */
export interface FakeShellOptions {
  readonly env?: { readonly [name: string]: string };
  readonly clock?: Clock;
  readonly files?: { readonly [path: string]: string };
  /** The terminal that shows what is printed. */
  readonly screen?: { readonly columns: number; readonly rows: number };
  /** What is piped in, chunk by chunk. */
  readonly piped?: readonly (string | Uint8Array)[];
  /** What a person types, question by question; with it, a person sits there. */
  readonly typed?: readonly string[];
}

/** A shell without a process: runs verbs, keeps what they print, and has files in memory. */
export class FakeShell implements Shell {
  readonly env: { readonly [name: string]: string };
  readonly version = '0.0.0-test';
  readonly nodeVersion = 'v0.0.0';
  readonly clock: Clock;
  readonly random = Math.random;
  readonly isTerminal = false;
  readonly screen: Shell['screen'];
  readonly timeZone = 'Europe/Berlin';
  readonly files: Map<string, string>;
  readonly input: Input;
  /** Questions that a person was asked. */
  readonly questions: string[] = [];
  readonly printed: string[] = [];
  readonly errorLines: string[] = [];
  readonly written: Uint8Array[] = [];
  readonly #interrupt = new AbortController();

  constructor(options: FakeShellOptions = {}) {
    this.env = options.env ?? {};
    this.screen = options.screen;
    this.clock = options.clock ?? new SystemClock();
    this.files = new Map(Object.entries(options.files ?? {}));
    this.input = fakeInput(options, this.questions);
  }

  /** Runs the program with these arguments and returns its exit code. */
  run(...argv: string[]): Promise<number> {
    return runProgram(this, argv);
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    this.#interrupt.abort();
  }

  get signal(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** All that was printed. */
  get output(): string {
    return this.printed.join('\n');
  }

  /** All that was written to standard error. */
  get errors(): string {
    return this.errorLines.join('\n');
  }

  readonly print = (line: string): void => void this.printed.push(line);
  readonly printError = (line: string): void => void this.errorLines.push(line);
  readonly write = (bytes: Uint8Array): void => void this.written.push(bytes);
  readonly fileExists = (path: string): boolean => this.files.has(path);
  readonly writeFile = (path: string, content: string | Uint8Array): void =>
    void this.files.set(
      path,
      typeof content === 'string' ? content : Buffer.from(content).toString('base64'),
    );

  readonly readFile = (path: string): string => {
    const text = this.files.get(path);
    if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return text;
  };
}

function fakeInput({ piped = [], typed }: FakeShellOptions, questions: string[]): Input {
  const answers = [...(typed ?? [])];
  const ask = async (question: string) => {
    questions.push(question);
    return answers.shift();
  };
  return {
    isTerminal: typed !== undefined,
    async *chunks() {
      for (const chunk of piped) yield Buffer.from(chunk);
    },
    ask,
    askSecretly: ask,
  };
}
