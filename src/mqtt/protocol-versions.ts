import { type Disconnect, refusesVersion } from './disconnect.ts';

/** MQTT 3.1.1 or 5, as CONNECT names them. */
export type ProtocolVersion = 4 | 5;

/** A broker that spoke MQTT 3.1.1 only may have been replaced: MQTT 5 is tried again so long after the last time. */
const RETRY_MS = 600_000;

/** The version of MQTT that each broker is spoken to in. */
export class ProtocolVersions {
  readonly #isFixed: boolean;
  readonly #first: ProtocolVersion;
  readonly #byBroker = new Map<string, ProtocolVersion>();
  readonly #proven = new Set<string>();
  /** When MQTT 5 was last tried with each broker. */
  readonly #triedAt = new Map<string, number>();

  constructor(configured: '5' | '3.1.1' | 'auto') {
    this.#isFixed = configured !== 'auto';
    this.#first = configured === '3.1.1' ? 4 : 5;
  }

  /** The version for a connection that is made at time `now`. */
  of(broker: string, now: number): ProtocolVersion {
    const version = this.#byBroker.get(broker) ?? this.#first;
    if (this.#isFixed) return version;
    if (version === 4 && now - (this.#triedAt.get(broker) ?? now) < RETRY_MS) return 4;
    this.#triedAt.set(broker, now);
    if (version === 5) return 5;
    this.#byBroker.set(broker, 5);
    this.#proven.delete(broker);
    return 5;
  }

  /**
   * Learns from the end of a connection; says whether the other version is to be tried at once. Some brokers close
   * the connection without a word when they do not know the version; once one version has worked, that means
   * something else.
   */
  learn(broker: string, disconnect: Disconnect): boolean {
    if (disconnect.connected) this.#proven.add(broker);
    if (this.#isFixed || this.#proven.has(broker)) return false;
    const version = this.#byBroker.get(broker) ?? this.#first;
    if (version === 5 && refusesVersion(disconnect)) {
      this.#byBroker.set(broker, 4);
      return true;
    }
    if (!disconnect.unanswered) return false;
    this.#byBroker.set(broker, version === 5 ? 4 : 5);
    return version === 5;
  }
}
