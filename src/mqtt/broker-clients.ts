import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Aedes, AedesOptions, Client, PublishPacket } from 'aedes';
import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import { LimitedWarning } from './limited-warning.ts';
import { Receivers } from './receivers.ts';

/** Connections at a time; more are closed at once. */
export const MAX_CONNECTIONS = 1000;

/** Bytes of a CONNECT: until it is complete the client is not authenticated. */
const MAX_CONNECT_BYTES = 256 * 1024;

/** Bytes of any other packet. */
const MAX_PACKET_BYTES = 4 * 1024 * 1024;

/** Bytes that wait for a client to read them. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** How long a client may take to read what has been sent to it, or to log in. */
const SLOW_MS = 10_000;

/** The clients of the embedded broker, and what each may cost: none may stall or exhaust what serves the others. */
export class BrokerClients {
  readonly sockets = new Set<Socket>();
  readonly receivers = new Receivers();
  readonly #log: Logger;
  readonly #stalled: LimitedWarning;
  readonly #oversized: LimitedWarning;
  readonly #turnedAway: LimitedWarning;
  /** Bytes that a client had sent when its last packet was complete; not there before its CONNECT. */
  readonly #complete = new WeakMap<object, number>();

  constructor(options: { clock: Clock; log: Logger }) {
    this.#log = options.log;
    this.#stalled = new LimitedWarning('a client does not read what it is sent; disconnected', options);
    this.#oversized = new LimitedWarning('a client sent a packet that is too large; disconnected', options);
    this.#turnedAway = new LimitedWarning('too many connections; closed', options);
  }

  /** Options for aedes. `published` is called with what a client may publish, before it is acknowledged. */
  limits(published: (packet: PublishPacket) => void): AedesOptions {
    return {
      // Otherwise a hundred messages that one client does not read would hold up all others.
      concurrency: 0,
      drainTimeout: SLOW_MS,
      connectTimeout: SLOW_MS,
      preConnect: (client, _packet, done) => {
        this.#completed(client);
        done(null, true);
      },
      authorizePublish: (client, packet, done) => {
        if (client !== null) this.#completed(client);
        const isReserved = packet.topic.startsWith('$SYS/');
        if (!isReserved) published(packet);
        done(isReserved ? new Error('topics below $SYS belong to the broker') : null);
      },
      authorizeForward: (client, packet) => {
        if (!this.#reads(client)) return null;
        this.receivers.add(packet, client.conn);
        return packet;
      },
    };
  }

  add(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('readable', () => this.#checkSize(socket));
  }

  turnedAway(): void {
    this.#turnedAway.warn({ connections: this.sockets.size });
  }

  /** Follows what clients send, and how they end. */
  watch(aedes: Aedes): void {
    const emitter: EventEmitter = aedes;
    for (const event of ['subscribe', 'unsubscribe', 'ping', 'ack'])
      emitter.on(event, (_packet: unknown, client: Client) => this.#completed(client));
    const ended = (client: Client, error: Error) => {
      if (error.message === 'drain timeout') this.#stalled.warn({ client: client.id });
      else this.#log.debug({ client: client.id, reason: error.message }, 'a client was disconnected');
    };
    aedes.on('clientError', ended);
    aedes.on('connectionError', ended);
    emitter.on('error', (error: unknown) => this.#log.error({ err: error }, 'the embedded broker failed'));
  }

  #completed({ conn }: Client): void {
    if ('bytesRead' in conn) this.#complete.set(conn, conn.bytesRead);
  }

  #checkSize(socket: Socket): void {
    const complete = this.#complete.get(socket);
    const bytes = socket.bytesRead - (complete ?? 0);
    if (bytes <= (complete === undefined ? MAX_CONNECT_BYTES : MAX_PACKET_BYTES)) return;
    this.#oversized.warn({ address: socket.remoteAddress, bytes });
    socket.destroy();
  }

  /** Whether a client takes what it is sent; one that has let too much wait is disconnected. */
  #reads({ id, conn }: Client): boolean {
    if (conn.writableLength <= MAX_BUFFERED_BYTES) return true;
    if (!conn.destroyed) this.#stalled.warn({ client: id, bytes: conn.writableLength });
    conn.destroy();
    return false;
  }
}
