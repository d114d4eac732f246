import type { Logger } from 'pino';
import type { BridgeEvent, BridgeEvents } from './view.ts';

type Listener<E extends BridgeEvent> = (event: BridgeEvents[E]) => void;

/** Passes events on to those who listen for their type. A listener that throws does not affect the others. */
export class Emitter {
  readonly #listeners: { readonly [E in BridgeEvent]: Set<Listener<E>> } = {
    plug: new Set(),
    leaving: new Set(),
    removed: new Set(),
    command: new Set(),
    receipt: new Set(),
    exchange: new Set(),
  };
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  on<E extends BridgeEvent>(type: E, listener: Listener<E>): () => void {
    const listeners: Set<Listener<E>> = this.#listeners[type];
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Whether there are listeners for events of that type; without, they need not be made. */
  hears(type: BridgeEvent): boolean {
    return this.#listeners[type].size > 0;
  }

  emit<E extends BridgeEvent>(type: E, event: BridgeEvents[E]): void {
    const listeners: Set<Listener<E>> = this.#listeners[type];
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ err: error, event: type }, 'a listener failed');
      }
    }
  }
}
