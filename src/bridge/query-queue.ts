import { BridgeError, type PlugError } from '../errors.ts';
import type { PlugClient } from '../plug/plug-client.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';

/** A query of a client, and the promise of its answer. */
interface QueuedQuery {
  readonly query: Query;
  readonly timeoutMs: number | undefined;
  /** Which outlet of a strip is meant. */
  readonly outlet: string | null;
  readonly resolve: (reply: JsonObject) => void;
  readonly reject: (error: unknown) => void;
}

/** How many queries may wait for one device. */
const MAX_QUEUED = 16;

/** The queries of clients to one device, in order, besides commands and polls. */
export class QueryQueue {
  readonly #plug: () => string;
  readonly #waiting: QueuedQuery[] = [];
  /** Why queries are rejected, once the device is no longer asked. */
  #ended: PlugError | undefined;

  /** `plug` says what it is called, for messages. */
  constructor(plug: () => string) {
    this.#plug = plug;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves with the reply once its turn has come; rejects with a PlugError, or with BridgeError `busy` when too many wait. */
  add(query: Query, timeoutMs: number | undefined, outlet: string | null): Promise<JsonObject> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#waiting.length >= MAX_QUEUED) {
      const message = `${MAX_QUEUED} queries wait for ${this.#plug()} already; try again later`;
      return Promise.reject(new BridgeError('busy', message));
    }
    return new Promise((resolve, reject) =>
      this.#waiting.push({ query, timeoutMs, outlet, resolve, reject }),
    );
  }

  /** Sends the next query; never rejects. */
  async sendNext(client: PlugClient): Promise<void> {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    await client.send(next.query, next.timeoutMs, next.outlet).then(next.resolve, next.reject);
  }

  /** Rejects the queries that wait, and all later ones. */
  end(error: PlugError): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
