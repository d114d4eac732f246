import { backoff } from '../runtime/backoff.ts';
import { type Disconnect, isTakenOver } from './disconnect.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** Wait after another client took over the session, lest the two throw each other out for ever. */
const TAKEN_OVER_WAIT_MS = 60_000;
/**
 * So many connections in a row that end this soon and for no reason given are taken for that; some brokers give none.
 * Fewer may be the nodes of a cluster that are restarted one after the other.
 */
const MAX_BRIEF = 5;
const BRIEF_MS = 10_000;

/** What follows from a disconnect. */
export interface Reconnect {
  readonly waitMs: number;
  /** Whether it was the first failure in a row. */
  readonly first: boolean;
  /** Whether another client took over, or it looks like that. */
  readonly takenOver: boolean;
}

/** What else is known when a connection ends. */
export interface ConnectionEnd {
  /** How long it had been held; 0 if it was never made. */
  readonly heldMs: number;
  /** Whether there are other brokers to be tried before a wait. */
  readonly hasOthers: boolean;
  /** Whether it is known why it ended. */
  readonly isExplained: boolean;
}

/** When to connect again, by how the connections before ended. */
export class ReconnectPolicy {
  readonly #isIdChosen: boolean;
  readonly #random: () => number;
  #failures = 0;
  #rounds = 0;
  #brief = 0;

  /** `isIdChosen`: a person chose the client id, so that another client may have the same. */
  constructor(isIdChosen: boolean, random: () => number) {
    this.#isIdChosen = isIdChosen;
    this.#random = random;
  }

  after(disconnect: Disconnect, { heldMs, hasOthers, isExplained }: ConnectionEnd): Reconnect {
    // A connection that held for a while ends a row of failures.
    if (heldMs > LAST_RETRY_MS) {
      this.#failures = 0;
      this.#rounds = 0;
    }
    const { connected, code } = disconnect;
    const isBrief = connected && code === undefined && heldMs < BRIEF_MS && !isExplained && this.#isIdChosen;
    this.#brief = isBrief ? this.#brief + 1 : 0;
    const takenOver = isTakenOver(disconnect) || this.#brief >= MAX_BRIEF;
    const first = this.#failures++ === 0;
    if (takenOver) return { waitMs: TAKEN_OVER_WAIT_MS, first, takenOver };
    // A broker that restarts is away at once, one at which another client took over is still there.
    if (isBrief || hasOthers) return { waitMs: 0, first, takenOver };
    const waitMs = backoff(this.#rounds++, FIRST_RETRY_MS, LAST_RETRY_MS, this.#random);
    return { waitMs, first, takenOver };
  }
}
