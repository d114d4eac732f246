import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { IClientOptions } from 'mqtt';
import { sleep } from '../../src/runtime/clock.ts';
import { SURROUNDINGS } from '../support/site.ts';

const { clock } = SURROUNDINGS;

/** A broker that the suite starts, stops and hurts. */
export interface TestedBroker {
  readonly name: string;
  readonly scheme: 'mqtt' | 'mqtts';
  /** Where the bridge finds its nodes, most often one; a proxy is in front of each. */
  readonly ports: readonly number[];
  /** Where clients of the suite find it, which have no proxy: in a cluster, a node that stays as it is. */
  readonly clientPort: number;
  /** What the bridge's configuration says of it beside the address. */
  readonly mqtt: object;
  /** How clients of the suite connect. */
  readonly client: IClientOptions;
  /** A client that may switch the east wing only; left out where everybody may do everything. */
  readonly staff?: IClientOptions;
  /** How many commands it lets a client have on their way at a time; left out where that is no matter. */
  readonly inFlight?: number;
  /** Whether it keeps a session for the bridge: commands that are sent while the bridge is away are not lost. */
  readonly keepsSessions: boolean;
  /** It runs within the bridge: it starts, ends and hangs with that, and there is no link to be cut. */
  readonly isEmbedded?: true;
  /** Starts it, or one of its nodes again; `anew` without what it has kept. */
  start(anew: boolean, node?: number): Promise<void>;
  /** Ends a node well, or as a power cut would. */
  end(signal: 'SIGTERM' | 'SIGKILL', node: number): Promise<void>;
  freeze(node: number): void;
  thaw(node: number): void;
  /** Starts it so that it refuses subscriptions to `museum/+/set`, or no longer; left out where that cannot be had. */
  readonly deny?: (isDenied: boolean) => Promise<void>;
  /** Ends it, and removes its folder. */
  dispose(): Promise<void>;
}

/** How long a broker may take to listen. */
const START_MS = 60_000;

/** Whatever ends the suite ends them too. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const { pid, exitCode } of running)
    if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** A program in a process of its own, with a folder of its own. */
export class Process {
  readonly folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-broker-'));
  #child: ChildProcess | undefined;

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Where it keeps what outlasts a restart. */
  get data(): string {
    return this.file('data');
  }

  /** Makes that folder, with nothing in it if `anew`. */
  prepare(anew: boolean): void {
    if (anew) rmSync(this.data, { recursive: true, force: true });
    mkdirSync(this.data, { recursive: true });
  }

  /** Starts it, and resolves when something listens on `port`. */
  async start(
    command: string,
    args: readonly string[],
    port: number,
    env: { readonly [name: string]: string } = {},
  ): Promise<void> {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'ignore', detached: true });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    const until = clock.now() + START_MS;
    while (!(await isOpen(port))) {
      if (child.exitCode !== null) throw new Error(`${command} ended with exit code ${child.exitCode}`);
      if (clock.now() > until) throw new Error(`${command} does not listen`);
      await sleep(clock, 20);
    }
  }

  /** Sends a signal to it and to what it has started. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid !== undefined && this.#child?.exitCode === null) process.kill(-pid, signal);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const gone = once(child, 'close');
    process.kill(-child.pid, signal);
    await gone;
  }

  async dispose(): Promise<void> {
    this.signal('SIGCONT');
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** What the bridge and its clients say to a broker of the examples that has users. */
export function withUsers(options: IClientOptions) {
  const password = 'change me';
  return {
    mqtt: { username: 'bridge', password },
    client: { ...options, username: 'bridge', password },
    staff: { ...options, username: 'staff', password },
  };
}

/** The same where it has TLS as well, of that authority. */
export function withTls({ ca, folder }: { readonly ca: string; readonly folder: string }) {
  const users = withUsers({ protocolVersion: 4, ca });
  return { ...users, scheme: 'mqtts', mqtt: { ...users.mqtt, ca: `${folder}/ca.pem` } } as const;
}

/** What a broker that is one process, without TLS, has in common with others. */
export function alone(program: Process, port: number) {
  return {
    scheme: 'mqtt',
    ports: [port],
    clientPort: port,
    end: (signal: 'SIGTERM' | 'SIGKILL') => program.end(signal),
    freeze: () => program.signal('SIGSTOP'),
    thaw: () => program.signal('SIGCONT'),
    dispose: () => program.dispose(),
  } as const;
}
