import { openInMemory } from '../../src/store/database.ts';
import { Store } from '../../src/store/store.ts';
import { ManualClock } from './manual-clock.ts';
import { memoryLog } from './memory-log.ts';

/** A store without a file: what one bridge leaves there the next one finds. */
export function memoryStore(clock = new ManualClock()): Store {
  const { log } = memoryLog();
  return new Store({ database: openInMemory(), lock: undefined, problem: null, clock, log });
}
