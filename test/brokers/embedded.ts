import { freePort } from '../support/free-port.ts';
import type { TestedBroker } from './broker.ts';

/** The broker within the bridge. */
export async function embedded(): Promise<TestedBroker> {
  const port = await freePort();
  const nothing = async () => {};
  return {
    name: 'embedded',
    isEmbedded: true,
    scheme: 'mqtt',
    ports: [port],
    clientPort: port,
    mqtt: {},
    client: { protocolVersion: 4 },
    keepsSessions: false,
    start: nothing,
    end: nothing,
    freeze: () => {},
    thaw: () => {},
    dispose: nothing,
  };
}
