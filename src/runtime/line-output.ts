import { writeSync } from 'node:fs';
import { type Clock, sleep, type Timer } from './clock.ts';

/** Bytes that may wait for a reader that has stopped reading; what comes on top is left out. */
const MOST_WAITING = 1024 * 1024;

/** How often a reader that has stopped reading is tried again. */
const RETRY_MS = 100;

/**
 * Lines for a file descriptor that may be slow, full or gone, as that of a log: nothing that happens to it ends or
 * delays the program. What cannot be written now waits, up to 1 MiB; what cannot be written at all is left out. A
 * pipe, a socket or a terminal must be in non-blocking mode.
 */
export class LineOutput {
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #retry: Timer;
  #waiting: Buffer[] = [];
  #bytes = 0;

  constructor(fd: number, clock: Clock) {
    this.#fd = fd;
    this.#clock = clock;
    this.#retry = clock.timer(() => this.#drain());
  }

  /** Writes a line, given without its end. */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    if (this.#bytes + bytes.length > MOST_WAITING) return;
    this.#bytes += bytes.length;
    if (this.#waiting.push(bytes) === 1) this.#drain();
  }

  /** Resolves when everything is written, at the latest after `withinMs`. */
  async flush(withinMs: number): Promise<void> {
    const until = this.#clock.now() + withinMs;
    while (this.#bytes > 0 && this.#clock.now() < until) await sleep(this.#clock, 10);
    this.#retry.clear();
  }

  #drain(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const written = this.#write(next);
      if (written === undefined) {
        this.#retry.set(RETRY_MS);
        return;
      }
      this.#bytes -= written;
      if (written < next.length) this.#waiting[0] = next.subarray(written);
      else this.#waiting.shift();
    }
  }

  /** How many bytes were dealt with; `undefined` while the reader takes none. */
  #write(bytes: Buffer): number | undefined {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
      // The disk is full or the reader is gone: this line is lost, the next may fare better.
      return bytes.length;
    }
  }
}
