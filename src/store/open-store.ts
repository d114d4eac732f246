import type { Logger } from 'pino';
import { BridgeError, messageOf } from '../errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Database, lock, openDatabase, openInMemory } from './database.ts';
import { Store } from './store.ts';

/**
 * Opens the store in the folder `dataDir`; `undefined` keeps everything in memory only. A database that cannot be used
 * is said loudly, and left as it is: the bridge then goes on from memory. Throws BridgeError `data-in-use` if another
 * bridge uses it.
 */
export function openStore(dataDir: string | undefined, { clock, log }: { clock: Clock; log: Logger }): Store {
  if (dataDir === undefined)
    return new Store({ database: openInMemory(), lock: undefined, problem: null, clock, log });
  let guard: Database | undefined;
  try {
    guard = lock(dataDir);
    return new Store({ database: openDatabase(dataDir), lock: guard, problem: null, clock, log });
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'data-in-use') throw error;
    const problem = messageOf(error);
    log.error(
      { dataDir, reason: problem },
      'no database: switching works, but nothing will survive a restart',
    );
    return new Store({ database: openInMemory(), lock: guard, problem, clock, log });
  }
}
