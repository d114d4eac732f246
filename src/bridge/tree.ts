import type { Member } from './members.ts';
import { placesOf } from './places.ts';

/** Where outlets are: each at its path, and in every place above that. */
export class Tree {
  readonly #outlets = new Map<string, Member>();
  readonly #places = new Map<string, Member[]>([['', []]]);

  get outlets(): ReadonlyMap<string, Member> {
    return this.#outlets;
  }

  /** The outlets of each place, the site `''` among them. */
  get places(): ReadonlyMap<string, readonly Member[]> {
    return this.#places;
  }

  /** The outlet of that path, or those of the place that has it. */
  at(path: string): readonly Member[] | undefined {
    const single = this.#outlets.get(path);
    return single === undefined ? this.#places.get(path) : [single];
  }

  enter(member: Member): void {
    const { path } = member.outlet;
    this.#outlets.set(path, member);
    for (const place of placesOf(path)) {
      const members = this.#places.get(place);
      if (members === undefined) this.#places.set(place, [member]);
      else members.push(member);
    }
  }

  /** Takes an outlet out of its places; returns those that are empty now and gone. The site itself stays. */
  leave(path: string): string[] {
    this.#outlets.delete(path);
    return placesOf(path).filter((place) => {
      const members = (this.#places.get(place) ?? []).filter(({ outlet }) => outlet.path !== path);
      if (members.length === 0 && place !== '') return this.#places.delete(place);
      this.#places.set(place, members);
      return false;
    });
  }
}
