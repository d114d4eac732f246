import { useEffect, useState } from 'preact/hooks';
import type { PageClock } from '../clock.ts';
import { type Happening, type Live, NOTHING_KNOWN, reduce } from './reducer.ts';

/** Changes within this time are drawn together. */
const TOGETHER_MS = 250;

/** Holds the one state of the page; all that happens goes through `tell`. */
export class LiveStore {
  readonly #clock: PageClock;
  #live: Live = NOTHING_KNOWN;
  #shownAt = Number.NEGATIVE_INFINITY;
  #soon: (() => void) | null = null;
  readonly #listeners = new Set<() => void>();

  get live(): Live {
    return this.#live;
  }

  constructor(clock: PageClock) {
    this.#clock = clock;
  }

  readonly tell = (happening: Happening): void => {
    this.#live = reduce(this.#live, happening);
    // What somebody did is shown at once; readings of a large site are drawn a few times a second.
    const isReading = happening.type === 'change' || happening.type === 'ping';
    const sinceMs = this.#clock.now() - this.#shownAt;
    if (isReading && sinceMs >= 0 && sinceMs < TOGETHER_MS) {
      this.#soon ??= this.#clock.after(TOGETHER_MS - sinceMs, () => this.#show());
    } else this.#show();
  };

  #show(): void {
    this.#soon?.();
    this.#soon = null;
    this.#shownAt = this.#clock.now();
    for (const listener of this.#listeners) listener();
  }

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
