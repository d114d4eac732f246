import { backoff } from '../runtime/backoff.ts';
import { type Disconnect, isTakenOver } from './disconnect.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** Wait after another client took over the session, lest the two throw each other out for ever. */
const TAKEN_OVER_WAIT_MS = 60_000;
/** So many connections in a row that end this soon and for no reason given are taken for that; some brokers give none. */
const MAX_BRIEF = 3;
const BRIEF_MS = 10_000;

/** What follows from a disconnect. */
export interface Reconnect {
  readonly waitMs: number;
  /** Whether it was the first failure in a row. */
  readonly first: boolean;
  /** Whether another client took over, or it looks like that. */
  readonly takenOver: boolean;
}

/** When to connect again, by how the connections before ended. Several brokers are tried in turn before a wait. */
export class ReconnectPolicy {
  readonly #brokers: number;
  readonly #random: () => number;
  #failures = 0;
  #brief = 0;

  constructor(brokers: number, random: () => number) {
    this.#brokers = brokers;
    this.#random = random;
  }

  /** A connection ended that had been held for `heldMs`, 0 if it was never made; `isExplained`: it is known why. */
  after(disconnect: Disconnect, heldMs: number, isExplained = false): Reconnect {
    // A connection that held for a while ends a row of failures.
    if (heldMs > LAST_RETRY_MS) this.#failures = 0;
    const { connected, code } = disconnect;
    const isBrief = connected && code === undefined && heldMs < BRIEF_MS && !isExplained;
    this.#brief = isBrief ? this.#brief + 1 : 0;
    const takenOver = isTakenOver(disconnect) || this.#brief >= MAX_BRIEF;
    const first = this.#failures === 0;
    const round = Math.floor(this.#failures / this.#brokers);
    this.#failures++;
    const wait = backoff(round, FIRST_RETRY_MS, LAST_RETRY_MS, this.#random);
    const waitMs = takenOver ? TAKEN_OVER_WAIT_MS : this.#failures % this.#brokers === 0 ? wait : 0;
    return { waitMs, first, takenOver };
  }
}
