import { useEffect, useState } from 'preact/hooks';
import { type Happening, type Live, NOTHING_KNOWN, reduce } from './reducer.ts';

/** Holds the one state of the page; all that happens goes through `tell`. */
export class LiveStore {
  #live: Live = NOTHING_KNOWN;
  readonly #listeners = new Set<() => void>();

  get live(): Live {
    return this.#live;
  }

  readonly tell = (happening: Happening): void => {
    this.#live = reduce(this.#live, happening);
    for (const listener of this.#listeners) listener();
  };

  /** Calls `listener` after each change until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Draws the component again whenever what `pick` takes of the state is another. */
export function useLive<T>(store: LiveStore, pick: (live: Live) => T): T {
  const [, redraw] = useState(0);
  const picked = pick(store.live);
  useEffect(() => {
    let last = picked;
    const look = () => {
      const next = pick(store.live);
      if (next === last) return;
      last = next;
      redraw((count) => count + 1);
    };
    look();
    return store.subscribe(look);
  }, [store]);
  return picked;
}
