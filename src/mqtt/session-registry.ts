import type { Logger } from 'pino';
import type { Incoming } from './session.ts';

/** The listeners of a session and the topic filters they asked for; either kind of session keeps them here. */
export class SessionRegistry {
  readonly #log: Logger;
  /** Topic filters, and the QoS that each is subscribed with. */
  readonly filters = new Map<string, 0 | 1>();
  readonly #connected: (() => void)[] = [];
  readonly #delivered: (() => void)[] = [];
  readonly #received = new Set<(incoming: Incoming) => void>();
  #isOpen = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Adds a listener that is called after each connect; at once if there is a connection already. */
  onConnect(connected: () => void): void {
    this.#connected.push(connected);
    if (this.#isOpen) this.#call(connected, {});
  }

  onDelivered(delivered: () => void): void {
    this.#delivered.push(delivered);
  }

  /** Adds a listener to all messages, and its filters, perhaps to those that it has; returns those that are new. */
  listen(filters: readonly string[], received: (incoming: Incoming) => void, qos: 0 | 1): string[] {
    this.#received.add(received);
    const added = filters.filter((filter) => !this.filters.has(filter));
    for (const filter of filters) this.filters.set(filter, this.filters.get(filter) === 1 ? 1 : qos);
    return added;
  }

  /** There is a connection. */
  opened(): void {
    this.#isOpen = true;
    for (const connected of this.#connected) this.#call(connected, {});
  }

  /** There is none any more. */
  closed(): void {
    this.#isOpen = false;
  }

  /** All that was sent at QoS 1 has been taken. */
  delivered(): void {
    for (const delivered of this.#delivered) this.#call(delivered, {});
  }

  /** Hands a message to every listener. */
  received(incoming: Incoming): void {
    const topic = incoming.topic.slice(0, MAX_LOGGED_TOPIC);
    for (const received of this.#received) this.#call(() => received(incoming), { topic });
  }

  /** What one listener fails at concerns neither the others nor the connection. */
  #call(listener: () => void, details: object): void {
    try {
      listener();
    } catch (error) {
      this.#log.error({ err: error, ...details }, 'a listener of the MQTT session failed');
    }
  }
}

/** Characters of a topic in a log line. */
const MAX_LOGGED_TOPIC = 200;
