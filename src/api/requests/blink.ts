import { CommandError } from '../../errors.ts';
import type { FoundPlug } from '../../plug/discovery.ts';
import type { PlugClient } from '../../plug/plug-client.ts';
import { textAt } from '../../protocol/json.ts';
import { type Clock, sleep } from '../../runtime/clock.ts';
import { type Handler, MAX_ECHO_LENGTH, notUnderstood, type Permission } from './request.ts';

export interface BlinkOptions {
  /** Looks for plugs in the network. */
  readonly search: () => Promise<readonly FoundPlug[]>;
  /** What talks to a plug that was found, which need not be one of the bridge's. */
  readonly clientOf: (plug: FoundPlug) => PlugClient;
  readonly permission: Permission;
  readonly clock: Clock;
}

const TIMES = 4;
const HALF_MS = 500;

/**
 * `discover/blink`: lets the light of a plug that is found in the network go off and on for some seconds, so that one sees
 * which it is. Its relay is not touched, and the light is then as it was.
 */
export function blink({ search, clientOf, permission, clock }: BlinkOptions): Handler {
  return async (request, asker) => {
    permission.demand('discover/blink', asker);
    const mac = textAt(request, 'mac')?.toUpperCase();
    if (mac === undefined) throw notUnderstood('send {"mac":"50:C7:BF:12:34:56"}');
    const found = (await search()).find((plug) => plug.mac === mac);
    if (found === undefined)
      throw new CommandError('not-found', `no plug ${mac.slice(0, MAX_ECHO_LENGTH)} is found in the network`);
    const client = clientOf(found);
    try {
      const { led } = (await client.read()).sysinfo;
      for (let time = 0; time < TIMES; time++) {
        await client.apply({ led: led === false });
        await sleep(clock, HALF_MS);
        await client.apply({ led: led !== false });
        await sleep(clock, HALF_MS);
      }
    } finally {
      client.close();
    }
    return { mac };
  };
}
