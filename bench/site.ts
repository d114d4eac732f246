import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../test/support/free-port.ts';
import type { FarmOptions, FarmOrder, FarmReport } from './farm.ts';
import type { FloorOptions } from './floor.ts';
import type { LibraryOptions } from './library.ts';
import { hostOf, pathOf } from './plugs.ts';
import { Process } from './process.ts';

/** A client of plugs with plugs of its own, so that two can be measured side by side. */
export class Subject {
  /** Where its topics begin. */
  readonly base: string;
  readonly client: Process;
  readonly farm: Process;

  constructor(base: string, client: Process, farm: Process) {
    this.base = base;
    this.client = client;
    this.farm = farm;
  }

  order(order: FarmOrder): Promise<FarmReport> {
    return this.farm.ask<FarmReport>(order);
  }
}

/** Where a bridge or a minimal script finds its broker: a URL, or the port of one it embeds. */
export type BrokerPlace = string | number;

export interface SubjectOptions {
  readonly base: string;
  readonly plugs: number;
  /** Whether the plugs keep connections. */
  readonly kept: boolean;
  readonly intervalMs: number;
  readonly broker: BrokerPlace;
}

/** Starts everything that is measured, and ends it. */
export class Site {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-bench-'));
  readonly #program: string;
  readonly #nodeFlags: readonly string[];
  #bases = 0;
  #running: Process[] = [];

  constructor(program: string, nodeFlags: readonly string[]) {
    this.#program = program;
    this.#nodeFlags = nodeFlags;
  }

  /** A base topic that nothing was published under yet. */
  newBase(): string {
    this.#bases++;
    return `bench${this.#bases}`;
  }

  /** Mosquitto as it comes. */
  async broker(): Promise<{ url: string; process: Process }> {
    const port = await freePort();
    const file = this.#file(`listener ${port} 127.0.0.1\nallow_anonymous true\n`);
    const process = this.#keep(Process.program('mosquitto', ['-c', file], this.#log('mosquitto')));
    await delay(300);
    return { url: `mqtt://127.0.0.1:${port}`, process };
  }

  /** The bridge, as its users run it: everything else than this is as it is by default. */
  async bridge(options: SubjectOptions): Promise<Subject> {
    const { base, plugs, broker } = options;
    const farm = await this.#farm(options);
    const { port } = await farm.ask<FarmReport>({});
    const entry = (_: unknown, plug: number) =>
      `  - path: ${pathOf(plug)}\n    host: ${hostOf(plug)}:${port}\n`;
    const where =
      typeof broker === 'number'
        ? `broker: {listen: '127.0.0.1:${broker}'}\nmqtt: {baseTopic: ${base}}`
        : `mqtt: {url: '${broker}', baseTopic: ${base}}`;
    const config = [
      where,
      `poll: {interval: ${options.intervalMs}ms}`,
      'discovery: {adopt: false, interval: 0}',
      `dataDir: ${this.#path('data')}`,
      'log: {format: json}',
      plugs === 0 ? 'plugs: []' : `plugs:\n${Array.from({ length: plugs }, entry).join('')}`,
    ].join('\n');
    const args = [...this.#nodeFlags, this.#program, '--config', this.#file(config)];
    return new Subject(
      base,
      this.#keep(Process.program(process.execPath, args, this.#log(`bridge-${plugs}`))),
      farm,
    );
  }

  /** The minimal script; it polls unless told otherwise, and takes commands if it is given a broker. */
  async floor(options: SubjectOptions): Promise<Subject> {
    const farm = await this.#farm(options);
    const { port } = await farm.ask<FarmReport>({});
    const { plugs, kept, intervalMs, broker } = options;
    const floor: FloorOptions = {
      base: `${options.base}-minimal`,
      plugs,
      port,
      kept,
      polling: intervalMs === 1000,
      broker,
    };
    return new Subject(floor.base, this.#keep(Process.script('floor.ts', floor)), farm);
  }

  /** tplink-smarthome-api, or python-kasa in the Python given. */
  async library(options: SubjectOptions, python?: string): Promise<Subject> {
    const farm = await this.#farm(options);
    const { port } = await farm.ask<FarmReport>({});
    const library: LibraryOptions = { plugs: options.plugs, port };
    const script = fileURLToPath(new URL('python_kasa.py', import.meta.url));
    const process =
      python === undefined
        ? Process.script('library.ts', library)
        : Process.program(python, [script, JSON.stringify(library)], this.#log('python-kasa'));
    return new Subject(options.base, this.#keep(process), farm);
  }

  async end(...subjects: readonly (Subject | Process)[]): Promise<void> {
    const processes = subjects.flatMap((one) => (one instanceof Subject ? [one.client, one.farm] : [one]));
    await Promise.all(processes.map((process) => process.stop()));
    this.#running = this.#running.filter((process) => !processes.includes(process));
  }

  /** Ends everything but the broker. */
  async endSubjects(): Promise<void> {
    const [broker, ...others] = this.#running;
    await Promise.all(others.map((process) => process.stop()));
    this.#running = broker === undefined ? [] : [broker];
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map((process) => process.stop()));
    rmSync(this.#folder, { recursive: true });
  }

  async #farm({ plugs, kept, intervalMs }: SubjectOptions): Promise<Process> {
    const options: FarmOptions = { plugs, intervalMs, closing: !kept };
    return this.#keep(Process.script('farm.ts', options));
  }

  #keep(process: Process): Process {
    this.#running.push(process);
    return process;
  }

  #log(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  #file(text: string): string {
    const path = this.#path('config');
    writeFileSync(path, text);
    return path;
  }

  #path(name: string): string {
    return join(mkdtempSync(join(this.#folder, 'run-')), name);
  }
}
