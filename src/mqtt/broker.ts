import type { Aedes, PublishPacket } from 'aedes';
import type { Logger } from 'pino';
import { type Clock, sleep } from '../runtime/clock.ts';
import { aborted, type Task, within } from '../runtime/supervisor.ts';
import { BrokerClients } from './broker-clients.ts';
import type { ListenerOptions } from './broker-listener.ts';
import { BrokerRules, type OwnTopics } from './broker-rules.ts';
import type { BrokerUser } from './broker-users.ts';
import { nearUrl } from './near-url.ts';
import { LONGEST_TOPIC } from './publish-packet.ts';
import type { Incoming, Message } from './session.ts';
import { matchesFilter } from './topic-filter.ts';

export interface BrokerOptions {
  /** The first is the one that {@link Broker.url} names. */
  readonly listeners: readonly [ListenerOptions, ...ListenerOptions[]];
  /** None: everybody may do everything. */
  readonly users: readonly BrokerUser[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** MQTT 3.1.1 knows no topic for responses and no expiry. */
const NOTHING_MORE = { responseTopic: undefined, correlationData: undefined, expiresInMs: undefined };

interface Listener {
  readonly filter: string;
  readonly received: (incoming: Incoming) => void;
}

/** How long clients may take to receive what was sent to them before the broker closes. */
const FLUSH_MS = 500;

/** The embedded MQTT 3.1.1 broker: for sites that have none, on 127.0.0.1 unless configured otherwise. */
export class Broker implements Task {
  readonly name = 'broker';
  readonly #options: BrokerOptions;
  readonly #clients: BrokerClients;
  readonly #rules: BrokerRules;
  readonly #subscribed: ((filters: readonly string[]) => void)[] = [];
  readonly #cleared: (() => void)[] = [];
  readonly #listeners: Listener[] = [];
  #port: number;
  #aedes: Aedes | undefined;
  #count = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#port = options.listeners[0].port;
    this.#clients = new BrokerClients(options);
    this.#rules = new BrokerRules({
      ...options,
      addressOf: (client) => this.#clients.addressOf(client),
      cleared: () => {
        for (const cleared of this.#cleared) cleared();
      },
    });
  }

  /** Where clients on this machine find it, once it is ready. */
  get url(): string {
    return nearUrl({ host: this.#options.listeners[0].host, port: this.#port });
  }

  /** Keeps the topics of the bridge from clients. */
  protect(own: OwnTopics): void {
    this.#rules.protect(own);
  }

  /**
   * Takes a message from within the program, once the broker is ready. `sent` is called when it has been written to all
   * who are to have it; at QoS 1 with whether any client was connected that has it now.
   */
  publish({ topic, payload, retain, qos }: Message, sent: (isHeard: boolean) => void): void {
    // A longer topic, or one with a wildcard, cannot be sent to clients: MQTT.js and aedes would throw.
    if (Buffer.byteLength(topic) > LONGEST_TOPIC) {
      sent(true);
      return;
    }
    // aedes numbers messages, and passes none on to a client that has had a later one of the same sender. Those of
    // another kind take another time within it and may overtake: each kind is a sender of its own.
    const sender = { brokerId: `bridge, QoS ${qos}, ${retain}`, brokerCounter: ++this.#count };
    const packet = { cmd: 'publish', topic, payload, retain, qos, dup: false, ...sender } as const;
    if (retain) this.#clients.recent.retained(topic, payload);
    if (qos === 1) this.#clients.receivers.follow(sender);
    this.#aedes?.publish(packet, (error) => {
      if (qos === 0) sent(true);
      // A message that cannot be sent is not heard any better the next time.
      else this.#clients.receivers.flushed(sender, (isAny) => sent(isAny || Boolean(error)));
    });
  }

  /** Hands what clients publish on such topics to `received`: at QoS 1 before it is acknowledged. */
  subscribe(filter: string, received: (incoming: Incoming) => void): void {
    this.#listeners.push({ filter, received });
    const deliver = (packet: PublishPacket, done: () => void) => {
      if (packet.qos !== 1) received(incomingOf(packet));
      done();
    };
    this.#aedes?.subscribe(filter, deliver, () => {});
  }

  /** Calls `cleared` when a client has cleared a discovery config of the bridge, as Home Assistant does. */
  onCleared(cleared: () => void): void {
    this.#cleared.push(cleared);
  }

  /** Calls `subscribed` with the topic filters of a client each time it has subscribed. */
  onSubscribe(subscribed: (filters: readonly string[]) => void): void {
    this.#subscribed.push(subscribed);
  }

  /** Rejects if a port cannot be had. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock } = this.#options;
    const aedes = await this.#create();
    const close = await this.#listen(aedes).catch((error: unknown) => {
      // It would keep the program running.
      aedes.close();
      throw error;
    });
    this.#aedes = aedes;
    ready();
    await aborted(signal);
    close();
    await this.#flush();
    await within(clock, FLUSH_MS, new Promise<void>((resolve) => aedes.close(resolve)));
    // Clients that had not logged in yet are unknown to aedes.
    this.#clients.closeAll();
  }

  async #create(): Promise<Aedes> {
    // Most sites have a broker: what is not needed is not loaded, it takes 8 MB.
    const { Aedes } = await import('aedes');
    const authorizePublish = this.#rules.publishing((packet) => {
      if (packet.retain) this.#clients.recent.retained(packet.topic, packet.payload);
      this.#received(packet);
    });
    const aedes = await Aedes.createBroker({
      ...this.#clients.limits(),
      preConnect: (client, packet, done) => {
        this.#clients.completed(client);
        this.#rules.connecting(client, packet, done);
      },
      authenticate: (client, name, password, done) =>
        this.#rules.authenticate(client, name, password, (error, isIn) => {
          if (isIn) this.#clients.loggedIn(client);
          done(error, isIn);
        }),
      authorizePublish: (client, packet, done) => {
        if (client !== null) this.#clients.completed(client);
        authorizePublish(client, packet, done);
      },
      authorizeSubscribe: this.#rules.subscribing,
    });
    this.#clients.watch(aedes);
    aedes.on('subscribe', (subscriptions) => {
      this.#clients.recent.subscribed();
      const filters = subscriptions.map(({ topic }) => topic);
      for (const subscribed of this.#subscribed) subscribed(filters);
    });
    aedes.on('unsubscribe', (filters, client) => this.#rules.unsubscribed(client, filters));
    aedes.on('clientDisconnect', (client) => this.#rules.gone(client));
    return aedes;
  }

  /** Listens at all addresses; returns what ends that. */
  async #listen(aedes: Aedes): Promise<() => void> {
    const { listen } = await import('./broker-listener.ts');
    const { listeners, log } = this.#options;
    const closing: (() => void)[] = [];
    const closeAll = () => {
      for (const close of closing) close();
    };
    for (const [index, options] of listeners.entries()) {
      const { port, close } = await listen(options, {
        connected: (socket) => this.#clients.connected(socket),
        opened: (arrival) => {
          this.#clients.opened(arrival);
          aedes.handle(arrival.stream);
        },
      }).catch((error: unknown) => {
        closeAll();
        throw error;
      });
      closing.push(close);
      if (index === 0) this.#port = port;
      const { host, tls, webSocket = false } = options;
      log.info({ host, port, tls: tls !== undefined, webSocket }, 'embedded broker listens');
    }
    return closeAll;
  }

  /**
   * A client publishes. aedes acknowledges at QoS 1 before it passes a message on: a command would be lost if the
   * program were killed in between.
   */
  #received(packet: PublishPacket): void {
    if (packet.qos !== 1) return;
    for (const { filter, received } of this.#listeners) {
      if (matchesFilter(filter, packet.topic)) received(incomingOf(packet));
    }
  }

  /** Lets clients receive what is on its way to them. */
  async #flush(): Promise<void> {
    const { clock } = this.#options;
    const until = clock.now() + FLUSH_MS;
    await new Promise<void>((resolve) => clock.soon(resolve));
    while (clock.now() < until && !this.#clients.isFlushed) await sleep(clock, 10);
  }
}

function incomingOf({ topic, payload, retain, qos, messageId, dup }: PublishPacket): Incoming {
  const packetId = qos === 1 ? messageId : undefined;
  return { topic, payload: Buffer.from(payload), retain, packetId, dup, ...NOTHING_MORE };
}
