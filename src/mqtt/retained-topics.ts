import type { MqttSession } from './session.ts';
import { FLAT_VALUES, PLACE_VALUES } from './topics.ts';

/** Remembers over restarts which topics hold retained messages of ours. */
export interface RetainedTopics {
  /** Topics of that kind. */
  retained(kind: RetainedKind): ReadonlySet<string>;
  keepRetained(kind: RetainedKind, topic: string): void;
  forgetRetained(topic: string): void;
}

/** A plug, a place and the bridge stand for all topics below them, `details` for what the bridge says of one plug. */
export type RetainedKind = 'plug' | 'place' | 'bridge' | 'details' | 'homeassistant';

/** What is retained below the topic of each kind, beside the topic itself. */
const BELOW: { readonly [K in Exclude<RetainedKind, 'homeassistant'>]: readonly string[] } = {
  plug: [...FLAT_VALUES, 'availability'],
  place: PLACE_VALUES,
  bridge: ['state', 'info', 'plugs', 'health'],
  details: [],
};

type Kind = keyof typeof BELOW;

/** Clears what is retained of plugs and places that are no more, also of those that went while there was no broker. */
export class RetainedCleaner {
  readonly #session: MqttSession;
  readonly #memory: RetainedTopics;
  readonly #kinds: readonly Kind[];
  /** Topics that are remembered already. */
  readonly #known = new Set<string>();
  /** What the topics were in the last run, until that is cleared where they are something else now. */
  readonly #former = new Map<string, Kind>();

  constructor(session: MqttSession, memory: RetainedTopics, kinds: readonly Kind[]) {
    this.#session = session;
    this.#memory = memory;
    this.#kinds = kinds;
    for (const kind of kinds) for (const topic of memory.retained(kind)) this.#former.set(topic, kind);
  }

  /** Something is retained on that topic, or below it. */
  used(kind: Kind, topic: string): void {
    if (this.#known.has(topic)) return;
    this.#known.add(topic);
    this.#memory.keepRetained(kind, topic);
  }

  /** Clears all topics that are not in use, and below those that have become another kind. */
  clearOthers(inUse: ReadonlyMap<string, Kind>): void {
    for (const kind of this.#kinds)
      for (const topic of this.#memory.retained(kind)) if (!inUse.has(topic)) this.clear(kind, topic);
    for (const [topic, was] of this.#former) {
      const now = inUse.get(topic);
      if (now === undefined || now === was) this.#former.delete(topic);
      else for (const name of BELOW[was]) this.#publish(`${topic}/${name}`, () => this.#former.delete(topic));
    }
  }

  /** Clears one topic and what is below it; it is remembered until the broker has taken that. */
  clear(kind: Kind, topic: string): void {
    this.#known.delete(topic);
    for (const name of BELOW[kind]) this.#publish(`${topic}/${name}`);
    this.#publish(topic, () => {
      if (!this.#known.has(topic)) this.#memory.forgetRetained(topic);
    });
  }

  #publish(topic: string, taken?: () => void): void {
    const message = { topic, payload: '', retain: true, qos: 1 } as const;
    this.#session.publish(taken === undefined ? message : { ...message, taken });
  }
}
