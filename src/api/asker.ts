import type { Origin } from '../bridge/model.ts';

/** Who asks for something: the way it came in, and the user who was logged in there, if there is a login. */
export interface Asker {
  readonly origin: Origin;
  readonly user: string | null;
}
