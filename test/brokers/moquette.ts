import { mkdirSync, writeFileSync } from 'node:fs';
import { freePort } from '../support/free-port.ts';
import { alone, Process, type TestedBroker } from './broker.ts';
import { classPath } from './java.ts';

/** Moquette, which keeps retained messages and sessions in a file. */
export async function moquette(): Promise<TestedBroker> {
  const program = new Process();
  const port = await freePort();
  const lines = [
    'host 127.0.0.1',
    `port ${port}`,
    'websocket_port disabled',
    'allow_anonymous true',
    `data_path ${program.data}`,
    'telemetry_enabled false',
    'buffer_flush_millis 0',
    // Left out it closes the connection on more than 8,092 bytes, as announcements to Home Assistant have.
    'netty.mqtt.message_size 262144',
  ];
  mkdirSync(program.file('config'));
  writeFileSync(program.file('config/moquette.conf'), `${lines.join('\n')}\n`);
  const args = [
    `-Dmoquette.path=${program.folder}`,
    '-cp',
    classPath('io.moquette', 'moquette-broker', '0.17'),
    'io.moquette.broker.Server',
  ];
  return {
    ...alone(program, port),
    name: 'Moquette',
    // It retains nothing that is sent at QoS 0.
    mqtt: { qos: { state: 1 } },
    client: { protocolVersion: 4 },
    keepsSessions: false,
    start: async (anew) => {
      program.prepare(anew);
      await program.start('java', args, port);
    },
  };
}
