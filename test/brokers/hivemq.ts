import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.ts';
import { alone, Process, type TestedBroker } from './broker.ts';
import { classPath } from './java.ts';

const SOURCE = fileURLToPath(new URL('hivemq/Broker.java', import.meta.url));

/** HiveMQ CE within a small program, which lets everybody in. */
export async function hivemq(): Promise<TestedBroker> {
  const program = new Process();
  const port = await freePort();
  const listener = `<tcp-listener><port>${port}</port><bind-address>127.0.0.1</bind-address></tcp-listener>`;
  mkdirSync(program.file('config'));
  mkdirSync(program.file('extensions'));
  writeFileSync(
    program.file('config/config.xml'),
    `<?xml version="1.0"?>\n<hivemq><listeners>${listener}</listeners>` +
      '<anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics></hivemq>\n',
  );
  const path = classPath('com.hivemq', 'hivemq-community-edition-embedded', '2025.5');
  const args = ['-cp', path, SOURCE, program.folder];
  return {
    ...alone(program, port),
    name: 'HiveMQ CE',
    mqtt: {},
    client: { protocolVersion: 5 },
    inFlight: 10,
    keepsSessions: true,
    start: async (anew) => {
      program.prepare(anew);
      await program.start('java', args, port);
    },
  };
}
