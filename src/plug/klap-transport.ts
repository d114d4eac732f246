import { randomBytes } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { BridgeError, PlugError } from '../errors.ts';
import { type JsonObject, parseObject, parseReply } from '../protocol/json.ts';
import { agree, clientHash, KlapSession, type Login, SEED_BYTES } from '../protocol/klap.ts';
import type { Request } from '../protocol/requests.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { atExit, notAtExit } from '../runtime/exit.ts';
import { type HttpAnswer, HttpClient, type HttpMessage } from './http-client.ts';
import { nameOf } from './socket-errors.ts';
import type { Address, Protocol, Transport } from './transport.ts';

export interface KlapOptions {
  /** What the plug may answer to, the likeliest first; asked for once it turns out to want a login. */
  readonly logins: () => readonly Login[];
  readonly clock: Clock;
  /** Resolves host names; without it the system is asked anew for each connection. */
  readonly lookup?: LookupFunction | undefined;
  /** Whether the plug is known to bear one module in a session only, as an HS110 does. */
  readonly singly?: boolean;
  /** The plug has turned out to be like that. */
  readonly learnt?: (protocol: Protocol) => void;
}

/** A handshake that has succeeded. */
interface Session {
  readonly keys: KlapSession;
  readonly cookie: string | undefined;
  /** By `clock.now()`: a session is renewed in time, for the clocks of plugs are not exact. */
  readonly until: number;
  /** Answers so far. */
  answers: number;
}

/** How long a session lasts where the plug does not say so, and how long before its end it is renewed. */
const SESSION_S = 86_400;
const RENEWED_MS = 20 * 60_000;

/** Plugs lock out who fails too often: after a refused login this time passes before the next. */
const AFTER_REFUSAL_MS = 60_000;

/** Sessions in a row that ended, unreadably, with their second question: it is taken for the way of the plug. */
const SHORT_SESSIONS = 2;

/** Of so many sessions of such a plug one is kept all the same, to see whether it still is its way. */
const KEPT_OF = 50;

const NOT_ACCEPTED =
  'does not accept this name and password: set kasa.username and kasa.password to those of the Kasa account that it is bound to, capitals as they were written then';

/**
 * KLAP, which newer firmware speaks: the same JSON, encrypted, over HTTP, after a handshake in which both sides prove
 * that they know the password. A session that has ended, or that another client took, is replaced by a new one.
 */
export class KlapTransport implements Transport {
  readonly #options: KlapOptions;
  readonly #http: HttpClient;
  readonly #deadline: Timer;
  readonly #leave = () => this.#http.close();
  #address: Address | undefined;
  #session: Session | undefined;
  /** Why the exchange in flight is given up; `undefined` while it is not. */
  #givenUp: PlugError | undefined;
  #isAsking = false;
  #connection = 0;
  #timeoutMs = 0;
  /** Until then no login is tried, by `clock.now()`. */
  #lockedUntil = Number.NEGATIVE_INFINITY;
  /** Sessions in a row that ended, unreadably, with their second question. */
  #shortSessions = 0;
  /** Sessions that were not kept because the plug would not. */
  #foregone = 0;
  /** Whether each module is asked in a session of its own. */
  #singly: boolean;
  hungUp = false;

  constructor(address: Address | undefined, options: KlapOptions) {
    this.#address = address;
    this.#options = options;
    this.#singly = options.singly ?? false;
    this.#http = new HttpClient(options.lookup);
    this.#deadline = options.clock.timer(() => {
      this.#giveUp(new PlugError('timeout', `${this.#name} did not answer within ${this.#timeoutMs} ms`));
    });
  }

  get address(): Address | undefined {
    return this.#address;
  }

  get protocol(): 'klap' | 'klap-singly' {
    return this.#singly ? 'klap-singly' : 'klap';
  }

  moveTo(address: Address): void {
    if (address.host === this.#address?.host && address.port === this.#address.port) return;
    this.close();
    this.#address = address;
  }

  /** Rises with each session: only the plug that it was agreed on with can answer in it. */
  get connection(): number {
    return this.#connection;
  }

  get connected(): boolean {
    return this.#session !== undefined && this.#session.until > this.#options.clock.now();
  }

  async exchange({ text }: Request, timeoutMs: number, stay = false): Promise<JsonObject> {
    if (this.#isAsking) {
      throw new BridgeError('exchange-in-flight', `${this.#name} was asked before it had answered`);
    }
    const address = this.#address;
    if (address === undefined)
      throw new PlugError('not-found', 'the plug has not been found in the network yet');
    this.#isAsking = true;
    this.#givenUp = undefined;
    this.#timeoutMs = timeoutMs;
    this.#deadline.set(timeoutMs);
    atExit(this.#leave);
    try {
      return await this.#exchange(text, address, stay);
    } catch (error) {
      this.#end();
      throw this.#givenUp ?? asPlugError(error);
    } finally {
      this.#isAsking = false;
      this.#deadline.clear();
      if (this.#session === undefined) notAtExit(this.#leave);
    }
  }

  close(): void {
    this.#giveUp(new PlugError('closed', `the connection to ${this.#name} was given up`));
  }

  async #exchange(text: string, address: Address, stay: boolean): Promise<JsonObject> {
    if (this.#singly) return this.#askSingly(text, address);
    const isKept = this.connected;
    try {
      return await this.#ask(text, address, stay);
    } catch (error) {
      if (!isOver(error) || this.#givenUp !== undefined) throw error;
      this.#end();
      if (!isKept) return await this.#askSinglyAfter(error, text, address);
      this.hungUp = true;
      if (stay) throw new PlugError('closed', `${this.#name} ended the session`, { cause: error });
      return await this.#ask(text, address);
    }
  }

  /** What is too much for a plug all at once may not be so in parts; if that is so, it is asked like this from now on. */
  async #askSinglyAfter(error: unknown, text: string, address: Address): Promise<JsonObject> {
    if (!isUnreadable(error) || partsOf(text).length < 2) throw error;
    const reply = await this.#askSingly(text, address);
    this.#singly = true;
    this.#options.learnt?.(this.protocol);
    return reply;
  }

  async #askSingly(text: string, address: Address): Promise<JsonObject> {
    let reply: JsonObject = {};
    for (const part of partsOf(text)) {
      this.#end();
      reply = { ...reply, ...(await this.#ask(part, address)) };
    }
    this.#end();
    return reply;
  }

  /** Asks in the session there is, or in a new one. */
  async #ask(text: string, address: Address, stay = false): Promise<JsonObject> {
    if (!this.connected) this.#session = await this.#handshake(address);
    const session = this.#session;
    if (session === undefined) throw this.#givenUp ?? new PlugError('closed', `${this.#name} was given up`);
    const { sequence, body } = session.keys.seal(text);
    let reply: JsonObject;
    try {
      const message = { path: `/app/request?seq=${sequence}`, body, cookie: session.cookie };
      const answer = await this.#post(address, message, !stay);
      if (answer.status === 403) throw new SessionOver('closed', `${this.#name} no longer knows the session`);
      if (answer.status !== 200)
        throw new SessionOver('bad-answer', `${this.#name} answers with HTTP status ${answer.status}`);
      reply = parseReply(session.keys.open(sequence, answer.body));
    } catch (error) {
      if (session.answers === 1 && isUnreadable(error)) this.#shortSessions++;
      throw error;
    }
    if (++session.answers > 1) this.#shortSessions = 0;
    if (this.#shortSessions >= SHORT_SESSIONS && ++this.#foregone % KEPT_OF !== 0) this.#end();
    return reply;
  }

  async #handshake(address: Address): Promise<Session> {
    const { clock, logins } = this.#options;
    if (clock.now() < this.#lockedUntil) throw this.#refusal();
    this.#http.close();
    const localSeed = randomBytes(SEED_BYTES);
    const first = await this.#post(address, { path: '/app/handshake1', body: localSeed, cookie: undefined });
    if (first.status !== 200) throw this.#noHandshake(first.status);
    const agreement = agree(localSeed, first.body, logins());
    if (agreement === undefined) throw this.#refusal();
    const cookie = cookieIn(first.cookies, 'TP_SESSIONID');
    const proof = { path: '/app/handshake2', body: clientHash(agreement), cookie };
    const second = await this.#post(address, proof);
    if (second.status !== 200) throw this.#refusal();
    this.#connection++;
    this.hungUp = false;
    const lifeMs =
      1000 * (Number.parseInt(cookieIn(first.cookies, 'TIMEOUT')?.slice(8) ?? '', 10) || SESSION_S);
    return {
      keys: new KlapSession(agreement),
      cookie,
      until: clock.now() + Math.max(lifeMs - RENEWED_MS, lifeMs / 2),
      answers: 0,
    };
  }

  async #post(address: Address, message: HttpMessage, again = true): Promise<HttpAnswer> {
    if (this.#givenUp !== undefined) throw this.#givenUp;
    return await this.#http.post(address, message, again);
  }

  /** The plug does not know any of the logins; it is not asked again for a while. */
  #refusal(): PlugError {
    const { clock } = this.#options;
    if (clock.now() >= this.#lockedUntil) this.#lockedUntil = clock.now() + AFTER_REFUSAL_MS;
    return new PlugError('login-refused', `${this.#name} ${NOT_ACCEPTED}`);
  }

  #noHandshake(status: number): PlugError {
    return new PlugError('bad-answer', `${this.#name} is no plug: HTTP status ${status} to a handshake`);
  }

  #giveUp(error: PlugError): void {
    this.#givenUp = error;
    this.#end();
    notAtExit(this.#leave);
  }

  /** Ends the session and cuts its connection. */
  #end(): void {
    this.#session = undefined;
    this.#http.close();
  }

  get #name(): string {
    return nameOf(this.#address);
  }
}

/** The plug does not answer in this session any more. */
class SessionOver extends PlugError {}

/** Whether a new session may do better. */
function isOver(error: unknown): boolean {
  return (
    error instanceof PlugError &&
    (error.reason === 'closed' || error.reason === 'reset' || isUnreadable(error))
  );
}

function isUnreadable(error: unknown): boolean {
  return error instanceof PlugError && error.reason === 'bad-answer';
}

/** One question for each module, all of them for the same outlets. */
function partsOf(text: string): readonly string[] {
  const { context, ...modules } = parseObject(text);
  const outlets = context === undefined ? {} : { context };
  return Object.entries(modules).map(([module, methods]) =>
    JSON.stringify({ ...outlets, [module]: methods }),
  );
}

/** Plugs put two into one: `TP_SESSIONID=…;TIMEOUT=86400`. Returns it as it is sent back. */
function cookieIn(cookies: readonly string[], name: string): string | undefined {
  return cookies
    .flatMap((cookie) => cookie.split(';'))
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`));
}

function asPlugError(error: unknown): PlugError {
  return error instanceof PlugError ? error : new PlugError('bad-answer', String(error), { cause: error });
}
