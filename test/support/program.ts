import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { SystemClock } from '../../src/runtime/clock.ts';
import { within } from '../../src/runtime/supervisor.ts';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** How long the program may take to end before it is taken to hang. */
const HANGS_MS = 15_000;

/** How the program ended; `code` is `null` if a signal killed it, `undefined` if it hangs. */
export interface Exit {
  readonly code: number | null | undefined;
  readonly ms: number;
}

/** The real program in a process and a folder of its own, as a user runs it. */
export class Program {
  readonly folder: string;
  /** What it wrote on standard error, all its lives long. */
  readonly lines: string[] = [];
  #child: ChildProcess | undefined;
  #exit: Promise<unknown> | undefined;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Starts it with a configuration file that holds `options`; resolves when it says that it runs. */
  async start(options: object, env: { readonly [name: string]: string } = {}): Promise<void> {
    this.launch(options, env);
    const before = this.lines.length;
    const runs = () => this.lines.slice(before).some((line) => line.includes('"msg":"bridge runs"'));
    await until(() => runs() || !this.runs, 'the bridge to run', 60_000);
    if (!runs()) throw new Error(`the program ended:\n${this.lines.slice(before).join('\n')}`);
  }

  /** Starts it and does not wait. */
  launch(options: object, env: { readonly [name: string]: string } = {}): void {
    const config = this.file('site.yaml');
    writeFileSync(
      config,
      stringify({ log: { format: 'json' }, web: { listen: 'off' }, dataDir: this.file('data'), ...options }),
    );
    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, '--config', config], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.#exit = once(child, 'close');
    createInterface({ input: child.stderr }).on('line', (line) => this.lines.push(line));
  }

  /** Sends it a signal, if it still runs. */
  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Resolves when it has ended, or hangs. */
  async ended(): Promise<Exit> {
    const start = performance.now();
    const ended = await within(new SystemClock(), HANGS_MS, this.#exit ?? Promise.resolve());
    return { code: ended ? this.#child?.exitCode : undefined, ms: performance.now() - start };
  }

  /** Ends it with a signal. */
  async end(name: NodeJS.Signals): Promise<Exit> {
    this.signal(name);
    return this.ended();
  }

  /** Makes an end of it, whatever it does, and of its folder. */
  async dispose(): Promise<void> {
    if (this.runs) await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true });
  }
}
