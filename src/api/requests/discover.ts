import type { FoundPlug } from '../../plug/discovery.ts';
import type { Handler } from './request.ts';

/** `discover`: looks for plugs in the network, and says which there are. */
export function discover(search: () => Promise<readonly FoundPlug[]>): Handler {
  return async () => (await search()).map(describe);
}

function describe({ mac, address, protocol, joined, sysinfo }: FoundPlug) {
  return {
    mac,
    address: `${address.host}:${address.port}`,
    alias: sysinfo.alias ?? null,
    model: sysinfo.model ?? null,
    protocol,
    joined,
  };
}
