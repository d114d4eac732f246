#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { CommanderError } from 'commander';
import { buildProgram, EXIT, exitCodeOf } from './cli/program.ts';
import { messageOf } from './errors.ts';
import { SystemClock } from './runtime/clock.ts';

const stop = new AbortController();

// The first signal asks for a clean end, the second does not wait for it.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(EXIT.failed);
    stop.abort();
  });
}

// Whoever reads our output may leave before its end.
process.stdout.on('error', () => stop.abort());

try {
  await buildProgram({
    env: process.env,
    version: readVersion(),
    clock: new SystemClock(),
    random: Math.random,
    signal: stop.signal,
    isTerminal: process.stderr.isTTY ?? false,
    print: (line) => process.stdout.write(`${line}\n`),
    readFile: (path) => readFileSync(path, 'utf8'),
    fileExists: existsSync,
  }).parseAsync(process.argv);
} catch (error) {
  // Commander has said what was wrong with the usage; everything else is said here.
  if (!(error instanceof CommanderError)) process.stderr.write(`hs110-mqtt: ${messageOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
}
