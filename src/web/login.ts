import type { Clock } from '../runtime/clock.ts';
import { FOR_PEOPLE, hashPassword, isPassword, readHash } from '../runtime/password-hash.ts';

/** After so many wrong passwords in a row a client waits. */
const FREE_MISSES = 5;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** All clients together may be wrong so often a minute: names and passwords are not tried from many addresses. */
const MOST_MISSES_PER_MINUTE = 60;
const MINUTE_MS = 60_000;
/** Clients that are remembered. */
const MOST_CLIENTS = 10_000;
/** Logins that wait for one another: each costs memory and time. */
const MOST_WAITING = 20;
const BUSY_MS = 1000;

interface Misses {
  readonly count: number;
  readonly until: number;
}

/** What came of a try: how long to wait before the next one where it is not even looked at. */
export type Verdict =
  | { readonly right: true }
  | { readonly right: false; readonly misses: number }
  | { readonly waitMs: number };

/** Checks passwords, one at a time, and slows down who guesses. */
export class Login {
  readonly #clock: Clock;
  readonly #misses = new Map<string, Misses>();
  #recent: number[] = [];
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** What a password is compared with where there is no such user, so that it takes as long. */
  #nobody: string | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the password is the one of the stored hash; `undefined` stands for a user that there is not. */
  async check(client: string, password: string, stored: string | undefined): Promise<Verdict> {
    if (this.#waiting >= MOST_WAITING) return { waitMs: BUSY_MS };
    this.#waiting++;
    const turn = this.#last.then(() => this.#inTurn(client, password, stored));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  async #inTurn(client: string, password: string, stored: string | undefined): Promise<Verdict> {
    const waitMs = this.#waitFor(client);
    if (waitMs > 0) return { waitMs };
    if (!(await this.#compare(password, stored))) return { right: false, misses: this.#missed(client) };
    this.#misses.delete(client);
    return { right: true };
  }

  #waitFor(client: string): number {
    const now = this.#clock.now();
    const own = (this.#misses.get(client)?.until ?? 0) - now;
    if (own > 0) return own;
    this.#recent = this.#recent.filter((at) => at > now - MINUTE_MS);
    const [oldest = now] = this.#recent;
    return this.#recent.length >= MOST_MISSES_PER_MINUTE ? oldest + MINUTE_MS - now : 0;
  }

  async #compare(password: string, stored: string | undefined): Promise<boolean> {
    this.#nobody ??= await hashPassword('', FOR_PEOPLE);
    const hash = readHash(stored ?? this.#nobody);
    return hash !== undefined && (await isPassword(password, hash)) && stored !== undefined;
  }

  /** Counts it; returns how many it is in a row. */
  #missed(client: string): number {
    const now = this.#clock.now();
    this.#recent.push(now);
    const count = (this.#misses.get(client)?.count ?? 0) + 1;
    const doublings = count - FREE_MISSES;
    const wait = doublings < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** doublings, LONGEST_WAIT_MS);
    this.#misses.delete(client);
    this.#misses.set(client, { count, until: now + wait });
    const [first] = this.#misses.keys();
    if (this.#misses.size > MOST_CLIENTS && first !== undefined) this.#misses.delete(first);
    return count;
  }
}
