import { connect, type Socket } from 'node:net';
import type { Clock } from '../runtime/clock.ts';

/** How long a broker may take to answer CONNECT or SUBSCRIBE. */
export const ANSWER_TIMEOUT_MS = 10_000;

/** How long the first of several may take to answer CONNECT, before the others are asked; doubled each round. */
const FIRST_ANSWER_TIMEOUT_MS = 2000;

/** How long the broker that is preferred may take to be reached, while another one is reached already. */
const HEAD_START_MS = 250;

/** A connection that held so long was a good one: its broker is asked first again. */
const STABLE_MS = 30_000;

const DEFAULT_PORTS: { readonly [protocol: string]: number } = {
  'mqtts:': 8883,
  'ssl:': 8883,
  'tls:': 8883,
  'ws:': 80,
  'wss:': 443,
};

/**
 * Which of several brokers is connected to next: the first to take a TCP connection, preferably the one that answered
 * last. CONNECT then goes to one at a time, as two sessions of one client id would oust each other.
 */
export class BrokerChoice {
  readonly #clock: Clock;
  /** The one that answered last first, the others as configured. */
  #order: readonly string[];
  /** Those of them that this round has still to try. */
  #untried: readonly string[];
  #round = 0;

  constructor(brokers: readonly string[], clock: Clock) {
    this.#clock = clock;
    this.#order = brokers;
    this.#untried = brokers;
  }

  /** Whether there are brokers to be tried before a wait. */
  get hasOthers(): boolean {
    return this.#untried.length > 0;
  }

  /** How long a broker may take to answer CONNECT. One that is busy for longer gets its time when all others are, too. */
  get answerTimeoutMs(): number {
    if (this.#order.length === 1) return ANSWER_TIMEOUT_MS;
    return Math.min(ANSWER_TIMEOUT_MS, FIRST_ANSWER_TIMEOUT_MS * 2 ** this.#round);
  }

  /** Resolves with the broker to try next, at once where there is one only. */
  async next(signal: AbortSignal): Promise<string> {
    if (this.#untried.length === 0) {
      this.#untried = this.#order;
      this.#round++;
    }
    const untried = this.#untried;
    const reached = untried.length > 1 ? await this.#race(untried, signal) : untried[0];
    // Where none is reached, one attempt stands for all: it says why.
    const broker = reached ?? untried[0] ?? '';
    this.#untried = reached === undefined ? [] : untried.filter((other) => other !== broker);
    return broker;
  }

  /** The connection to a broker that had answered was lost after `heldMs`. */
  lost(broker: string, heldMs: number): void {
    const others = this.#order.filter((other) => other !== broker);
    this.#order = [broker, ...others];
    // One that answers and ends the connection again must not keep the bridge from the others.
    this.#untried = heldMs > STABLE_MS && others.length > 0 ? this.#order : others;
    this.#round = 0;
  }

  /** Resolves with the first broker that takes a TCP connection; `undefined` if none does. */
  #race(brokers: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      const sockets = new Map<string, Socket>();
      const reached: string[] = [];
      let isWaitingForFirst = true;
      const settle = (broker: string | undefined) => {
        headStart.clear();
        timeout.clear();
        signal.removeEventListener('abort', giveUp);
        for (const socket of sockets.values()) socket.destroy();
        resolve(broker);
      };
      const giveUp = () => settle(reached[0]);
      const waitNoLonger = () => {
        isWaitingForFirst = false;
        if (reached.length > 0) giveUp();
      };
      const headStart = this.#clock.timer(waitNoLonger);
      const timeout = this.#clock.timer(giveUp);
      const failed = (broker: string) => {
        sockets.delete(broker);
        if (sockets.size === 0) settle(undefined);
        else if (broker === brokers[0]) waitNoLonger();
      };
      headStart.set(HEAD_START_MS);
      timeout.set(ANSWER_TIMEOUT_MS);
      signal.addEventListener('abort', giveUp, { once: true });
      for (const broker of brokers) {
        const socket = connect(addressOf(broker));
        sockets.set(broker, socket);
        socket.on('error', () => failed(broker));
        socket.on('connect', () => {
          reached.push(broker);
          if (!isWaitingForFirst || broker === brokers[0]) settle(broker);
        });
      }
    });
  }
}

function addressOf(url: string): { host: string; port: number } {
  const { protocol, hostname, port } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (DEFAULT_PORTS[protocol] ?? 1883) : Number(port),
  };
}
