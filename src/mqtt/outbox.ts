import type { Message } from './session.ts';

/** QoS 1 messages on their way at a time, unless the broker wants fewer. */
const WINDOW = 64;

/** Messages that may wait; beyond it the oldest go. */
const MOST_WAITING = 100_000;

/** QoS 1 messages from being wanted to being confirmed by the broker, in order, a window of them on their way. */
export class Outbox {
  readonly #flying = new Set<Message>();
  #waiting = new Set<Message>();
  #window = WINDOW;

  get isEmpty(): boolean {
    return this.#flying.size === 0 && this.#waiting.size === 0;
  }

  /** A connection begins, to a broker that takes so many at a time. */
  open(receiveMaximum: number | undefined): void {
    this.#window = Math.min(WINDOW, receiveMaximum ?? WINDOW);
  }

  add(message: Message): void {
    if (this.#waiting.size >= MOST_WAITING) this.#shift();
    this.#waiting.add(message);
  }

  /** The next message to send, if the window has room for it. */
  next(): Message | undefined {
    if (this.#flying.size >= this.#window) return undefined;
    const message = this.#shift();
    if (message !== undefined) this.#flying.add(message);
    return message;
  }

  /** The broker has confirmed or refused the message. */
  landed(message: Message): void {
    this.#flying.delete(message);
  }

  /** The connection is gone: what is to be kept will be sent again, in the same order. */
  close(): void {
    this.#waiting = new Set([...this.#flying, ...this.#waiting].filter((message) => message.keep));
    this.#flying.clear();
  }

  #shift(): Message | undefined {
    const [oldest] = this.#waiting;
    if (oldest !== undefined) this.#waiting.delete(oldest);
    return oldest;
  }
}
