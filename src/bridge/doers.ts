import { placesOf } from './places.ts';
import type { BridgeEvents } from './view.ts';

/** Commands that are remembered: the plugs of a place may take their time. */
const MOST_COMMANDS = 100;

interface Asked {
  readonly target: string;
  readonly relay: 'on' | 'off' | 'toggle';
  readonly user: string;
}

/** Who switched each plug last, where that was somebody whose name is known. */
export class Doers {
  /** The newest last. */
  readonly #asked: Asked[] = [];
  readonly #users = new Map<string, string>();

  /** A command was taken. */
  asked({ target, given: { relay, user } }: BridgeEvents['command']): void {
    if (relay === undefined || user === null) return;
    this.#asked.push({ target, relay, user });
    if (this.#asked.length > MOST_COMMANDS) this.#asked.shift();
  }

  /** A plug's state is another: if its relay changed by a command, that is whose doing it was. */
  changed({ before, after }: BridgeEvents['plug']): void {
    const { path, relay, changedBy } = after;
    if (before.relay === relay && before.changedBy === changedBy) return;
    const isCommanded = changedBy === 'web' || changedBy === 'mqtt';
    const user = isCommanded ? this.#lastToAsk(path, relay ? 'on' : 'off') : undefined;
    if (user === undefined) this.#users.delete(path);
    else this.#users.set(path, user);
  }

  removed(path: string): void {
    this.#users.delete(path);
  }

  of(path: string): string | null {
    return this.#users.get(path) ?? null;
  }

  #lastToAsk(path: string, relay: 'on' | 'off'): string | undefined {
    return this.#asked.findLast(
      ({ target, ...one }) =>
        (one.relay === relay || one.relay === 'toggle') &&
        (target === path || placesOf(path).includes(target)),
    )?.user;
  }
}
