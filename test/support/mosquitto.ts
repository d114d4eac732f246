import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ENV, missingProgram } from './other-program.ts';
import { quietPort } from './quiet-port.ts';
import { until } from './until.ts';

/** Why the tests that need Mosquitto cannot run; `undefined` if they can. */
export const noMosquitto = missingProgram('mosquitto', 'Debian has a package of that name', '-h');

/** Lines of a mosquitto.conf. */
export interface MosquittoOptions {
  readonly global?: readonly string[];
  readonly listener?: readonly string[];
  /** What it logs; left out: everything. */
  readonly log?: readonly string[];
}

/** A real broker in a process of its own, on a port that it keeps over restarts. It remembers nothing. */
export class Mosquitto {
  readonly port: number;
  /** A folder of its own, for passwords and certificates. */
  readonly folder: string;
  /** What it logged, all its lives long. */
  readonly lines: string[] = [];
  #options: MosquittoOptions;
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string, options: MosquittoOptions) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
  }

  /** One that does not run yet. */
  static async prepared(options: MosquittoOptions = {}): Promise<Mosquitto> {
    return new Mosquitto(await quietPort(), mkdtempSync(join(tmpdir(), 'hs110-mqtt-broker-')), options);
  }

  static async started(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const broker = await Mosquitto.prepared(options);
    await broker.start();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Starts it, perhaps with other options than before. */
  async start(options: MosquittoOptions = this.#options): Promise<void> {
    this.#options = options;
    const lines = [
      `user ${userInfo().username}`,
      'persistence false',
      'log_dest stderr',
      ...(options.log ?? ['all']).map((type) => `log_type ${type}`),
      'set_tcp_nodelay true',
      ...(options.global ?? ['allow_anonymous true']),
      `listener ${this.port} 127.0.0.1`,
      ...(options.listener ?? []),
    ];
    writeFileSync(this.file('mosquitto.conf'), lines.map((line) => `${line}\n`).join(''));
    const before = this.lines.length;
    const child = spawn('mosquitto', ['-c', this.file('mosquitto.conf')], {
      env: ENV,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => this.lines.push(line));
    await until(
      () => this.#saidSince(before, /mosquitto version .* running/) || child.exitCode !== null,
      'mosquitto to run',
    );
    if (child.exitCode !== null) throw new Error(`mosquitto does not start:\n${this.lines.join('\n')}`);
  }

  /** Ends it as a power cut would. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const gone = once(child, 'close');
    child.kill(signal);
    await gone;
  }

  /** Has it read its configuration and passwords again. */
  reload(): void {
    this.#child?.kill('SIGHUP');
  }

  /** Makes the file of passwords anew. */
  setPassword(username: string, password: string): void {
    execFileSync('mosquitto_passwd', ['-b', '-c', this.file('passwords'), username, password], { env: ENV });
  }

  /** How often that client has connected. */
  connectsOf(clientId: string): number {
    return this.lines.filter(
      (line) => line.includes(`New client connected from`) && line.includes(` as ${clientId} (`),
    ).length;
  }

  async stop(): Promise<void> {
    await this.kill('SIGTERM');
    rmSync(this.folder, { recursive: true });
  }

  #saidSince(before: number, what: RegExp): boolean {
    return this.lines.slice(before).some((line) => what.test(line));
  }
}
