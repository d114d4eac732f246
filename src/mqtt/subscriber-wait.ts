import type { Clock, Timer } from '../runtime/clock.ts';
import type { Message } from './session.ts';
import { matchesFilter } from './topic-filter.ts';

/** How long after the start clients are given to come back and subscribe. */
const WAIT_MS = 60_000;

/** Messages that wait for a subscriber; beyond it the oldest count as taken. */
const MOST_WAITING = 10_000;

/** Sends a message, and calls `unheard` if no client was there to receive it. */
type Send = (message: Message, unheard: () => void) => void;

/** Keeps messages that no client received, for a while after the start of the embedded broker, until a client subscribes. */
export class SubscriberWait {
  readonly #send: Send;
  readonly #timer: Timer;
  readonly #waiting = new Set<Message>();
  #subscriptions = 0;
  #state: 'waiting' | 'over' | 'stopped' = 'waiting';

  constructor(clock: Clock, send: Send) {
    this.#send = send;
    this.#timer = clock.timer(() => this.#release());
  }

  start(): void {
    this.#timer.set(WAIT_MS);
  }

  /** Sends the message; again once a client has subscribed to it, if none has received it and the wait is not over. */
  add(message: Message): void {
    const before = this.#subscriptions;
    this.#send(message, () => {
      if (this.#state === 'over') message.taken?.();
      else if (this.#state === 'stopped') return;
      else if (this.#subscriptions === before) this.#keep(message);
      else this.add(message);
    });
  }

  /** A client has subscribed to these filters. */
  subscribed(filters: readonly string[]): void {
    this.#subscriptions++;
    for (const message of [...this.#waiting]) {
      if (!filters.some((filter) => matchesFilter(filter, message.topic))) continue;
      this.#waiting.delete(message);
      this.add(message);
    }
  }

  /** Ends the wait: what no client has received does not count as taken. */
  stop(): void {
    this.#timer.clear();
    this.#state = 'stopped';
    this.#waiting.clear();
  }

  #keep(message: Message): void {
    const [oldest] = this.#waiting;
    if (oldest !== undefined && this.#waiting.size >= MOST_WAITING) {
      this.#waiting.delete(oldest);
      oldest.taken?.();
    }
    this.#waiting.add(message);
  }

  #release(): void {
    this.#state = 'over';
    for (const message of this.#waiting) message.taken?.();
    this.#waiting.clear();
  }
}
