import type { Message } from './session.ts';

/** QoS 1 messages on their way at a time, at first and at most, unless the broker wants fewer. */
const FIRST_WINDOW = 8;
const MOST_WINDOW = 64;

/** A broker that takes so long over one message, with others waiting, is slow: a node of a cluster that cannot reach the others. */
const SLOW_MS = 1000;

/** Messages that may wait; beyond it the oldest go. */
const MOST_WAITING = 100_000;

/** Above so many that wait, states had better not be added. */
const CROWD = 256;

/** A broker that ends the connection over a message does so at once: within this time after it was sent. */
const SUSPECT_MS = 2000;

/** A message over which the connection was lost so many times in a row is given up. */
const MOST_LOSSES = 2;

/**
 * QoS 1 messages from being wanted to being confirmed by the broker, in order, a window of them on their way. While the
 * broker is slow the window is small, and what somebody waits for goes first: receipts, and whether the bridge is there,
 * before the hundreds of messages that are published anew after an outage.
 */
export class Outbox {
  /** Messages that were sent and not confirmed yet, and when they were sent. */
  readonly #inFlight = new Map<Message, number>();
  /** Messages that were on their way when the connection was lost, and how often each was the first of them. */
  readonly #suspects = new Map<Message, number>();
  #waiting = new Set<Message>();
  /** Those of them that go first while the broker is slow. */
  #urgent = new Set<Message>();
  #window = FIRST_WINDOW;
  #mostInFlight = MOST_WINDOW;
  /** When a message was confirmed last. */
  #settledAt = Number.NEGATIVE_INFINITY;

  get isEmpty(): boolean {
    return this.#inFlight.size === 0 && this.#waiting.size === 0;
  }

  /** Since when the broker has confirmed nothing that is on its way; `undefined` if nothing is. */
  get silentSince(): number | undefined {
    const [first] = this.#inFlight.values();
    return first === undefined ? undefined : Math.max(first, this.#settledAt);
  }

  /** Whether so many messages wait that others would wait for long. */
  get isCrowded(): boolean {
    return this.#waiting.size > CROWD;
  }

  /** Whether the last connection may have been lost over a message that is still to be sent. */
  get hasSuspects(): boolean {
    return this.#suspects.size > 0;
  }

  /** A connection begins, to a broker that takes so many at a time. */
  open(receiveMaximum: number | undefined): void {
    this.#mostInFlight = Math.min(MOST_WINDOW, receiveMaximum ?? MOST_WINDOW);
    this.#window = Math.min(FIRST_WINDOW, this.#mostInFlight);
  }

  add(message: Message): void {
    if (this.#waiting.size >= MOST_WAITING) this.#dropOldest();
    this.#waiting.add(message);
    if (message.keep || message.urgent) this.#urgent.add(message);
  }

  /** The next message to send at time `now`, if the window has room for it. Suspects go one at a time. */
  next(now: number): Message | undefined {
    const window = this.#suspects.size > 0 ? 1 : this.#window;
    if (this.#inFlight.size >= window) return undefined;
    const message = this.#shift();
    if (message !== undefined) this.#inFlight.set(message, now);
    return message;
  }

  /** The broker has confirmed or refused the message, at time `now`. */
  settle(message: Message, now: number): void {
    const isSlow = now - (this.silentSince ?? now) > SLOW_MS;
    this.#window = isSlow ? Math.max(1, this.#window >> 1) : Math.min(this.#window + 1, this.#mostInFlight);
    this.#settledAt = now;
    this.#inFlight.delete(message);
    this.#suspects.delete(message);
  }

  /**
   * The connection was lost; `now` is the time of that if a message may be the reason. What is to be kept will be sent
   * again, in the same order. Returns the message that is given up because it cost the connection twice, if there is
   * one. A broker confirms in order, so the suspect is the first message without a confirmation; the second time it
   * was the only one on its way.
   */
  close(now: number | undefined): Message | undefined {
    const dropped = now === undefined ? undefined : this.#blame(now);
    const unconfirmed = [...this.#inFlight.keys(), ...this.#waiting];
    this.#waiting = new Set(unconfirmed.filter((message) => message.keep && message !== dropped));
    this.#urgent = new Set(this.#waiting);
    this.#inFlight.clear();
    return dropped;
  }

  /** Notes which message may have cost the connection; returns it if it did so too often. */
  #blame(now: number): Message | undefined {
    const [first] = this.#inFlight;
    if (first === undefined || now - first[1] > SUSPECT_MS) return undefined;
    for (const message of this.#inFlight.keys()) {
      if (message.keep) this.#suspects.set(message, this.#suspects.get(message) ?? 0);
    }
    const [message] = first;
    const losses = (this.#suspects.get(message) ?? 0) + 1;
    if (message.keep) this.#suspects.set(message, losses);
    if (losses < MOST_LOSSES) return undefined;
    this.#suspects.delete(message);
    return message;
  }

  #dropOldest(): void {
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    this.#remove(oldest);
    this.#suspects.delete(oldest);
  }

  #shift(): Message | undefined {
    const isSlow = this.#window < Math.min(FIRST_WINDOW, this.#mostInFlight);
    const [urgent] = isSlow ? this.#urgent : [];
    const [oldest] = this.#waiting;
    const next = urgent ?? oldest;
    if (next !== undefined) this.#remove(next);
    return next;
  }

  #remove(message: Message): void {
    this.#waiting.delete(message);
    this.#urgent.delete(message);
  }
}
