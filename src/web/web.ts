import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { BridgeError } from '../errors.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { WebContext } from './context.ts';
import { Events } from './events.ts';
import type { ServerOptions } from './server.ts';

export interface WebOptions extends ServerOptions, Omit<WebContext, 'events'> {
  /** Whether somebody wants the page there: else a port that is taken is only warned of. */
  readonly isConfigured: boolean;
}

/** Serves the page for the staff, and the API that it uses. */
export class Web implements Task {
  readonly name = 'web';
  readonly #options: WebOptions;
  #port: number | undefined;

  constructor(options: WebOptions) {
    this.#options = options;
  }

  /** Where it listens, once it is ready; `undefined` if it does not. */
  get port(): number | undefined {
    return this.#port;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { host, isConfigured, log, ...rest } = this.#options;
    // Loaded only where it is used.
    const { buildServer, listen } = await import('./server.ts');
    const events = new Events({ ...rest, log, epoch: randomBytes(4).toString('hex') });
    const app: FastifyInstance = await buildServer(this.#options, { ...rest, log, events });
    events.start();
    try {
      this.#port = await listen(app, this.#options);
      log.info({ url: `http://${host}:${this.#port}/` }, 'the page is served');
    } catch (error) {
      if (isConfigured || !(error instanceof BridgeError)) throw error;
      log.warn({ hint: error.message }, 'the page is not served');
    }
    ready();
    await aborted(signal);
    events.stop();
    await app.close();
  }
}
