import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { IConnackPacket, IPublishPacket, ISubscriptionMap, MqttClient } from 'mqtt';
import type { Clock } from '../runtime/clock.ts';
import { within } from '../runtime/supervisor.ts';
import type { Disconnect } from './disconnect.ts';
import type { ProtocolVersion } from './protocol-versions.ts';
import { publishPacket } from './publish-packet.ts';
import type { Incoming, Message, RefusedFilter } from './session.ts';

/** Bytes on their way to the broker above which publishing pauses. */
const CONGESTED_BYTES = 64 * 1024;

/** Codes in SUBACK from here on are refusals. */
const FIRST_REFUSAL = 128;

/** The refusal that MQTT 3.1.1 knows, which says no more. */
const UNSPECIFIED = 128;

export interface ConnectionListeners {
  /** The broker has taken the login. */
  readonly opened: (connack: IConnackPacket) => void;
  /** A message has arrived. At QoS 1 it is acknowledged as soon as this returns, and no later packet is read before. */
  readonly received: (incoming: Incoming) => void;
  /** The connection is over, or could not be made. */
  readonly closed: (disconnect: Disconnect) => void;
}

/** One connection to a broker, from CONNECT to its end; it is never made again. */
export class Connection {
  readonly version: ProtocolVersion;
  readonly #client: MqttClient;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  /** Whether the broker still had the session of the connection before. */
  #isResumed = false;
  /** Packet ids of what was received on this connection at QoS 1. */
  readonly #received = new Set<number>();
  #isCorked = false;
  /** PINGREQs sent so far, and PINGRESPs received: the broker answers them in order. */
  #pings = 0;
  #answers = 0;
  /** Who waits for the answer to which PINGREQ. */
  readonly #asked: { readonly ping: number; readonly answered: () => void }[] = [];
  /** Why the bridge ended the connection, if it did. */
  #givenUp: string | undefined;

  constructor(client: MqttClient, version: ProtocolVersion, clock: Clock, listeners: ConnectionListeners) {
    this.#client = client;
    this.version = version;
    this.#clock = clock;
    // A publish behind an unacknowledged one would otherwise wait for some 40 ms.
    if (isSocket(client.stream)) client.stream.setNoDelay(true);
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'connack') this.#isResumed = packet.sessionPresent;
      else if (packet.cmd === 'pingresp') this.#answered();
    });
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'pingreq') this.#pings++;
    });
    client.on('connect', listeners.opened);
    client.on('message', (topic, payload, packet) =>
      listeners.received(incomingOf(topic, payload, packet, this.#noteDelivery(packet))),
    );
    this.#follow(listeners.closed);
  }

  /**
   * Notes the packet id, and tells whether it may be that of an earlier delivery: of the session before, or of this
   * connection, on which some brokers (Moquette) send again what is not acknowledged soon.
   */
  #noteDelivery({ qos, messageId }: IPublishPacket): boolean {
    if (qos === 0 || messageId === undefined) return false;
    const isKnown = this.#isResumed || this.#received.has(messageId);
    this.#received.add(messageId);
    return isKnown;
  }

  /** Aborts when the connection is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get isCongested(): boolean {
    return this.#client.stream.writableLength > CONGESTED_BYTES;
  }

  whenFree(resume: () => void): void {
    this.#client.stream.once('drain', resume);
  }

  /** Subscribes; resolves with the filters that the broker refuses, rejects if the connection is lost or says nothing. */
  subscribe(filters: ReadonlyMap<string, 0 | 1>, timeoutMs: number): Promise<RefusedFilter[]> {
    // "Retain as published" (MQTT 5) shows a command that its sender asked to be retained, "no local" keeps what
    // the bridge said itself from it.
    const options = this.version === 5 ? { rap: true, nl: true } : {};
    const map: ISubscriptionMap = {};
    for (const [filter, qos] of filters) map[filter] = { qos, ...options };
    return new Promise((resolve, reject) => {
      const timer = this.#clock.timer(() => reject(new Error('the broker does not answer SUBSCRIBE')));
      timer.set(timeoutMs);
      this.#client.subscribe(map, (error, _subscriptions, packet) => {
        timer.clear();
        if (packet === undefined && error !== null) reject(error);
        else resolve(refusedOf([...filters.keys()], packet?.granted ?? []));
      });
    });
  }

  /**
   * Sends a message; calls `done` once the broker has confirmed or refused it, at QoS 0 once it has been written, not if
   * the connection is lost.
   */
  send({ topic, payload, retain, qos, correlationData }: Message, done: (refusal?: Error) => void): void {
    const properties = correlationData && this.version === 5 ? { properties: { correlationData } } : {};
    this.#client.publish(topic, payload, { retain, qos, ...properties }, (error) => {
      // What fails because the connection is gone is dealt with when the connection is.
      if (error === undefined || error === null) done();
      else if (this.#client.connected) done(error);
    });
  }

  /**
   * Sends a message at QoS 0, of which MQTT.js would keep no track either: its way through MQTT.js costs five
   * times as much, and there may be thousands a second. What is sent in one go leaves in one go.
   */
  write({ topic, payload, retain }: Message): void {
    const stream: Duplex = this.#client.stream;
    if (!stream.writable) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      stream.cork();
      queueMicrotask(() => {
        this.#isCorked = false;
        stream.uncork();
      });
    }
    stream.write(publishPacket(topic, payload, retain, this.version));
  }

  /** Asks the broker for a sign of life; calls `answered` once it has read all that was sent before. */
  ping(answered: () => void): void {
    this.#client.sendPing();
    this.#asked.push({ ping: this.#pings, answered });
  }

  #answered(): void {
    this.#answers++;
    const first = this.#asked.findIndex(({ ping }) => ping > this.#answers);
    for (const { answered } of this.#asked.splice(0, first < 0 ? this.#asked.length : first)) answered();
  }

  /** Sends DISCONNECT, after which the broker does not publish the last will; takes `timeoutMs` at most. */
  async disconnect(timeoutMs: number): Promise<void> {
    await within(this.#clock, timeoutMs, this.#client.endAsync());
  }

  /** Ends the connection at once, as the broker does not do what it should; `reason` says what. */
  giveUp(reason: string): void {
    this.#givenUp = reason;
    this.#client.stream.destroy();
  }

  /** Ends the connection at once. MQTT.js alone would wait for what the broker has not confirmed. */
  destroy(): void {
    this.#client.stream.destroy();
    this.#client.end(true);
  }

  #follow(closed: (disconnect: Disconnect) => void): void {
    const client = this.#client;
    let connected = false;
    let accepted = false;
    let code: number | undefined;
    let message = 'the connection was closed';
    client.stream.once('encrypted' in client.stream ? 'secureConnect' : 'connect', () => {
      accepted = true;
    });
    client.on('connect', () => {
      connected = true;
    });
    client.on('disconnect', (packet) => {
      code = packet.reasonCode;
      message = packet.properties?.reasonString ?? `the broker ended the connection (reason code ${code})`;
    });
    client.on('error', (error) => {
      const cause: unknown = 'code' in error ? error.code : undefined;
      // A time-out is no answer either, but says nothing about the version.
      if (cause !== 'ECONNRESET') accepted = false;
      if (typeof cause === 'number') code = cause;
      message = error.message === '' ? String(cause) : error.message;
    });
    client.once('close', () => {
      this.#over.abort();
      const unanswered = accepted && !connected && code === undefined;
      const givenUp = this.#givenUp !== undefined;
      closed({ connected, code, unanswered, givenUp, message: this.#givenUp ?? message });
    });
  }
}

function incomingOf(topic: string, payload: Buffer, packet: IPublishPacket, isDelivered: boolean): Incoming {
  const { messageExpiryInterval, responseTopic, correlationData } = packet.properties ?? {};
  return {
    topic,
    payload,
    retain: packet.retain,
    responseTopic,
    correlationData,
    packetId: packet.qos > 0 ? packet.messageId : undefined,
    dup: packet.dup && isDelivered,
    expiresInMs: messageExpiryInterval === undefined ? undefined : messageExpiryInterval * 1000,
  };
}

function refusedOf(filters: readonly string[], granted: readonly (number | object)[]): RefusedFilter[] {
  return filters.flatMap((filter, index) => {
    const code = granted[index];
    if (typeof code !== 'number') return [{ filter, code: UNSPECIFIED }];
    return code >= FIRST_REFUSAL ? [{ filter, code }] : [];
  });
}

function isSocket(stream: unknown): stream is Socket {
  return typeof stream === 'object' && stream !== null && 'setNoDelay' in stream;
}
