import { BridgeError, type PlugError } from '../errors.ts';
import type { PlugClient } from '../plug/plug-client.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';

/** One query asked from outside, and where its answer goes. */
interface Question {
  readonly query: Query;
  readonly timeoutMs: number | undefined;
  readonly resolve: (reply: JsonObject) => void;
  readonly reject: (error: unknown) => void;
}

/** Questions that may wait for one plug. */
const MOST_QUESTIONS = 16;

/** What one plug is to be asked beyond its polls, in order. */
export class Questions {
  readonly #plug: string;
  readonly #waiting: Question[] = [];
  /** Why nothing is asked any more, once that is so. */
  #ended: PlugError | undefined;

  constructor(plug: string) {
    this.#plug = plug;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves with the reply when it is its turn; rejects with a PlugError, or with BridgeError `busy` when too many wait. */
  add(query: Query, timeoutMs: number | undefined): Promise<JsonObject> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#waiting.length >= MOST_QUESTIONS) {
      const message = `${MOST_QUESTIONS} questions wait for ${this.#plug} already; try again later`;
      return Promise.reject(new BridgeError('busy', message));
    }
    return new Promise((resolve, reject) => this.#waiting.push({ query, timeoutMs, resolve, reject }));
  }

  /** Asks the next one; never rejects. */
  async askNext(client: PlugClient): Promise<void> {
    const question = this.#waiting.shift();
    if (question === undefined) return;
    await client.send(question.query, question.timeoutMs).then(question.resolve, question.reject);
  }

  /** Rejects what waits and whatever comes later. */
  end(error: PlugError): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
