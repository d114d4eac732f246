import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { Store } from './store.ts';

/** A round of writes. */
export interface Round {
  /** Milliseconds since 1970: what happened up to then is written. */
  readonly date: number;
  /** Nothing may wait for the next round. */
  readonly isLast: boolean;
}

/** Writes a little, with the transaction that runs; the function that it returns is called once that is kept. */
export type Write = () => (() => void) | undefined;

/** What a part of the bridge has to write in a round, piece by piece. */
export type Writer = (round: Round) => Iterable<Write>;

export interface RoundsOptions {
  readonly store: Store;
  readonly writers: readonly Writer[];
  readonly clock: Clock;
}

const EVERY_MS = 60_000;

/** So many writes are one transaction; input is dealt with before the next. */
const AT_A_TIME = 64;

/** The minute that a round closes has ended this long before at least. */
const CLOSED_MS = 1000;

/**
 * Writes what adds up all the time (energy, history) to the store: at the end of each minute of the wall clock, so that no
 * minute is in two days. What is killed has lost at most one round.
 */
export class Rounds implements Task {
  readonly name = 'rounds';
  readonly #options: RoundsOptions;
  readonly #timer: Timer;
  #writes: Iterator<Write> | undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#begin());
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#wait();
    ready();
    await aborted(signal);
    this.#timer.clear();
    this.#writes = undefined;
    this.writeAll();
  }

  /** Writes all that there is, now: something is about to change that it belongs to. */
  writeAll(): void {
    const writes = this.#gather({ date: this.#options.clock.date(), isLast: true });
    while (this.#writeSome(writes));
  }

  #wait(): void {
    this.#timer.set(EVERY_MS - (this.#options.clock.date() % EVERY_MS));
  }

  #begin(): void {
    this.#writes = this.#gather({ date: this.#options.clock.date() - CLOSED_MS, isLast: false });
    this.#goOn();
  }

  #goOn(): void {
    if (this.#writes === undefined) return;
    if (this.#writeSome(this.#writes)) this.#options.clock.soon(() => this.#goOn());
    else this.#wait();
  }

  *#gather(round: Round): Generator<Write> {
    for (const writer of this.#options.writers) yield* writer(round);
  }

  /** Writes the next few in one transaction; false if there are no more. */
  #writeSome(writes: Iterator<Write>): boolean {
    const kept: (() => void)[] = [];
    let isOver = false;
    const isKept = this.#options.store.transaction(() => {
      for (let count = 0; count < AT_A_TIME && !isOver; count++) {
        const { value: write, done } = writes.next();
        if (done === true) isOver = true;
        else kept.push(write() ?? nothing);
      }
    });
    if (isKept) for (const done of kept) done();
    return !isOver;
  }
}

function nothing(): void {}
