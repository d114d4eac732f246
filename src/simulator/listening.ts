import type { Server } from 'node:net';
import { BridgeError } from '../errors.ts';

/** Resolves once the server listens; rejects with BridgeError if it cannot. */
export function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new BridgeError(
          'plug-cannot-listen',
          `a simulated plug cannot listen on ${host}:${port}: ${cause.message}`,
          { cause },
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}
