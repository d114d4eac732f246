import { placesOf } from './places.ts';

/** So many moves are remembered. */
const MOST_MOVES = 1000;

/** Where plugs and places went that were moved since the start: for those who look for them at their former paths. */
export class Moves {
  readonly #to = new Map<string, string>();

  /** What was at `from` is at `to` now, and with it the places around it that are not among `places` any more. */
  note(from: string, to: string, places: { has(path: string): boolean }): void {
    for (const [old, there] of this.#to) if (there === from) this.#to.set(old, to);
    this.#to.delete(to);
    this.#to.set(from, to);
    const [oldest] = this.#to.keys();
    if (this.#to.size > MOST_MOVES && oldest !== undefined) this.#to.delete(oldest);
    const [place = '', there = ''] = [placesOf(from)[0], placesOf(to)[0]];
    const isSameName = from.slice(place.length) === to.slice(there.length);
    if (isSameName && place !== there && !places.has(place)) this.note(place, there, places);
  }

  /** Where what was at that path is now; `undefined` if nothing was moved from there. */
  from(path: string): string | undefined {
    return this.#to.get(path);
  }
}
