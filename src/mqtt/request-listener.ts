import type { Logger } from 'pino';
import type { Requests } from '../api/requests.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task, within } from '../runtime/supervisor.ts';
import { type Incoming, type MqttSession, SHUTDOWN_MS } from './session.ts';
import type { Topics } from './topics.ts';

export interface RequestListenerOptions {
  readonly requests: Requests;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Takes requests to the bridge from MQTT and publishes their responses. */
export class RequestListener implements Task {
  readonly name = 'requests';
  readonly #options: RequestListenerOptions;
  readonly #open = new Set<Promise<void>>();

  constructor(options: RequestListenerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { session, topics, clock, log } = this.#options;
    session.listen([topics.request('#')], (incoming) => this.#received(incoming));
    ready();
    await aborted(signal);
    if (!(await within(clock, SHUTDOWN_MS, Promise.all(this.#open))))
      log.warn({ requests: this.#open.size }, 'stopped before these requests were answered');
  }

  #received(incoming: Incoming): void {
    const target = this.#options.topics.parse(incoming.topic);
    if (target?.verb !== 'request' || incoming.retain) return;
    const answered: Promise<void> = this.#answer(target.name, incoming.payload).finally(() =>
      this.#open.delete(answered),
    );
    this.#open.add(answered);
  }

  async #answer(name: string, request: Buffer): Promise<void> {
    const { requests, session, topics } = this.#options;
    const payload = await requests.answer(name, request, { origin: 'mqtt', user: null });
    session.publish({ topic: topics.response(name), payload, retain: false, qos: 1, keep: true });
  }
}
