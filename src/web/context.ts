import type { Logger } from 'pino';
import type { BridgeView } from '../bridge/view.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Events } from './events.ts';
import type { Names } from './json.ts';

/** What the routes work with. */
export interface WebContext {
  readonly bridge: BridgeView;
  readonly names: Names;
  readonly events: Events;
  readonly site: SiteFacts;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What does not change while the bridge runs. */
export interface SiteFacts {
  readonly name: string;
  readonly timeZone: string;
  readonly currency: string | null;
  /** The base topic. */
  readonly base: string;
}
