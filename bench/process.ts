import { type ChildProcess, fork, spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Milliseconds of a clock that all processes of this machine share. */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Another process, seen from outside: what it costs, and a way to halt it while others are measured. */
export class Process {
  readonly startedAt: number;
  readonly #child: ChildProcess;
  #exited = false;

  constructor(start: () => ChildProcess) {
    this.startedAt = sharedNow();
    const child = start();
    this.#child = child;
    child.once('exit', () => {
      this.#exited = true;
    });
  }

  /** Runs a script of this folder, which answers every message with one message. */
  static script(file: string, options: object): Process {
    const path = fileURLToPath(new URL(file, import.meta.url));
    return new Process(() => fork(path, [JSON.stringify(options)], { execArgv: ['--import', 'tsx'] }));
  }

  static program(command: string, args: readonly string[], log: string): Process {
    const output = openSync(log, 'a');
    return new Process(() => spawn(command, args, { stdio: ['ignore', output, output] }));
  }

  /** Sends a message and resolves with the answer to it. */
  ask<T>(message: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`${this.#child.spawnargs.join(' ')} has ended`));
      if (this.#exited) return ended();
      this.#child.once('exit', ended);
      this.#child.once('message', (answer) => {
        this.#child.off('exit', ended);
        resolve(answer as T);
      });
      this.#child.send(message);
    });
  }

  /** Microseconds of CPU so far, user and system, over all threads. */
  cpuUs(): number {
    const tasks = `/proc/${this.#child.pid}/task`;
    return readdirSync(tasks).reduce((sum, task) => {
      const [ran = '0'] = readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ');
      return sum + Number(ran) / 1000;
    }, 0);
  }

  /** Resident memory in kB. */
  rssKb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }

  halt(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.#exited) return;
    const exit = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    await Promise.race([exit, delay(10_000, undefined, { ref: false })]);
    if (!this.#exited) this.#child.kill('SIGKILL');
  }
}
