import type { Clock, Timer } from '../runtime/clock.ts';
import type { MqttSession } from './session.ts';
import { FLAT_VALUES, PLACE_VALUES } from './topics.ts';

/** Remembers over restarts which topics hold retained messages of ours. */
export interface RetainedTopics {
  /** Topics of that kind. */
  retained(kind: RetainedKind): ReadonlySet<string>;
  keepRetained(kind: RetainedKind, topic: string): void;
  forgetRetained(topic: string): void;
}

/** A plug, a place and the bridge stand for all topics below them, `details` and `summary` for what the bridge says of one. */
export type RetainedKind = 'plug' | 'place' | 'bridge' | 'details' | 'summary' | 'homeassistant';

/** What is retained below the topic of each kind, beside the topic itself. */
const BELOW: { readonly [K in Exclude<RetainedKind, 'homeassistant'>]: readonly string[] } = {
  plug: [...FLAT_VALUES, 'availability'],
  place: PLACE_VALUES,
  bridge: ['state', 'info', 'plugs', 'health'],
  details: [],
  summary: [],
};

type Kind = keyof typeof BELOW;

/** Home Assistant must have heard that nothing is to be read there any more: it complains of an empty JSON. */
const LATER_MS = 3000;

export interface CleanerOptions {
  readonly session: MqttSession;
  readonly retained: RetainedTopics;
  readonly clock: Clock;
  /** What this cleaner is responsible for. */
  readonly kinds: readonly Kind[];
}

/** Clears what is retained of plugs and places that are no more, also of those that went while there was no broker. */
export class RetainedCleaner {
  readonly #options: CleanerOptions;
  /** Topics that are remembered already. */
  readonly #known = new Set<string>();
  /** What the topics were in the last run, until that is cleared where they are something else now. */
  readonly #former = new Map<string, Kind>();
  /** What is to be cleared unless it is used again meanwhile. */
  readonly #leaving = new Map<string, Kind>();
  readonly #timer: Timer;

  constructor(options: CleanerOptions) {
    const { retained, kinds, clock } = options;
    this.#options = options;
    for (const kind of kinds) for (const topic of retained.retained(kind)) this.#former.set(topic, kind);
    this.#timer = clock.timer(() => this.finish());
  }

  /** Something is retained on that topic, or below it. */
  used(kind: Kind, topic: string): void {
    this.#leaving.delete(topic);
    if (this.#known.has(topic)) return;
    this.#known.add(topic);
    this.#options.retained.keepRetained(kind, topic);
  }

  /** Clears, a little later, all topics that are not in use; at once what is below those that have become another kind. */
  clearOthers(inUse: ReadonlyMap<string, Kind>): void {
    const { retained, kinds } = this.#options;
    for (const kind of kinds)
      for (const topic of retained.retained(kind)) if (!inUse.has(topic)) this.clear(kind, topic);
    for (const [topic, was] of this.#former) {
      const now = inUse.get(topic);
      if (now === undefined || now === was) this.#former.delete(topic);
      else for (const name of BELOW[was]) this.#publish(`${topic}/${name}`, () => this.#former.delete(topic));
    }
  }

  /** Clears, a little later, one topic and what is below it; it is remembered until the broker has taken that. */
  clear(kind: Kind, topic: string): void {
    this.#known.delete(topic);
    if (this.#leaving.size === 0) this.#timer.set(LATER_MS);
    this.#leaving.set(topic, kind);
  }

  /** Clears at once what is to be cleared. */
  finish(): void {
    this.#timer.clear();
    for (const [topic, kind] of this.#leaving) {
      for (const name of BELOW[kind]) this.#publish(`${topic}/${name}`);
      this.#publish(topic, () => {
        if (!this.#known.has(topic)) this.#options.retained.forgetRetained(topic);
      });
    }
    this.#leaving.clear();
  }

  #publish(topic: string, taken?: () => void): void {
    const message = { topic, payload: '', retain: true, qos: 1 } as const;
    this.#options.session.publish(taken === undefined ? message : { ...message, taken });
  }
}
