import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineOutput } from '../../src/runtime/line-output.ts';
import { ManualClock } from '../support/manual-clock.ts';

const RETRY_MS = 100;

let folder: string;
let pipe: number;
let clock: ManualClock;
let output: LineOutput;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
  const fifo = join(folder, 'pipe');
  execFileSync('mkfifo', [fifo]);
  pipe = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  clock = new ManualClock();
  output = new LineOutput(pipe, clock);
});

afterEach(() => {
  closeSync(pipe);
  rmSync(folder, { recursive: true });
});

/** What lies in the pipe at the moment. */
function taken(): string {
  const chunk = Buffer.alloc(1024 * 1024);
  try {
    return chunk.toString('utf8', 0, readSync(pipe, chunk));
  } catch {
    return '';
  }
}

/** All that comes out while somebody reads. */
async function readAll(): Promise<string> {
  let text = '';
  for (let chunk = taken(); chunk !== ''; chunk = taken()) {
    text += chunk;
    await clock.advance(RETRY_MS);
  }
  return text;
}

const line = (number: number) => `line ${number} ${'x'.repeat(1000)}`;

describe('lines for a reader', () => {
  it('are written at once while there is room', () => {
    output.write('one');
    output.write('zwei ü');
    expect(taken()).toBe('one\nzwei ü\n');
    expect(clock.armed).toBe(0);
  });

  it('wait while it does not read, and then come whole and in order', async () => {
    const lines = Array.from({ length: 500 }, (_, number) => line(number));
    for (const one of lines) output.write(one);
    expect((await readAll()).trimEnd().split('\n')).toEqual(lines);
    expect(clock.armed).toBe(0);
  });

  it('are left out whole beyond a mebibyte, and come again once it reads', async () => {
    for (let number = 0; number < 3000; number++) output.write(line(number));
    const lines = (await readAll()).trimEnd().split('\n');
    expect(lines).toEqual(lines.map((_, number) => line(number)));
    expect(lines.length).toBeGreaterThan(1000);
    expect(lines.length).toBeLessThan(1200);
    output.write('again');
    expect(taken()).toBe('again\n');
  });

  it('hold up an end no longer than they may', async () => {
    for (let number = 0; number < 500; number++) output.write(line(number));
    let flushed = false;
    const flush = output.flush(200).then(() => {
      flushed = true;
    });
    await clock.advance(190);
    expect(flushed).toBe(false);
    await clock.advance(20);
    await flush;
    expect(clock.armed).toBe(0);
  });

  it('are lost where they cannot be written, and nothing else happens', () => {
    const full = openSync('/dev/full', 'w');
    const lost = new LineOutput(full, clock);
    lost.write('one');
    lost.write('two');
    closeSync(full);
    lost.write('three');
    expect(clock.armed).toBe(0);
  });
});
