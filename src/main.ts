#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { StandardInput } from './cli/input.ts';
import { EXIT, runProgram } from './cli/program.ts';
import { SystemClock } from './runtime/clock.ts';

// What a poll allocates dies with it. Left alone, V8 learns otherwise while all plugs are new, puts each reading where
// the long-lived are, and lets the heap grow to several times of what is alive before it cleans up.
setFlagsFromString('--no-allocation-site-pretenuring');
setFlagsFromString('--heap-growing-percent=30');

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

process.exitCode = await runProgram(
  {
    env: process.env,
    version: readVersion(),
    clock: new SystemClock(),
    random: Math.random,
    signal: stop.signal,
    isTerminal: process.stderr.isTTY ?? false,
    print: (line) => process.stdout.write(`${line}\n`),
    write: (bytes) => process.stdout.write(bytes),
    complain: (line) => process.stderr.write(`${line}\n`),
    input: new StandardInput({
      input: () => process.stdin,
      output: process.stderr,
      isTerminal: isatty(0) && isatty(2),
      signal: stop.signal,
      interrupt: () => stop.abort(),
    }),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    readFile: (path) => readFileSync(path, 'utf8'),
    writeFile: writeFileSync,
    fileExists: existsSync,
  },
  process.argv.slice(2),
);

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
}
