import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.ts';
import { alone, Process, type TestedBroker, withUsers } from './broker.ts';
import { mochiImage, mochiServer } from './go.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/brokers/mochi/config.yaml', import.meta.url));

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

/** As in the example of the documentation: users, what each may do, and a file for what is kept. */
export async function mochiWithUsers(): Promise<TestedBroker> {
  const program = new Process();
  const port = await freePort();
  const config = readFileSync(EXAMPLE, 'utf8')
    .replace('/var/lib/mochi', program.data)
    .replace('0.0.0.0:1883', `127.0.0.1:${port}`);
  writeFileSync(program.file('config.yaml'), config);
  return {
    ...alone(program, port),
    ...withUsers({ protocolVersion: 5 }),
    name: 'mochi, users',
    keepsSessions: true,
    start: async (anew) => {
      program.prepare(anew);
      await program.start(mochiImage(), ['-config', program.file('config.yaml')], port);
    },
  };
}
