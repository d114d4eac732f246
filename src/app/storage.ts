import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { openStore } from '../store/open-store.ts';
import { takeOverStateFile } from '../store/state-file.ts';
import type { Store } from '../store/store.ts';
import type { Surroundings } from './surroundings.ts';

/** Where version 0.1 kept what now stands in the database; its container image had that in the volume. */
const FORMER_STATE_FILE = './hs110-mqtt.state.json';
const FORMER_IMAGE_STATE_FILE = 'state.json';

/** What survives restarts, with what version 0.1 left. */
export function storeFor({ dataDir, stateFile }: Config, { clock, log }: Surroundings): Store {
  const store = openStore(dataDir === 'off' ? undefined : dataDir, { clock, log });
  if (dataDir !== 'off')
    takeOverStateFile(store, [stateFile ?? FORMER_STATE_FILE, join(dataDir, FORMER_IMAGE_STATE_FILE)], log);
  return store;
}
