import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import { backoff } from '../runtime/backoff.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import { ANSWER_TIMEOUT_MS } from './broker-choice.ts';
import type { Connection } from './connection.ts';
import type { RefusedFilter } from './session.ts';

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

/** Subscribes to topic filters until the broker grants them all. */
export class Subscriptions {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Logger;
  readonly #refused = new Map<string, number>();
  #isLogged = false;

  constructor({ clock, random, log }: { clock: Clock; random: () => number; log: Logger }) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
  }

  /** What the broker refuses at the moment. */
  get refused(): RefusedFilter[] {
    return [...this.#refused].map(([filter, code]) => ({ filter, code }));
  }

  /** The connection is lost, and what the broker said about subscriptions no longer holds. */
  closed(): void {
    this.#refused.clear();
  }

  /**
   * Asks until all filters are granted, and then resolves with true; with false if the connection ends before.
   * `answered` is called after each answer.
   */
  async request(
    connection: Connection,
    filters: ReadonlyMap<string, 0 | 1>,
    answered: (attempt: number) => void,
  ): Promise<boolean> {
    let wanted = filters;
    for (let attempt = 0; ; attempt++) {
      const refused = await this.#ask(connection, wanted);
      if (refused === undefined || connection.signal.aborted) return false;
      for (const filter of wanted.keys()) this.#refused.delete(filter);
      for (const { filter, code } of refused) this.#refused.set(filter, code);
      answered(attempt);
      if (refused.length === 0) break;
      await sleep(
        this.#clock,
        backoff(attempt, FIRST_RETRY_MS, LAST_RETRY_MS, this.#random),
        connection.signal,
      );
      if (connection.signal.aborted) return false;
      wanted = new Map(refused.map(({ filter }) => [filter, filters.get(filter) ?? 0]));
    }
    if (this.#refused.size === 0) this.#isLogged = false;
    return true;
  }

  /** Resolves with the filters that the broker refuses. One that does not answer at all is not worth staying with. */
  async #ask(
    connection: Connection,
    filters: ReadonlyMap<string, 0 | 1>,
  ): Promise<RefusedFilter[] | undefined> {
    if (filters.size === 0) return [];
    try {
      const refused = await connection.subscribe(filters, ANSWER_TIMEOUT_MS);
      if (refused.length > 0 && !this.#isLogged) {
        this.#isLogged = true;
        const message =
          'the broker does not let the bridge subscribe; commands will not arrive, trying again';
        this.#log.error({ refused }, message);
      }
      return refused;
    } catch (error) {
      this.#log.debug({ reason: messageOf(error) }, 'not subscribed');
      connection.destroy();
      return undefined;
    }
  }
}
