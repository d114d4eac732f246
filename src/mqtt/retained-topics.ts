import type { MqttSession } from './session.ts';
import { FLAT_VALUES, PLACE_VALUES } from './topics.ts';

/** Remembers over restarts which topics hold retained messages of ours. */
export interface RetainedTopics {
  /** Topics of that kind. */
  retained(kind: RetainedKind): ReadonlySet<string>;
  keepRetained(kind: RetainedKind, topic: string): void;
  forgetRetained(topic: string): void;
}

/** A plug, a place and the bridge stand for all topics below them. */
export type RetainedKind = 'plug' | 'place' | 'bridge' | 'homeassistant';

/** What is retained below the topic of each kind, beside the topic itself. */
const BELOW: { readonly [K in 'plug' | 'place' | 'bridge']: readonly string[] } = {
  plug: [...FLAT_VALUES, 'availability'],
  place: PLACE_VALUES,
  bridge: ['state', 'info', 'plugs', 'health'],
};

type Kind = keyof typeof BELOW;

/** Clears what is retained of plugs and places that are no more, also of those that went while there was no broker. */
export class RetainedCleaner {
  readonly #session: MqttSession;
  readonly #memory: RetainedTopics;
  /** Topics that are remembered already. */
  readonly #known = new Set<string>();

  constructor(session: MqttSession, memory: RetainedTopics) {
    this.#session = session;
    this.#memory = memory;
  }

  /** Something is retained on that topic, or below it. */
  used(kind: Kind, topic: string): void {
    if (this.#known.has(topic)) return;
    this.#known.add(topic);
    this.#memory.keepRetained(kind, topic);
  }

  /** Clears all topics of that kind that are not in use. */
  clearOthers(kind: Kind, inUse: ReadonlySet<string>): void {
    for (const topic of this.#memory.retained(kind)) if (!inUse.has(topic)) this.clear(kind, topic);
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
