import { type Disconnect, refusesVersion } from './disconnect.ts';

/** MQTT 3.1.1 or 5, as CONNECT names them. */
export type ProtocolVersion = 4 | 5;

/** The version of MQTT that each broker is spoken to in. */
export class ProtocolVersions {
  readonly #isFixed: boolean;
  readonly #first: ProtocolVersion;
  readonly #byBroker = new Map<string, ProtocolVersion>();
  readonly #proven = new Set<string>();

  constructor(configured: '5' | '3.1.1' | 'auto') {
    this.#isFixed = configured !== 'auto';
    this.#first = configured === '3.1.1' ? 4 : 5;
  }

  of(broker: string): ProtocolVersion {
    return this.#byBroker.get(broker) ?? this.#first;
  }

  /**
   * Learns from the end of a connection; says whether the other version is to be tried at once. Some brokers close
   * the connection without a word when they do not know the version; once one version has worked, that means
   * something else.
   */
  learn(broker: string, disconnect: Disconnect): boolean {
    if (disconnect.connected) this.#proven.add(broker);
    if (this.#isFixed || this.#proven.has(broker)) return false;
    const version = this.of(broker);
    if (version === 5 && refusesVersion(disconnect)) {
      this.#byBroker.set(broker, 4);
      return true;
    }
    if (!disconnect.unanswered) return false;
    this.#byBroker.set(broker, version === 5 ? 4 : 5);
    return version === 5;
  }
}
