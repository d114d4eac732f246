import type { Logger } from 'pino';
import type { Asker } from '../../bridge/command.ts';
import { CommandError } from '../../errors.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { ADMIN_REQUESTS } from './names.ts';

/** Carries out one kind of request; resolves with the `data` of its response. Throws or rejects with a BridgeError. */
export type Handler = (request: JsonObject, asker: Asker) => unknown;

/** Characters of a text that is echoed in the response; `transaction` may be any JSON that is no longer. */
export const MAX_ECHO_LENGTH = 256;

/** What the configuration allows clients beyond reading, by name. */
export class Permission {
  readonly #allow: () => ReadonlySet<string>;
  readonly #log: Logger;

  constructor(allow: () => ReadonlySet<string>, log: Logger) {
    this.#allow = allow;
    this.#log = log;
  }

  /** Whether what has that name is allowed. */
  grants(name: string): boolean {
    return this.#allow().has(name);
  }

  /** Throws CommandError unless what has that name is allowed. */
  demand(name: string, asker: Asker): void {
    // By the page only administrators get here.
    if (this.grants(name) || (asker.origin === 'web' && ADMIN_REQUESTS.has(name))) return;
    this.#log.warn(
      { command: name, ...whoIs(asker), cure: `allow: [${name}]` },
      'a request was refused that the configuration does not allow',
    );
    throw new CommandError(
      'not-allowed',
      `${name} is not allowed; write "allow: [${name}]" into the configuration`,
    );
  }
}

/** Who asks, for the log. */
export function whoIs({ origin, user }: Asker): JsonObject {
  return { origin, ...(user === null ? {} : { user }) };
}

/** The sender's mistake, in a sentence that says how it is done. */
export function notUnderstood(message: string): CommandError {
  return new CommandError('not-understood', message);
}
