import { connect, type LookupFunction, type Socket } from 'node:net';
import { BridgeError, PlugError } from '../errors.ts';
import { decodeBody, FrameDecoder } from '../protocol/frame.ts';
import { type JsonObject, parseReply } from '../protocol/json.ts';
import type { Request } from '../protocol/requests.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { atExit, notAtExit } from '../runtime/exit.ts';
import { nameOf, socketError } from './socket-errors.ts';
import type { Address, Transport } from './transport.ts';

/**
 * What arrives on any plug's socket is read into this one buffer, and dealt with before the next read: ten
 * thousand connections need no buffers of their own.
 */
const RECEIVE_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/** A connection that ends this soon after an answer was ended because of it. */
const HANGS_UP_WITHIN_MS = 500;

/** Seen this often in a row, it is taken for its way. */
const HANG_UPS = 2;

/** Of so many connections to a plug that hangs up one is kept all the same, to see whether it still does. */
const KEPT_OF = 50;

interface Exchange {
  readonly request: Request;
  readonly resolve: (reply: JsonObject) => void;
  readonly reject: (error: PlugError) => void;
  /** Kept from an earlier exchange, and not a byte came back yet: if it ends, that only means "connect anew". */
  reused: boolean;
}

/**
 * The XOR protocol over TCP. Newer hardware keeps the connection, so it is used again; hardware 1 closes after
 * each reply, which is learnt by seeing it and never an error.
 */
export class TcpTransport implements Transport {
  readonly #decoder = new FrameDecoder();
  readonly #clock: Clock;
  readonly #lookup: LookupFunction | undefined;
  readonly #deadline: Timer;
  readonly #leave = () => this.#drop();
  #address: Address | undefined;
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;
  /** Whether the plug owes an answer on this connection. */
  #unanswered = false;
  #timeoutMs = 0;
  #connection = 0;
  /** When the last answer came on this connection. */
  #answeredAt = Number.NaN;
  /** Connections in a row that ended right after an answer. */
  #hangUps = 0;
  /** Connections that were ended because the plug would. */
  #foregone = 0;
  readonly protocol = 'xor';
  hungUp = false;

  /** `lookup` resolves host names; without it the system is asked anew for each connection. */
  constructor(address: Address | undefined, clock: Clock, lookup?: LookupFunction) {
    this.#address = address;
    this.#clock = clock;
    this.#lookup = lookup;
    this.#deadline = clock.timer(() => this.#timedOut());
  }

  get address(): Address | undefined {
    return this.#address;
  }

  moveTo(address: Address): void {
    if (address.host === this.#address?.host && address.port === this.#address.port) return;
    this.close();
    this.#address = address;
  }

  get connection(): number {
    return this.#connection;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  exchange(request: Request, timeoutMs: number, stay = false): Promise<JsonObject> {
    const address = this.#address;
    if (this.#exchange !== undefined) {
      throw new BridgeError('exchange-in-flight', `${this.#name} was asked before it had answered`);
    }
    if (address === undefined) {
      return Promise.reject(new PlugError('not-found', 'the plug has not been found in the network yet'));
    }
    return new Promise((resolve, reject) => {
      this.#exchange = { request, resolve, reject, reused: this.#socket !== undefined && !stay };
      this.#timeoutMs = timeoutMs;
      this.#deadline.set(timeoutMs);
      this.#socket ??= this.#connect(address);
      this.#send(request);
    });
  }

  close(): void {
    this.#fail(new PlugError('closed', `the connection to ${this.#name} was given up`));
  }

  #send(request: Request): void {
    this.#unanswered = true;
    this.#socket?.write(request.frame);
  }

  #connect(address: Address): Socket {
    this.#connection++;
    atExit(this.#leave);
    this.#answeredAt = Number.NaN;
    this.#decoder.reset();
    const socket: Socket = connect({
      host: address.host,
      port: address.port,
      ...(this.#lookup === undefined ? {} : { lookup: this.#lookup }),
      noDelay: true,
      onread: {
        buffer: RECEIVE_BUFFER,
        callback: (length, bytes) => {
          if (socket === this.#socket) this.#received(Buffer.from(bytes.buffer, bytes.byteOffset, length));
          return true;
        },
      },
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (socket === this.#socket) this.#broken(error);
    });
    socket.on('end', () => {
      if (socket === this.#socket) this.#ended();
    });
    socket.on('close', () => {
      if (socket === this.#socket) this.#ended();
    });
    return socket;
  }

  #received(chunk: Buffer): void {
    if (this.#exchange === undefined) {
      // No request is open: a late or second answer must never be taken for the answer to the next one.
      this.#drop();
      return;
    }
    this.#exchange.reused = false;
    try {
      const bodies = this.#decoder.push(chunk);
      const body = bodies[0];
      if (body === undefined) return;
      const reply = parseReply(decodeBody(body));
      const isAlone = bodies.length === 1 && this.#decoder.pending === 0;
      this.#succeed(reply, isAlone);
    } catch (error) {
      this.#fail(asPlugError(error));
    }
  }

  #ended(): void {
    this.hungUp = this.#clock.now() - this.#answeredAt < HANGS_UP_WITHIN_MS;
    if (this.hungUp) this.#hangUps++;
    const body = this.#decoder.end();
    const exchange = this.#exchange;
    if (exchange !== undefined && body !== undefined) {
      this.#finish(body);
      return;
    }
    this.#drop();
    if (exchange === undefined) return;
    if (exchange.reused) this.#again(exchange);
    else this.#fail(new PlugError('closed', `${this.#name} closed the connection without a whole answer`));
  }

  #broken(error: NodeJS.ErrnoException): void {
    const exchange = this.#exchange;
    this.#drop();
    if (exchange?.reused) this.#again(exchange);
    else this.#fail(socketError(error, this.#name));
  }

  /** Asks once more on a new connection, within the same deadline. Setting a relay twice does no harm. */
  #again(exchange: Exchange): void {
    exchange.reused = false;
    if (this.#address === undefined) return;
    this.#socket = this.#connect(this.#address);
    this.#send(exchange.request);
  }

  #timedOut(): void {
    // Some old firmware sends length 0, and then neither more nor an end.
    const unfinished = this.#decoder.end();
    if (unfinished !== undefined) {
      this.#finish(unfinished);
      return;
    }
    const state = this.#socket?.connecting ? 'accept a connection' : 'answer';
    this.#fail(new PlugError('timeout', `${this.#name} did not ${state} within ${this.#timeoutMs} ms`));
  }

  /** Takes what came without a length for the answer. */
  #finish(body: Buffer): void {
    try {
      this.#succeed(parseReply(decodeBody(body)), false);
    } catch (error) {
      this.#fail(asPlugError(error));
    }
  }

  /** Hands out the answer; keeps the connection for the next question if `keep` and the plug does so too. */
  #succeed(reply: JsonObject, keep: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#unanswered = false;
    this.#deadline.clear();
    if (!Number.isNaN(this.#answeredAt)) this.#hangUps = 0;
    this.#answeredAt = this.#clock.now();
    if (!keep || this.#expectsHangUp()) this.#drop();
    exchange?.resolve(reply);
  }

  /** Not to wait for its end each time, and for the next question to know that it needs a connection. */
  #expectsHangUp(): boolean {
    return this.#hangUps >= HANG_UPS && ++this.#foregone % KEPT_OF !== 0;
  }

  #fail(error: PlugError): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#deadline.clear();
    this.#drop();
    exchange?.reject(error);
  }

  /** The plug as it is called in messages. */
  get #name(): string {
    return nameOf(this.#address);
  }

  /**
   * Ends the connection; with a reset if the plug owes an answer: after an ordinary close the kernel goes on sending
   * what the plug has not acknowledged, so that a command given up long ago would still reach it.
   */
  #drop(): void {
    const socket = this.#socket;
    const isOwed = this.#unanswered;
    notAtExit(this.#leave);
    this.#socket = undefined;
    this.#unanswered = false;
    this.#decoder.reset();
    if (isOwed && socket?.connecting === false) socket.resetAndDestroy();
    else socket?.destroy();
  }
}

function asPlugError(error: unknown): PlugError {
  return error instanceof PlugError ? error : new PlugError('bad-answer', String(error), { cause: error });
}
