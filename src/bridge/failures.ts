import type { Logger } from 'pino';
import { messageOf, PlugError } from '../errors.ts';

/**
 * What went wrong with one device. A mistake of this program counts as a failure of the device, so that it is neither
 * repeated at once nor reaches others; it is logged once.
 */
export class Failures {
  readonly #path: () => string;
  readonly #log: Logger;
  #mistake = '';

  /** `path` says what the device is called in the log. */
  constructor(path: () => string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /** What was thrown, as a failure of the device. */
  of(error: unknown): PlugError {
    if (error instanceof PlugError) return error;
    const message = messageOf(error);
    if (message !== this.#mistake)
      this.#log.error({ err: error, plug: this.#path() }, 'unexpected failure; polling goes on');
    this.#mistake = message;
    return new PlugError('internal', `a mistake in this program: ${message}`, { cause: error });
  }

  /** The device answers: the same mistake would be another one. */
  clear(): void {
    this.#mistake = '';
  }
}
