import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';

/** What the program is made of that is not configured. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly version: string;
  /** Reads the text of a certificate or key. */
  readonly readFile: (path: string) => string;
}
