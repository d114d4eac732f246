import type { Server } from 'node:http';

/** What one client, or many, can hold. A browser opens six connections, one of which is its stream of events. */
export const LIMITS = {
  fastify: {
    bodyLimit: 64 * 1024,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true } },
    requestTimeout: 15_000,
    // Longer than events are apart.
    connectionTimeout: 60_000,
    routerOptions: { maxParamLength: 1000 },
  },
  http: { headersTimeout: 10_000, connectionsCheckingInterval: 5000, maxHeaderSize: 16 * 1024 },
  /** Of one client; commands are not counted: OFF always works. */
  requests: { max: 1200, timeWindow: 60_000 },
} as const;

const MOST_CONNECTIONS = 1000;
const MOST_CONNECTIONS_OF_ONE = 256;

/** Bounds the connections there are, and those of one address unless that stands for many. */
export function boundConnections(
  server: Server,
  standsForMany: (address: string | undefined) => boolean,
): void {
  const open = new Map<string, number>();
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket) => {
    const { remoteAddress: address } = socket;
    if (address === undefined || standsForMany(address)) return;
    const count = (open.get(address) ?? 0) + 1;
    if (count > MOST_CONNECTIONS_OF_ONE) {
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}
