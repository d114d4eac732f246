import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** What is built is kept for the next run. */
const FOLDER = join(tmpdir(), 'hs110-mqtt-brokers');

const MOCHI = fileURLToPath(new URL('mochi', import.meta.url));

/** Why brokers written in Go cannot be had; `undefined` if they can. */
export const noGo: string | undefined =
  spawnSync('go', ['version']).status === 0 ? undefined : 'go is not installed';

/** The NATS server, built if it has not been. */
export function natsServer(): string {
  return installed('nats-server', 'github.com/nats-io/nats-server/v2@latest');
}

/** mochi as its image has it, which reads a configuration. */
export function mochiImage(): string {
  return installed('docker', 'github.com/mochi-mqtt/server/v2/cmd/docker@v2.7.9');
}

function installed(name: string, module: string): string {
  const program = join(FOLDER, name);
  if (!existsSync(program)) go(['install', module], FOLDER, { GOBIN: FOLDER });
  return program;
}

/** A server that mochi, which is a library, makes in a few lines. */
export function mochiServer(): string {
  const program = join(FOLDER, 'mochi-server');
  if (existsSync(program)) return program;
  const source = join(FOLDER, 'mochi');
  cpSync(MOCHI, source, { recursive: true });
  go(['mod', 'tidy'], source);
  go(['build', '-o', program, '.'], source);
  return program;
}

function go(args: readonly string[], cwd: string, env: { readonly [name: string]: string } = {}): void {
  mkdirSync(FOLDER, { recursive: true });
  execFileSync('go', args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
}
