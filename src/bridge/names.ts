import { placesOf } from './places.ts';

/** What people have written about a plug or a place. */
export interface Appearance {
  readonly name: string | undefined;
  /** The area it is in, of a place also that of its plugs. */
  readonly area: string | undefined;
  /** Whether it is shown as a switch or a light, of a place also its plugs. */
  readonly as: 'switch' | 'light' | undefined;
}

/** From which levels of a path an area is derived where none is written. */
export type AreaRule = 'first-level' | 'path' | 'off';

export interface NamesOptions {
  /** What the whole site is called unless something else is written. */
  readonly site: string;
  /** By path. */
  readonly plugs: ReadonlyMap<string, Appearance>;
  readonly places: ReadonlyMap<string, Appearance>;
  readonly areas: AreaRule;
}

/** What plugs and places are called and where they are: for Home Assistant, the page and reports. It may change. */
export class Names {
  readonly #site: string;
  readonly #areas: AreaRule;
  readonly #plugs: Map<string, Appearance>;
  readonly #places: Map<string, Appearance>;
  readonly #listeners = new Set<(path: string) => void>();

  constructor({ site, plugs, places, areas }: NamesOptions) {
    this.#site = site;
    this.#areas = areas;
    this.#plugs = new Map(plugs);
    this.#places = new Map(places);
  }

  /** Calls `listener` with the path of whatever is called otherwise from now on, until the returned function is called. */
  onChange(listener: (path: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes what is written about a plug from now on; `undefined` for nothing. */
  setPlug(path: string, appearance: Appearance | undefined): void {
    this.#set(this.#plugs, path, appearance);
  }

  /** Takes what is written about a place from now on; `undefined` for nothing. */
  setPlace(path: string, appearance: Appearance | undefined): void {
    this.#set(this.#places, path, appearance);
  }

  /** What a plug is called by people; `undefined` leaves it to the name in the Kasa app. */
  plug(path: string): string | undefined {
    return this.#written([path], ({ name }) => name);
  }

  /** What a place is called: as written, else by the last level of its path. */
  place(path: string): string {
    return this.#written([path], ({ name }) => name) ?? words(path === '' ? this.#site : path);
  }

  /** The area of a plug: as written for it or a place around it, else derived from these places, else that of the site. */
  plugArea(path: string): string | undefined {
    return this.#area([path], placesOf(path));
  }

  /** The area of a place, as for a plug in it. */
  placeArea(path: string): string | undefined {
    return this.#area([], path === '' ? [''] : [path, ...placesOf(path)]);
  }

  /** Whether a plug or place is shown as a switch or a light. */
  as(path: string): 'switch' | 'light' {
    return this.#written([path, ...placesOf(path)], ({ as }) => as) ?? 'switch';
  }

  #set(map: Map<string, Appearance>, path: string, appearance: Appearance | undefined): void {
    if (appearance === undefined) map.delete(path);
    else map.set(path, appearance);
    for (const listener of this.#listeners) listener(path);
  }

  #area(own: readonly string[], places: readonly string[]): string | undefined {
    const levels = places.filter((place) => place !== '');
    const written = this.#written([...own, ...levels], ({ area }) => area);
    return written ?? this.#derivedArea(levels) ?? this.#places.get('')?.area;
  }

  #derivedArea(levels: readonly string[]): string | undefined {
    if (this.#areas === 'off') return undefined;
    const names = levels.map((place) => this.place(place)).reverse();
    return this.#areas === 'first-level' ? names[0] : names.join(' / ') || undefined;
  }

  /**
   * What is written about the first of `paths` that has it. The entry of a strip is one of a plug, and its path a place; an
   * outlet of it has no entry, and is written about as a place is.
   */
  #written<T>(paths: readonly string[], pick: (from: Appearance) => T | undefined): T | undefined {
    for (const path of paths) {
      for (const appearance of [this.#plugs.get(path), this.#places.get(path)]) {
        const value = appearance && pick(appearance);
        if (value !== undefined) return value;
      }
    }
    return undefined;
  }
}

/** The last level of a path in words: `East wing` for `museum/east-wing`. */
function words(path: string): string {
  const level = (path.split('/').at(-1) ?? '').replaceAll(/[-_]+/g, ' ').trim();
  return level === '' ? path : level.charAt(0).toUpperCase() + level.slice(1);
}
