import { createServer } from 'node:net';

/** A port that was given is not given again: whoever has it may not listen yet. */
const given = new Set<number>();

/** A TCP port of the loopback address on which nobody listens at the moment, for programs that must be told one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await anyPort();
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

function anyPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
