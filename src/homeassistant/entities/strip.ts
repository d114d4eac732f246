import type { Entity } from '../entity.ts';
import { PLUG_ENTITIES, type PlugSubject } from './plug.ts';

/** What the outlets of a strip share: Home Assistant has it at the strip, not at each of them. */
const SHARED: ReadonlySet<string> = new Set([
  'led',
  'restart',
  'problem',
  'last_seen',
  'firmware_risk',
  'rssi',
  'cloud',
]);

/** What an outlet has for itself as well. */
const BOTH: ReadonlySet<string> = new Set(['problem', 'last_seen']);

/** The entities of a strip. Each reads what the first outlet says of it. */
export const STRIP_ENTITIES: readonly Entity<PlugSubject>[] = PLUG_ENTITIES.filter(({ key }) =>
  SHARED.has(key),
);

/** The entities of one of its outlets. */
export const OUTLET_ENTITIES: readonly Entity<PlugSubject>[] = PLUG_ENTITIES.filter(
  ({ key }) => !SHARED.has(key) || BOTH.has(key),
);
