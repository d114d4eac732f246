import { PlugError, type Reason } from '../errors.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Request } from '../protocol/requests.ts';
import { type KlapOptions, KlapTransport } from './klap-transport.ts';
import { TcpTransport } from './tcp-transport.ts';
import {
  type Address,
  isSamePlace,
  KLAP_PORT,
  PLUG_PORT,
  type Protocol,
  type Transport,
} from './transport.ts';

export interface PlugTransportOptions extends Omit<KlapOptions, 'singly'> {
  /** What the plug spoke last; it is tried first. */
  readonly protocol?: Protocol | undefined;
}

/** How firmware of the one protocol fails that is asked in the other. */
const SPEAKS_KLAP: ReadonlySet<Reason> = new Set(['refused', 'bad-answer']);
const SPEAKS_XOR: ReadonlySet<Reason> = new Set(['refused', 'bad-answer', 'closed', 'reset']);

/**
 * The way to one plug, in the protocol that its firmware speaks: XOR on port 9999, or KLAP over HTTP. Where one fails as
 * it does on firmware that speaks the other, the other is tried, so that an update is followed in either direction.
 */
export class PlugTransport implements Transport {
  readonly #options: PlugTransportOptions;
  /** Made when they are needed: hardly any plug ever speaks both. */
  #xor: TcpTransport | undefined;
  #klap: KlapTransport | undefined;
  #current: TcpTransport | KlapTransport;
  #address: Address | undefined;
  /** What is added to the number of a connection, for it to rise over a change of protocol. */
  #earlier = 0;
  /** The question in flight, and until when it may take; `undefined` once it is given up. */
  #question: Request | undefined;
  #until = 0;
  /** Whether the plug has shown what it speaks. */
  #isKnown: boolean;

  constructor(address: Address | undefined, options: PlugTransportOptions) {
    const { protocol = address?.protocol } = options;
    this.#options = options;
    this.#address = address;
    this.#current = protocol === undefined || protocol === 'xor' ? this.#inXor() : this.#inKlap();
    this.#isKnown = protocol !== undefined;
  }

  get address(): Address | undefined {
    return this.#address;
  }

  get protocol(): Protocol {
    return this.#current.protocol;
  }

  get connection(): number {
    return this.#earlier + this.#current.connection;
  }

  get connected(): boolean {
    return this.#current.connected;
  }

  get hungUp(): boolean {
    return this.#current.hungUp;
  }

  exchange(question: Request, timeoutMs: number, stay = false): Promise<JsonObject> {
    const answer = this.#current.exchange(question, timeoutMs, stay);
    // What must reach one plug only is not asked twice.
    if (stay) return answer;
    this.#question = question;
    this.#until = this.#options.clock.now() + timeoutMs;
    return this.#isKnown ? answer.catch(this.#failed) : answer.then(this.#understood, this.#failed);
  }

  moveTo(address: Address): void {
    if (this.#address === undefined || !isSamePlace(this.#address, address)) this.#address = address;
    this.#xor?.moveTo(xorAddress(address));
    this.#klap?.moveTo(klapAddress(address));
    if (address.protocol !== undefined) this.#speak(this.#in(address.protocol));
  }

  close(): void {
    this.#question = undefined;
    this.#xor?.close();
    this.#klap?.close();
  }

  get #signsOfOther(): ReadonlySet<Reason> {
    return this.#current === this.#klap ? SPEAKS_XOR : SPEAKS_KLAP;
  }

  get #other(): TcpTransport | KlapTransport {
    return this.#in(this.#current === this.#klap ? 'xor' : 'klap');
  }

  #in(protocol: 'xor' | 'klap'): TcpTransport | KlapTransport {
    return protocol === 'xor' ? this.#inXor() : this.#inKlap();
  }

  #inXor(): TcpTransport {
    const { clock, lookup } = this.#options;
    this.#xor ??= new TcpTransport(this.#address && xorAddress(this.#address), clock, lookup);
    return this.#xor;
  }

  #inKlap(): KlapTransport {
    const singly = this.#options.protocol === 'klap-singly';
    this.#klap ??= new KlapTransport(this.#address && klapAddress(this.#address), {
      ...this.#options,
      singly,
    });
    return this.#klap;
  }

  readonly #understood = (reply: JsonObject): JsonObject => {
    this.#isKnown = true;
    return reply;
  };

  /** Tries the other protocol where it failed as it does on firmware that speaks the other; made once, not for each poll. */
  readonly #failed = (error: unknown): Promise<JsonObject> => {
    const question = this.#question;
    const leftMs = this.#until - this.#options.clock.now();
    if (!(error instanceof PlugError) || question === undefined) throw error;
    if (error.reason === 'timeout') this.#tryOtherNext();
    if (!this.#signsOfOther.has(error.reason) || leftMs <= 0) throw error;
    return this.#askOtherwise(question, leftMs, error);
  };

  /** Asks in the other protocol, and stays with it if that is understood; `failure` is how the first one failed. */
  async #askOtherwise(question: Request, timeoutMs: number, failure: PlugError): Promise<JsonObject> {
    const other = this.#other;
    try {
      const reply = await other.exchange(question, timeoutMs);
      this.#speak(other);
      return reply;
    } catch (error) {
      // Who refuses a login speaks KLAP.
      if (!(error instanceof PlugError) || error.reason !== 'login-refused') throw failure;
      this.#speak(other);
      throw error;
    }
  }

  /** Some HTTP servers wait for more where they are asked in XOR: a plug that has never answered may speak KLAP there. */
  #tryOtherNext(): void {
    const address = this.#address;
    if (this.#isKnown || address === undefined) return;
    if (xorAddress(address).port === klapAddress(address).port) this.#switchTo(this.#other);
  }

  #speak(transport: TcpTransport | KlapTransport): void {
    this.#isKnown = true;
    if (transport === this.#current) return;
    this.#switchTo(transport);
    this.#options.learnt?.(this.protocol);
  }

  #switchTo(transport: TcpTransport | KlapTransport): void {
    const before = this.connection;
    this.#current.close();
    this.#current = transport;
    this.#earlier = before + 1 - transport.connection;
  }
}

function xorAddress({ host, port }: Address): Address {
  return { host, port: port === KLAP_PORT ? PLUG_PORT : port };
}

function klapAddress({ host, port }: Address): Address {
  return { host, port: port === PLUG_PORT ? KLAP_PORT : port };
}
