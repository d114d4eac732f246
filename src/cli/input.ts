import { createInterface, type Interface } from 'node:readline';
import { addAbortSignal, type Readable, Writable } from 'node:stream';
import { BridgeError } from '../errors.ts';

/** What people type and programs pipe in. */
export interface Input {
  /** Whether a person sits there who can be asked. */
  readonly isTerminal: boolean;
  /** The bytes piped in, as they come. Throws BridgeError `interrupted` when the program is to end. */
  chunks(): AsyncIterable<Buffer>;
  /** Asks the person and returns the line typed, `undefined` at the end of input. Throws as `chunks` does. */
  ask(question: string): Promise<string | undefined>;
  /** As `ask`, but what is typed does not show. */
  askSecretly(question: string): Promise<string | undefined>;
}

export interface Terminal {
  /** Opened only when it is needed. */
  readonly input: () => Readable;
  /** Where questions are written, so that they do not mix with the output. */
  readonly output: Writable;
  readonly isTerminal: boolean;
  readonly signal: AbortSignal;
  /** Called for Ctrl-C, which reaches us as a key while a question is open. */
  readonly interrupt: () => void;
}

/** Ends a verb without an error message: the user has interrupted it. */
export function interrupted(): BridgeError {
  return new BridgeError('interrupted', 'interrupted');
}

/** Standard input, be it a terminal, a pipe or a file. */
export class StandardInput implements Input {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get isTerminal(): boolean {
    return this.#terminal.isTerminal;
  }

  async *chunks(): AsyncGenerator<Buffer, void> {
    const { input, signal } = this.#terminal;
    try {
      for await (const chunk of addAbortSignal(signal, input())) yield Buffer.from(chunk);
    } catch (error) {
      throw signal.aborted ? interrupted() : error;
    }
  }

  ask(question: string): Promise<string | undefined> {
    return this.#line((lines) => {
      lines.setPrompt(question);
      lines.prompt();
    }, this.#terminal.output);
  }

  async askSecretly(question: string): Promise<string | undefined> {
    const { output } = this.#terminal;
    try {
      return await this.#line(() => output.write(question), NOWHERE);
    } finally {
      output.write('\n');
    }
  }

  /** Reads a line; `begin` asks for it, not before the terminal has ceased to show keys by itself. */
  #line(begin: (lines: Interface) => void, echo: Writable): Promise<string | undefined> {
    const { input, signal, interrupt } = this.#terminal;
    return new Promise((resolve, reject) => {
      const lines = createInterface({ input: input(), output: echo, terminal: true });
      const close = () => lines.close();
      let line: string | undefined;
      lines.once('line', (typed) => {
        line = typed;
        close();
      });
      lines.once('SIGINT', interrupt);
      lines.once('close', () => {
        signal.removeEventListener('abort', close);
        if (signal.aborted) reject(interrupted());
        else resolve(line);
      });
      signal.addEventListener('abort', close, { once: true });
      if (signal.aborted) close();
      else begin(lines);
    });
  }
}

/** Where keys go that must not show. */
const NOWHERE = new Writable({ write: (_chunk, _encoding, done) => done() });

/** More than is ever pasted; whole captures belong into Wireshark. */
const MOST_BYTES = 1024 * 1024;

/** What is piped in, as it comes. Throws BridgeError beyond 1 MiB, and as `Input.chunks` does. */
export async function* bounded(input: Input): AsyncGenerator<Buffer, void> {
  let bytes = 0;
  for await (const chunk of input.chunks()) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES)
      throw new BridgeError('too-much', `there are more than ${MOST_BYTES} bytes to read`);
    yield chunk;
  }
}

/** All that is piped in. Throws as {@link bounded} does. */
export async function readAll(input: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bounded(input)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
