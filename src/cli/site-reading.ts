import type { Config } from '../config/schema.ts';
import { BridgeError } from '../errors.ts';
import { BridgeClient } from './bridge-client.ts';
import type { Shell } from './shell.ts';
import { SiteState } from './site-state.ts';

/** How long a broker may take to tell all that it retains. */
const RETAINED_MS = 5000;

/** A bridge that runs, and what it has told of its site. */
export interface Site {
  readonly client: BridgeClient;
  readonly state: SiteState;
}

/**
 * Connects to the broker of the bridge, reads what is retained, does `work`, and ends the connection. `changed` is
 * called with each topic that says something new, from the first on.
 */
export async function withSite<T>(
  shell: Shell,
  config: Config,
  work: (site: Site) => Promise<T>,
  changed: (topic: string, state: SiteState) => void = () => {},
): Promise<T> {
  const client = await BridgeClient.connect(config, shell);
  try {
    const state = new SiteState(client.topics);
    await client.wait<true>(RETAINED_MS, (settled) =>
      client.listen(`${client.topics.base}/#`, (topic, payload) => {
        if (!state.take(topic, payload)) return;
        changed(topic, state);
        if (state.isComplete) settled(true);
      }),
    );
    return await work({ client, state });
  } finally {
    await client.end();
  }
}

/** Throws BridgeError unless a bridge is there that takes commands. */
export function demandOnline({ client, state }: Site): void {
  if (state.bridgeState === 'online') return;
  const { base } = client.topics;
  const why = state.bridgeState === undefined ? 'there never was one' : 'the one that was there has gone';
  throw new BridgeError(
    'no-bridge',
    `no bridge is online at ${base} (broker ${client.broker}): ${why}; is the base topic right (mqtt.baseTopic)?`,
  );
}
