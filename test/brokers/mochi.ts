import { freePort } from '../support/free-port.ts';
import { alone, Process, type TestedBroker } from './broker.ts';
import { mochiServer } from './go.ts';

/** mochi, which keeps everything in memory. */
export async function mochi(): Promise<TestedBroker> {
  const program = new Process();
  const port = await freePort();
  const start = (allowed: 'all' | 'watching') =>
    program.start(mochiServer(), [`127.0.0.1:${port}`, allowed], port);
  return {
    ...alone(program, port),
    name: 'mochi',
    mqtt: {},
    client: { protocolVersion: 5 },
    keepsSessions: true,
    start: () => start('all'),
    deny: async (isDenied) => {
      await program.end('SIGTERM');
      await start(isDenied ? 'watching' : 'all');
    },
  };
}
