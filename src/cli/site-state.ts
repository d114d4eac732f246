import { parseJson } from '../api/json-text.ts';
import type { Topics } from '../mqtt/topics.ts';
import { isObject, type JsonObject, textAt } from '../protocol/json.ts';

/** A plug as its topics tell; `null` is "not known". */
export interface PlugView {
  readonly path: string;
  readonly availability: string | null;
  readonly state: string | null;
  /** W */
  readonly power: number | null;
  /** V */
  readonly voltage: number | null;
  /** A */
  readonly current: number | null;
  /** dBm */
  readonly rssi: number | null;
  readonly problem: string | null;
  /** Milliseconds since 1970. */
  readonly lastSeen: number | null;
}

/** Topics that are kept; whoever may publish below the base topic could make up more. */
const MOST_TOPICS = 500_000;

/** A site as the retained messages of a bridge tell it, as JSON or value by value. */
export class SiteState {
  readonly #topics: Topics;
  readonly #payloads = new Map<string, string>();
  /** Paths of its plugs, once the bridge has told them. */
  #paths: readonly string[] | undefined;
  #entries: ReadonlyMap<string, JsonObject> = new Map();
  /** How many of them have told all, from the first on. */
  #told = 0;

  constructor(topics: Topics) {
    this.#topics = topics;
  }

  /** Takes a message; returns whether it said anything new. */
  take(topic: string, payload: Buffer): boolean {
    const text = payload.toString('utf8');
    if (this.#payloads.get(topic) === text) return false;
    if (this.#payloads.size >= MOST_TOPICS && !this.#payloads.has(topic)) return false;
    this.#payloads.set(topic, text);
    if (topic === this.#topics.bridgePlugs) this.#takeInventory(text);
    return true;
  }

  /** `online` or `offline`; `undefined` if there never was a bridge. */
  get bridgeState(): string | undefined {
    return this.#payloads.get(this.#topics.bridgeState);
  }

  get info(): JsonObject {
    return this.#object(this.#topics.bridgeInfo);
  }

  get health(): JsonObject {
    return this.#object(this.#topics.bridgeHealth);
  }

  /** What the bridge tells of a plug that hardly ever changes: model, address … */
  entry(path: string): JsonObject {
    return this.#entries.get(path) ?? {};
  }

  /** Paths of all plugs; `undefined` until the bridge has told them. */
  get paths(): readonly string[] | undefined {
    return this.#paths;
  }

  /** Whether all that is retained has come. */
  get isComplete(): boolean {
    if (this.bridgeState === undefined || this.#paths === undefined) return false;
    while (this.#told < this.#paths.length && this.#isTold(this.#paths[this.#told] ?? '')) this.#told++;
    return this.#told === this.#paths.length;
  }

  #isTold(path: string): boolean {
    const availability = this.#payloads.get(this.#topics.below(path, 'availability'));
    if (availability !== 'online') return availability !== undefined;
    return this.#payloads.has(this.#topics.of(path)) || this.#payloads.has(this.#topics.below(path, 'state'));
  }

  /** The plug that a topic is about. */
  plugOf(topic: string): PlugView | undefined {
    const path = topic.slice(this.#topics.base.length + 1);
    const above = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    const known = [path, above].find((one) => this.#entries.has(one));
    return known === undefined ? undefined : this.#plug(known);
  }

  /** All plugs of that path or place, by path. */
  plugs(target = ''): PlugView[] {
    return (this.#paths ?? []).filter((path) => isWithin(path, target)).map((path) => this.#plug(path));
  }

  #plug(path: string): PlugView {
    const json = this.#object(this.#topics.of(path));
    const value = (name: 'state' | 'power' | 'voltage' | 'current' | 'rssi'): unknown =>
      json[name] ?? (this.#payloads.get(this.#topics.below(path, name)) || null);
    const number = (name: 'power' | 'voltage' | 'current' | 'rssi') => finite(value(name));
    const seen = Date.parse(textAt(json, 'last_seen') ?? '');
    const state = value('state');
    return {
      path,
      availability: this.#payloads.get(this.#topics.below(path, 'availability')) ?? null,
      state: typeof state === 'string' ? state : null,
      power: number('power'),
      voltage: number('voltage'),
      current: number('current'),
      rssi: number('rssi'),
      problem: textAt(this.entry(path), 'problem') ?? null,
      lastSeen: Number.isNaN(seen) ? null : seen,
    };
  }

  #takeInventory(text: string): void {
    const list = parsed(text);
    if (!Array.isArray(list)) return;
    const entries = list.filter(isObject).flatMap((entry): [string, JsonObject][] => {
      const path = textAt(entry, 'path');
      return path === undefined ? [] : [[path, entry]];
    });
    this.#entries = new Map(entries.sort(([one], [other]) => NATURAL.compare(one, other)));
    this.#paths = [...this.#entries.keys()];
    this.#told = 0;
  }

  #object(topic: string): JsonObject {
    const value = parsed(this.#payloads.get(topic) ?? '');
    return isObject(value) ? value : {};
  }
}

/** Whether a plug is that plug, or in that place; `''` is the whole site. */
export function isWithin(path: string, target: string): boolean {
  return target === '' || path === target || path.startsWith(`${target}/`);
}

const NATURAL = new Intl.Collator('en', { numeric: true });

/** JSON of the bridge; whatever else stands there tells nothing. */
function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function finite(value: unknown): number | null {
  if (value === null || value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
