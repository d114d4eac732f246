import type { Logger } from 'pino';
import type { Message } from './session.ts';

/** Groups of topics that are logged: others may have thought them up. */
const MOST = 100;

/** Characters of a topic in a log line. */
const MAX_LOGGED_TOPIC = 200;

/** Says once what a broker does not take: an access list often forbids all topics of a kind. */
export class RejectedMessages {
  readonly #log: Logger;
  /** The first levels of topics at which a message was too large. */
  readonly #tooLarge = new Set<string>();
  /** By first level: a topic at which a message was refused, and none taken since. */
  readonly #refused = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The broker refuses a message, for example as its access list forbids the topic. */
  refused({ topic }: Message, refusal: Error): void {
    const group = groupOf(topic);
    if (this.#refused.has(group) || this.#refused.size >= MOST) return;
    this.#refused.set(group, topic);
    this.#log.warn(
      { topic: topic.slice(0, MAX_LOGGED_TOPIC), below: group, reason: refusal.message },
      'the broker refuses a message; others of that kind are not logged',
    );
  }

  accepted({ topic }: Message): void {
    if (this.#refused.size > 0 && this.#refused.get(groupOf(topic)) === topic)
      this.#refused.delete(groupOf(topic));
  }

  tooLarge(topic: string, size: number, largest: number): void {
    const group = groupOf(topic);
    if (this.#tooLarge.has(group) || this.#tooLarge.size >= MOST) return;
    this.#tooLarge.add(group);
    const details = { topic: topic.slice(0, MAX_LOGGED_TOPIC), below: group, size, largest };
    this.#log.warn(
      details,
      'the broker takes no message of this size; left out, as others of that kind, which are not logged',
    );
  }

  /** A message is given up, over which the broker ended the connection. */
  dropped({ topic, payload }: Message): void {
    const details = { topic: topic.slice(0, MAX_LOGGED_TOPIC), bytes: Buffer.byteLength(payload) };
    this.#log.error(details, 'the broker closed the connection over this message twice; dropped');
  }
}

/** The first level of a topic. */
function groupOf(topic: string): string {
  return topic.split('/', 1)[0]?.slice(0, MAX_LOGGED_TOPIC) ?? '';
}
