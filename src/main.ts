#!/usr/bin/env node
import { constants, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { StandardInput } from './cli/input.ts';
import { EXIT, runProgram } from './cli/program.ts';
import { SystemClock, sleep } from './runtime/clock.ts';
import { runAtExit } from './runtime/exit.ts';
import { LineOutput } from './runtime/line-output.ts';
import { aborted } from './runtime/supervisor.ts';

// What a poll allocates dies with it. Left alone, V8 learns otherwise while all plugs are new, puts each reading where
// the long-lived are, and lets the heap grow to several times of what is alive before it cleans up.
setFlagsFromString('--no-allocation-site-pretenuring');
setFlagsFromString('--heap-growing-percent=30');

/** How long a slow reader may hold up the end of a program that was interrupted, and its last error messages. */
const LAST_OUTPUT_MS = 200;

/** How long a bridge with a mistake in its configuration waits in a container before it ends. */
const MISTAKE_MS = 15_000;

const stop = new AbortController();

// The first signal asks for a clean end, the second does not wait for it.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(EXIT.failed);
    stop.abort();
  });
}

// Whatever ends the process: nothing is left behind that the kernel would still send to a plug.
process.on('exit', runAtExit);

// The reader of standard output may close it early.
process.stdout.on('error', () => stop.abort());
// Access to the stream puts a pipe into non-blocking mode; its errors cannot be reported anywhere.
process.stderr.on('error', () => {});

const clock = new SystemClock();
const errorOutput = new LineOutput(errorDescriptor(), clock);

const exitCode = await runProgram(
  {
    env: process.env,
    version: readVersion(),
    nodeVersion: process.version,
    clock,
    random: Math.random,
    signal: stop.signal,
    isTerminal: process.stderr.isTTY ?? false,
    get screen() {
      const { isTTY, columns, rows } = process.stdout;
      return isTTY ? { columns, rows } : undefined;
    },
    print: (line) => process.stdout.write(`${line}\n`),
    write: (bytes) => process.stdout.write(bytes),
    printError: (line) => errorOutput.write(line),
    input: new StandardInput({
      input: () => process.stdin,
      output: process.stderr,
      isTerminal: isatty(0) && isatty(2),
      signal: stop.signal,
      interrupt: () => stop.abort(),
    }),
    // Resolved on demand: it takes 20 ms, and most verbs do not need it.
    get timeZone() {
      return Intl.DateTimeFormat().resolvedOptions().timeZone;
    },
    readFile: (path) => readFileSync(path, 'utf8'),
    writeFile: writeFileSync,
    fileExists: existsSync,
  },
  process.argv.slice(2),
);

const outputWritten = new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
const interrupted = aborted(stop.signal).then(() => sleep(clock, LAST_OUTPUT_MS));
await Promise.race([outputWritten, interrupted]);
await errorOutput.flush(LAST_OUTPUT_MS);
// What runs alone in a container is started anew when it ends: not again and again at once.
const [verb = '-'] = process.argv.slice(2);
if (process.pid === 1 && exitCode === EXIT.usage && verb.startsWith('-'))
  await sleep(clock, MISTAKE_MS, stop.signal);
// Something may have been left behind that would keep the program running.
process.exit(exitCode);

/** A terminal is opened a second time: in non-blocking mode Ctrl-S stops what is shown, not the program. */
function errorDescriptor(): number {
  if (!isatty(2)) return 2;
  try {
    return openSync('/dev/stderr', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return 2;
  }
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
}
