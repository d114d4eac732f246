import type { Logger } from 'pino';
import type { Requests } from '../api/requests.ts';
import type { Names } from '../bridge/names.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Database } from '../store/database.ts';
import type { History } from '../store/history.ts';
import type { JournalWriter } from '../store/journal-writer.ts';
import type { Role } from '../store/users.ts';
import type { Events } from './events.ts';
import type { Identifier } from './identify.ts';
import type { Login } from './login.ts';
import type { Identity } from './rights.ts';

/** What the routes work with. */
export interface WebContext {
  readonly bridge: BridgeView;
  readonly names: Names;
  readonly requests: Requests;
  readonly events: Events;
  readonly journal: Pick<JournalWriter, 'onAdded'>;
  readonly database: Database;
  readonly history: History;
  readonly identifier: Identifier;
  readonly login: Login;
  /** The time zone of the site, as `Europe/Berlin`. */
  readonly timeZone: string;
  /** The base topic on MQTT. */
  readonly base: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; `null` if nobody is logged in. */
    identity: Identity | null;
  }
  interface FastifyContextConfig {
    /** What one must be to use the route; `anybody` need not be logged in. */
    role?: Role | 'anybody';
  }
}
