import type { Clock, Timer } from '../runtime/clock.ts';

/** How often it is looked whether the broker confirms what it is sent. */
const LOOK_MS = 10_000;

/** What the watch sees of the messages on their way, and does about them. */
export interface ConfirmationsOptions {
  readonly clock: Clock;
  /** Since when the broker has confirmed nothing that is on its way; `undefined` if nothing is. */
  readonly silentSince: () => number | undefined;
  /** Calls `answered` once the broker has read all that was sent before. */
  readonly ask: (answered: () => void) => void;
  /** The broker confirms nothing. */
  readonly giveUp: () => void;
}

/**
 * Finds a broker that takes messages and confirms none: it is as good as none, and another one, or a new connection, may
 * do. A broker that is busy is not meant, however long it takes: it has not read yet what it does not confirm. So one that
 * confirms nothing is asked for a sign of life, and is given up if it gives one and confirms nothing for as long again.
 */
export class Confirmations {
  readonly #options: ConfirmationsOptions;
  readonly #timer: Timer;
  /** Since when the broker was silent that was asked, and whether it has answered. */
  #asked: number | undefined;
  #isAnswered = false;

  constructor(options: ConfirmationsOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#look());
  }

  /** A connection begins. */
  open(): void {
    this.#asked = undefined;
    this.#timer.set(LOOK_MS);
  }

  /** The connection is over. */
  close(): void {
    this.#timer.clear();
  }

  #look(): void {
    const { clock, silentSince, giveUp } = this.#options;
    this.#timer.set(LOOK_MS);
    const since = silentSince();
    if (since === undefined || clock.now() - since < LOOK_MS) this.#asked = undefined;
    else if (this.#asked !== since) this.#ask(since);
    else if (this.#isAnswered) giveUp();
  }

  #ask(since: number): void {
    this.#asked = since;
    this.#isAnswered = false;
    this.#options.ask(() => {
      if (this.#asked === since) this.#isAnswered = true;
    });
  }
}
