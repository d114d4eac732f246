import { createServer } from 'node:net';

/** Ports below those that systems give to outgoing connections. */
const LEAST = 10_000;
const MOST = 30_000;

/** What was handed out before: whoever has it may be away just now. */
const given = new Set<number>();

/**
 * A free port that no outgoing connection will be given: for who goes away and wants to come back to the same port.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = LEAST + Math.floor(Math.random() * (MOST - LEAST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
