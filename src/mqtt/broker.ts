import { createServer, type Server } from 'node:net';
import type { Aedes, AedesOptions, PublishPacket } from 'aedes';
import type { Logger } from 'pino';
import { BridgeError } from '../errors.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import { sameSecret } from '../runtime/same-secret.ts';
import { aborted, type Task, within } from '../runtime/supervisor.ts';
import { BrokerClients, MAX_CONNECTIONS } from './broker-clients.ts';
import { LONGEST_TOPIC } from './publish-packet.ts';
import type { Incoming, Message } from './session.ts';
import { matchesFilter } from './topic-filter.ts';

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
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
  readonly #subscribed: ((filters: readonly string[]) => void)[] = [];
  readonly #listeners: Listener[] = [];
  #port: number;
  #aedes: Aedes | undefined;
  #count = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#clients = new BrokerClients(options);
  }

  /** Where clients on this machine find it, once it is ready. */
  get url(): string {
    return nearUrl({ host: this.#options.host, port: this.#port });
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

  /** Calls `subscribed` with the topic filters of a client each time it has subscribed. */
  onSubscribe(subscribed: (filters: readonly string[]) => void): void {
    this.#subscribed.push(subscribed);
  }

  /** Rejects if the port cannot be had. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { host, port, clock, log } = this.#options;
    // Most sites have a broker: what is not needed is not loaded, it takes 8 MB.
    const { Aedes } = await import('aedes');
    const aedes = await Aedes.createBroker({
      ...this.#clients.limits((packet) => this.#received(packet)),
      authenticate: this.#authenticate(),
    });
    const server = this.#serverFor(aedes);
    this.#port = await listen(server, host, port).catch((error: unknown) => {
      // It would keep the program running.
      aedes.close();
      throw error;
    });
    this.#aedes = aedes;
    log.info({ host, port: this.#port }, 'embedded broker listens');
    ready();
    await aborted(signal);
    server.close();
    await this.#flush();
    await within(clock, FLUSH_MS, new Promise<void>((resolve) => aedes.close(resolve)));
    // Clients that had not logged in yet are unknown to aedes.
    for (const socket of this.#clients.sockets) socket.destroy();
  }

  #serverFor(aedes: Aedes): Server {
    this.#clients.watch(aedes);
    aedes.on('subscribe', (subscriptions) => {
      const filters = subscriptions.map(({ topic }) => topic);
      for (const subscribed of this.#subscribed) subscribed(filters);
    });
    // Nagle's algorithm would hold back a publish behind an unacknowledged one for some 40 ms.
    const server = createServer({ noDelay: true }, (socket) => {
      this.#clients.add(socket);
      aedes.handle(socket);
    });
    server.maxConnections = MAX_CONNECTIONS;
    return server.on('drop', () => this.#clients.turnedAway());
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
    while (clock.now() < until && [...this.#clients.sockets].some((socket) => socket.writableLength > 0)) {
      await sleep(clock, 10);
    }
  }

  #authenticate(): Required<AedesOptions>['authenticate'] {
    const { username, password } = this.#options;
    return (_client, name, secret, done) => {
      done(
        null,
        username === undefined || (sameSecret(name, username) && sameSecret(secret?.toString(), password)),
      );
    };
  }
}

function incomingOf({ topic, payload, retain, qos, messageId, dup }: PublishPacket): Incoming {
  const packetId = qos === 1 ? messageId : undefined;
  return { topic, payload: Buffer.from(payload), retain, packetId, dup, ...NOTHING_MORE };
}

/** Where clients on this machine find a broker that listens there. */
export function nearUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  const near =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `mqtt://${near}:${port}`;
}

/** Resolves with the port, which the system chooses if `port` is 0. */
function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE' ? 'the port is taken: another broker runs there' : cause.message;
      const cure = 'set mqtt.url to use that broker, or broker.listen to another port';
      reject(
        new BridgeError(
          'broker-cannot-listen',
          `the broker cannot listen on ${host}:${port}: ${why}; ${cure}`,
          { cause },
        ),
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
