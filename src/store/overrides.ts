import { isObject, textAt } from '../protocol/json.ts';
import type { Store } from './store.ts';

/** What one thing of the configuration was in the file when it was changed, and what it is to be. */
export interface StoredOverride {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Keeps changes of the configuration that could not be written into the file. */
export class StoredOverrides {
  readonly #store: Store;
  readonly #isLasting: boolean;
  #overrides: readonly StoredOverride[];

  /** `isLasting`: whether the store is in a file. */
  constructor(store: Store, isLasting: boolean) {
    this.#store = store;
    this.#isLasting = isLasting;
    this.#overrides = store.database.prepare('SELECT * FROM override ORDER BY number').all().flatMap(read);
  }

  get keepsOverrides(): boolean {
    return this.#isLasting && this.#store.problem === null;
  }

  overrides(): readonly StoredOverride[] {
    return this.#overrides;
  }

  keepOverrides(overrides: readonly StoredOverride[]): void {
    if (overrides.length === 0 && this.#overrides.length === 0) return;
    this.#overrides = overrides;
    this.#store.transaction(() => {
      this.#store.write('DELETE FROM override', []);
      for (const { key, before, after } of overrides) {
        const row = [key, JSON.stringify(before), JSON.stringify(after)];
        this.#store.write('INSERT INTO override (key, before, after) VALUES (?, ?, ?)', row);
      }
    });
  }
}

/** A row that cannot be read is left out. */
function read(row: unknown): StoredOverride[] {
  if (!isObject(row)) return [];
  const { before, after } = row;
  const key = textAt(row, 'key');
  if (key === undefined || typeof before !== 'string' || typeof after !== 'string') return [];
  try {
    return [{ key, before: JSON.parse(before), after: JSON.parse(after) }];
  } catch {
    return [];
  }
}
