import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Aedes, AedesOptions, Client } from 'aedes';
import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import type { Arrival } from './broker-listener.ts';
import { LimitedWarning } from './limited-warning.ts';
import { Receivers } from './receivers.ts';
import { RecentRetained } from './recent-retained.ts';

/** Connections at a time; more are closed at once. */
const MOST_CONNECTIONS = 1000;

/** Connections that have not logged in; where there are more, the one that has been there longest is closed. */
const MOST_STRANGERS = 100;

/** Bytes of a CONNECT: until it is complete the client is not authenticated. */
const MAX_CONNECT_BYTES = 64 * 1024;

/** Bytes of any other packet. */
const MAX_PACKET_BYTES = 4 * 1024 * 1024;

/** Bytes that wait for a client to read them. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** How long a client may take to read what has been sent to it, or to log in. */
const SLOW_MS = 10_000;

/** The clients of the embedded broker, and what each may cost: none may stall or exhaust what serves the others. */
export class BrokerClients {
  readonly receivers = new Receivers();
  readonly recent: RecentRetained;
  /** Streams on which MQTT is spoken, and the connection that each lies within. */
  readonly #streams = new Map<Duplex, Socket>();
  readonly #sockets = new Set<Socket>();
  /** Those of them on which nobody has logged in, by their ends, the oldest first. */
  readonly #strangers = new Map<string, Socket>();
  readonly #log: Logger;
  readonly #stalled: LimitedWarning;
  readonly #oversized: LimitedWarning;
  readonly #turnedAway: LimitedWarning;
  readonly #idle: LimitedWarning;
  /** Bytes that a client had sent when its last packet was complete; not there before its CONNECT. */
  readonly #complete = new WeakMap<Socket, number>();

  constructor(options: { clock: Clock; log: Logger }) {
    this.#log = options.log;
    this.recent = new RecentRetained(options.clock);
    this.#stalled = new LimitedWarning('a client does not read what it is sent; disconnected', options);
    this.#oversized = new LimitedWarning('a client sent a packet that is too large; disconnected', options);
    this.#turnedAway = new LimitedWarning('too many connections; closed', options);
    this.#idle = new LimitedWarning('too many connections that do not log in; the oldest closed', options);
  }

  /** Options for aedes. */
  limits(): AedesOptions {
    return {
      // Otherwise a hundred messages that one client does not read would hold up all others.
      concurrency: 0,
      drainTimeout: SLOW_MS,
      connectTimeout: SLOW_MS,
      authorizeForward: (client, packet) => {
        const newest = packet.retain ? this.recent.newest(packet.topic) : undefined;
        if (newest !== undefined) packet.payload = newest;
        if (newest?.length === 0 || !this.#reads(client)) return null;
        this.receivers.add(packet, client.conn);
        return packet;
      },
    };
  }

  /** Whether all clients have what was sent to them. */
  get isFlushed(): boolean {
    return [...this.#streams.keys()].every((stream) => stream.writableLength === 0);
  }

  /** There is a connection, on which nothing has been said. */
  connected(socket: Socket): void {
    if (this.#sockets.size >= MOST_CONNECTIONS) {
      this.#turnedAway.warn({ connections: this.#sockets.size });
      socket.destroy();
      return;
    }
    const ends = endsOf(socket);
    this.#sockets.add(socket);
    this.#strangers.set(ends, socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#strangers.delete(ends);
    });
    const [oldest] = this.#strangers;
    if (this.#strangers.size <= MOST_STRANGERS || oldest === undefined) return;
    this.#idle.warn({ address: oldest[1].remoteAddress });
    this.#strangers.delete(oldest[0]);
    oldest[1].destroy();
  }

  /** MQTT may be spoken from now on. */
  opened({ stream, socket }: Arrival): void {
    this.#streams.set(stream, socket);
    stream.on('close', () => this.#streams.delete(stream));
    stream.on('readable', () => this.#checkSize(stream, socket));
  }

  /** A client has sent a whole packet. */
  completed({ conn }: Client): void {
    const socket = this.#streams.get(conn);
    if (socket !== undefined) this.#complete.set(socket, socket.bytesRead);
  }

  loggedIn({ conn }: Client): void {
    const socket = this.#streams.get(conn);
    if (socket !== undefined) this.#strangers.delete(endsOf(socket));
  }

  addressOf({ conn }: Client): string {
    return this.#streams.get(conn)?.remoteAddress ?? '';
  }

  /** Closes all connections, those too on which nobody has logged in. */
  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Follows what clients send, and how they end. */
  watch(aedes: Aedes): void {
    const emitter: EventEmitter = aedes;
    for (const event of ['subscribe', 'unsubscribe', 'ping', 'ack'])
      emitter.on(event, (_packet: unknown, client: Client) => this.completed(client));
    const ended = (client: Client, error: Error) => {
      if (error.message === 'drain timeout') this.#stalled.warn({ client: client.id });
      else this.#log.debug({ client: client.id, reason: error.message }, 'a client was disconnected');
    };
    aedes.on('clientError', ended);
    aedes.on('connectionError', ended);
    emitter.on('error', (error: unknown) => this.#log.error({ err: error }, 'the embedded broker failed'));
  }

  #checkSize(stream: Duplex, socket: Socket): void {
    const complete = this.#complete.get(socket);
    const bytes = socket.bytesRead - (complete ?? 0);
    if (bytes <= (complete === undefined ? MAX_CONNECT_BYTES : MAX_PACKET_BYTES)) return;
    this.#oversized.warn({ address: socket.remoteAddress, bytes });
    stream.destroy();
  }

  /** Whether a client takes what it is sent; one that has let too much wait is disconnected. */
  #reads({ id, conn }: Client): boolean {
    if (conn.writableLength <= MAX_BUFFERED_BYTES) return true;
    if (!conn.destroyed) this.#stalled.warn({ client: id, bytes: conn.writableLength });
    conn.destroy();
    return false;
  }
}

/** What tells a connection from all others, also from within TLS. */
function endsOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
