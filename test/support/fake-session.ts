import type { Incoming, Message, MqttSession, RefusedFilter, SessionStatus } from '../../src/mqtt/session.ts';

/** A connection to a broker that is not there: holds what was published, and says what a test lets it. */
export class FakeSession implements MqttSession {
  /** Everything published, oldest first. */
  readonly messages: Message[] = [];
  readonly filters: string[] = [];
  /** Those of them for which the broker queues messages. */
  readonly queued: string[] = [];
  status: SessionStatus = 'subscribed';
  readonly clientId = 'bridge';
  congested = false;
  refused: RefusedFilter[] = [];
  /** How many wait for the broker to take more. */
  readonly waiting: (() => void)[] = [];
  /** Called with each message. */
  onPublish: (message: Message) => void = () => {};
  readonly #connected: (() => void)[] = [];
  readonly #delivered: (() => void)[] = [];
  readonly #received = new Set<(incoming: Incoming) => void>();

  publish(message: Message): void {
    this.messages.push(message);
    this.onPublish(message);
  }

  whenFree(resume: () => void): void {
    this.waiting.push(resume);
  }

  onConnect(connected: () => void): void {
    this.#connected.push(connected);
  }

  onDelivered(delivered: () => void): void {
    this.#delivered.push(delivered);
  }

  listen(filters: readonly string[], received: (incoming: Incoming) => void, qos: 0 | 1 = 0): void {
    this.filters.push(...filters);
    if (qos === 1) this.queued.push(...filters);
    this.#received.add(received);
  }

  connect(): void {
    for (const connected of this.#connected) connected();
  }

  /** The broker has taken all that must not be lost. */
  deliver(): void {
    for (const delivered of this.#delivered) delivered();
  }

  /** The broker takes more again. */
  free(): void {
    this.congested = false;
    for (const resume of this.waiting.splice(0)) resume();
  }

  /** A message arrives. */
  receive(topic: string, payload: string, more: Partial<Incoming> = {}): void {
    const incoming = { topic, payload: Buffer.from(payload), retain: false, ...NOTHING_MORE, ...more };
    for (const received of this.#received) received(incoming);
  }

  /** What was published since this was last asked, by topic. */
  news(): { [topic: string]: string } {
    return Object.fromEntries(this.messages.splice(0).map(({ topic, payload }) => [topic, payload]));
  }

  /** What was published on a topic, oldest first. */
  on(topic: string): string[] {
    return this.messages.filter((message) => message.topic === topic).map(({ payload }) => payload);
  }
}

const NOTHING_MORE = {
  responseTopic: undefined,
  correlationData: undefined,
  packetId: undefined,
  dup: false,
  expiresInMs: undefined,
};
