import { freePort } from '../support/free-port.ts';
import { Process, type TestedBroker } from './broker.ts';
import { mochiServer } from './go.ts';

/** mochi, which keeps everything in memory. */
export async function mochi(): Promise<TestedBroker> {
  const program = new Process();
  const port = await freePort();
  return {
    name: 'mochi',
    scheme: 'mqtt',
    port,
    clientPort: port,
    others: [],
    mqtt: {},
    client: { protocolVersion: 5 },
    keepsSessions: true,
    start: () => program.start(mochiServer(), [`127.0.0.1:${port}`], port),
    end: (signal) => program.end(signal),
    freeze: () => program.signal('SIGSTOP'),
    thaw: () => program.signal('SIGCONT'),
    dispose: () => program.dispose(),
  };
}
