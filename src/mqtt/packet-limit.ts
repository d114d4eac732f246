import type { Clock } from '../runtime/clock.ts';
import { LONGEST_TOPIC } from './publish-packet.ts';
import type { Message } from './session.ts';

/** A broker that takes no packets of this size is none. */
const ALWAYS_TAKEN = 4096;

/** A broker that ends the connection over a packet does so at once: within this time after it was sent. */
const SUSPECT_MS = 2000;

/**
 * A packet was too large for a broker if it cost the connection so many times in a row. A broker that restarts, or another
 * client with the same id, may end two right after the first large packet; what is wrongly left out is missed for long.
 */
const MOST_LOSSES = 3;

/** A limit that was found out may have been raised, or never have been one: it is forgotten after so long. */
const FORGOTTEN_MS = 600_000;

/**
 * How large a packet the broker takes. With MQTT 5 it may say so; others close the connection without a word, which
 * happens again after each connect, as what is too large is published again. So a broker is asked for a sign of life
 * after a packet that is larger than those before: if the connection is lost instead, that is noted.
 */
export class PacketLimit {
  readonly #clock: Clock;
  readonly #askForSign: (answered: () => void) => void;
  #announced = Number.POSITIVE_INFINITY;
  #learned = Number.POSITIVE_INFINITY;
  #learnedAt = 0;
  #losses = 0;
  /** The largest packet on this connection after which the broker gave a sign of life. */
  #taken = ALWAYS_TAKEN;
  /** The largest that was sent, and when. */
  #sent = 0;
  #sentAt = 0;
  /** The largest that had been sent when the broker was asked for a sign; 0 if it owes none. */
  #asked = 0;

  /** `askForSign`: has the broker give a sign of life when it has dealt with all that was sent; it then calls `answered`. */
  constructor(clock: Clock, askForSign: (answered: () => void) => void) {
    this.#clock = clock;
    this.#askForSign = askForSign;
  }

  /** In bytes. */
  get largest(): number {
    return Math.min(this.#announced, this.#learned);
  }

  /** Whether it takes a message of that size; a topic that is too long for MQTT is an exception of MQTT.js that cannot be caught. */
  takes({ topic }: Message, size: number): boolean {
    const isTopicShort = size <= LONGEST_TOPIC || Buffer.byteLength(topic) <= LONGEST_TOPIC;
    return isTopicShort && size <= this.largest;
  }

  /** Whether the last connection may have been lost over a packet that the broker does not take. */
  get isSuspected(): boolean {
    return this.#losses > 0;
  }

  /** A connection begins; `announced`: what the broker said, in bytes. */
  open(announced: number | undefined): void {
    this.#announced = announced ?? Number.POSITIVE_INFINITY;
    if (this.#losses >= MOST_LOSSES) this.#losses = 0;
    if (this.#clock.now() - this.#learnedAt > FORGOTTEN_MS) this.#learned = Number.POSITIVE_INFINITY;
    this.#taken = ALWAYS_TAKEN;
    this.#sent = 0;
    this.#asked = 0;
  }

  /** A packet of so many bytes was sent. */
  sent(size: number): void {
    if (size <= this.#taken || size <= this.#sent) return;
    this.#sent = size;
    this.#sentAt = this.#clock.now();
    if (this.#asked === 0) this.#ask();
  }

  /** The broker gave a sign of life. */
  #answered(): void {
    if (this.#asked === 0) return;
    this.#taken = this.#asked;
    this.#asked = 0;
    this.#losses = 0;
    if (this.#sent > this.#taken) this.#ask();
  }

  /** The connection was lost, and the broker gave no reason that has nothing to do with a packet. */
  lost(): void {
    const now = this.#clock.now();
    const isSuspect = this.#sent > this.#taken && now - this.#sentAt <= SUSPECT_MS;
    this.#losses = isSuspect ? this.#losses + 1 : 0;
    if (this.#losses < MOST_LOSSES) return;
    // Not one byte less: other packets are nearly as large.
    this.#learned = Math.max(ALWAYS_TAKEN, 2 ** Math.ceil(Math.log2(this.#sent) - 1));
    this.#learnedAt = now;
  }

  #ask(): void {
    this.#asked = this.#sent;
    this.#askForSign(() => this.#answered());
  }
}

/** Bytes of a message on the wire, the little that comes before topic and payload reckoned generously. */
export function sizeOf({ topic, payload, correlationData }: Message): number {
  return Buffer.byteLength(payload) + Buffer.byteLength(topic) + (correlationData?.length ?? 0) + 64;
}
