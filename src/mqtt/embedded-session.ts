import type { Logger } from 'pino';
import { type Clock, sleep } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { Broker } from './broker.ts';
import { type Incoming, type Message, type MqttSession, type SessionStatus, SHUTDOWN_MS } from './session.ts';
import { SessionRegistry } from './session-registry.ts';
import { SubscriberWait } from './subscriber-wait.ts';

export interface EmbeddedSessionOptions {
  readonly broker: Broker;
  /** The topic that says whether the bridge is there. */
  readonly stateTopic: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long after a client has cleared what the bridge had announced everything is published anew. */
const TELL_AGAIN_MS = 2000;

/** The bridge at its own broker: handed over within the program, without a network, packets, or a way to lose them. */
export class EmbeddedSession implements Task, MqttSession {
  readonly name = 'mqtt';
  readonly clientId = null;
  readonly congested = false;
  readonly refused = [];
  readonly #options: EmbeddedSessionOptions;
  readonly #registry: SessionRegistry;
  readonly #subscriberWait: SubscriberWait;
  /** What is to be kept of what was published before the session opened. */
  #early: Message[] = [];
  #open = false;
  #inFlight = 0;

  constructor(options: EmbeddedSessionOptions) {
    this.#options = options;
    this.#registry = new SessionRegistry(options.log);
    this.#subscriberWait = new SubscriberWait(options.clock, (message, unheard) =>
      this.#send(message, unheard),
    );
  }

  get status(): SessionStatus {
    return this.#open ? 'subscribed' : 'away';
  }

  onConnect(connected: () => void): void {
    this.#registry.onConnect(connected);
  }

  onDelivered(delivered: () => void): void {
    this.#registry.onDelivered(delivered);
  }

  listen(filters: readonly string[], received: (incoming: Incoming) => void, qos: 0 | 1 = 0): void {
    for (const filter of this.#registry.listen(filters, received, qos)) {
      if (this.#open) this.#subscribe(filter);
    }
  }

  whenFree(resume: () => void): void {
    resume();
  }

  publish(message: Message): void {
    if (!this.#open) {
      if (message.keep) this.#early.push(message);
    } else if (message.awaitSubscriber) this.#subscriberWait.add(message);
    else this.#send(message);
  }

  /** Opens once everything that publishes and listens has started; the broker runs already. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { broker, stateTopic, clock } = this.#options;
    const again = clock.timer(() => this.#registry.opened());
    // A device is cleared topic by topic where each entity has its own.
    broker.onCleared(() => again.set(TELL_AGAIN_MS));
    broker.onSubscribe((filters) => this.#subscriberWait.subscribed(filters));
    clock.soon(() => {
      if (!signal.aborted) this.#begin();
    });
    ready();
    await aborted(signal);
    again.clear();
    this.publish({ topic: stateTopic, payload: 'offline', retain: true, qos: 1 });
    this.#open = false;
    this.#subscriberWait.stop();
    const until = clock.now() + SHUTDOWN_MS;
    while (this.#inFlight > 0 && clock.now() < until) await sleep(clock, 5);
  }

  #begin(): void {
    const { stateTopic } = this.#options;
    this.#open = true;
    this.#subscriberWait.start();
    for (const filter of this.#registry.filters.keys()) this.#subscribe(filter);
    this.#registry.opened();
    this.publish({ topic: stateTopic, payload: 'online', retain: true, qos: 1 });
    for (const message of this.#early.splice(0)) this.publish(message);
  }

  #subscribe(filter: string): void {
    this.#options.broker.subscribe(filter, (incoming) => this.#registry.received(incoming));
  }

  /** Without a wait for subscribers, a message that no client received counts as taken. */
  #send(message: Message, unheard = () => message.taken?.()): void {
    if (message.qos === 1) this.#inFlight++;
    this.#options.broker.publish(message, (isHeard) => {
      if (isHeard) message.taken?.();
      else unheard();
      if (message.qos === 0 || --this.#inFlight > 0) return;
      this.#registry.delivered();
    });
  }
}
