import type { Clock, Timer } from '../runtime/clock.ts';
import type { Message } from './session.ts';
import { matchesFilter } from './topic-filter.ts';

/** How long after the start clients are given to come back and subscribe. */
const WAIT_MS = 60_000;

/** Topic filters that are noted meanwhile; clients may subscribe to any number. */
const MAX_FILTERS = 10_000;

/** Holds messages, for a while after the start of the embedded broker, until a client has subscribed to them. */
export class SubscriberWait {
  readonly #send: (message: Message) => void;
  readonly #timer: Timer;
  readonly #filters = new Set<string>();
  #waiting: Message[] = [];
  #isOver = false;

  constructor(clock: Clock, send: (message: Message) => void) {
    this.#send = send;
    this.#timer = clock.timer(() => this.#release());
  }

  start(): void {
    this.#timer.set(WAIT_MS);
  }

  /** Sends the message once a client has subscribed to it, or nobody is waited for any longer. */
  add(message: Message): void {
    if (this.#isOver || this.#isHeard(message)) this.#send(message);
    else this.#waiting.push(message);
  }

  /** A client has subscribed to these filters. */
  subscribed(filters: readonly string[]): void {
    if (this.#isOver) return;
    for (const filter of filters) {
      if (this.#filters.size < MAX_FILTERS) this.#filters.add(filter);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.add(message);
  }

  /** Ends the wait without sending: what nobody heard counts as not sent. */
  stop(): void {
    this.#timer.clear();
    this.#isOver = true;
  }

  #release(): void {
    this.stop();
    this.#filters.clear();
    for (const message of this.#waiting.splice(0)) this.#send(message);
  }

  #isHeard({ topic }: Message): boolean {
    for (const filter of this.#filters) if (matchesFilter(filter, topic)) return true;
    return false;
  }
}
