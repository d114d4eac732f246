import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { freePort } from '../support/free-port.ts';
import { alone, Process, type TestedBroker } from './broker.ts';

/** The server itself: what is in the path changes the user first. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** Why RabbitMQ cannot be had; `undefined` if it can. */
export const noRabbitMq: string | undefined = existsSync(SERVER)
  ? undefined
  : 'rabbitmq-server is not installed (Debian has a package of that name)';

/** RabbitMQ with its MQTT plugin. */
export async function rabbitMq(): Promise<TestedBroker> {
  const program = new Process();
  const port = await freePort();
  const epmd = String(await freePort());
  const data = program.file('data');
  writeFileSync(program.file('enabled_plugins'), '[rabbitmq_mqtt].\n');
  const lines = [
    `listeners.tcp.default = 127.0.0.1:${await freePort()}`,
    `mqtt.listeners.tcp.default = 127.0.0.1:${port}`,
    'mqtt.allow_anonymous = true',
    'mqtt.default_user = guest',
    'mqtt.default_pass = guest',
    'log.console = false',
    '',
  ];
  writeFileSync(program.file('rabbitmq.conf'), lines.join('\n'));
  const env = {
    HOME: program.folder,
    ERL_EPMD_PORT: epmd,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'suite@localhost',
    RABBITMQ_DIST_PORT: String(await freePort()),
    RABBITMQ_CONFIG_FILE: program.file('rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: program.file('enabled_plugins'),
    RABBITMQ_MNESIA_BASE: data,
    RABBITMQ_LOG_BASE: program.file('log'),
  };
  return {
    ...alone(program, port),
    name: 'RabbitMQ',
    mqtt: {},
    client: { protocolVersion: 4 },
    keepsSessions: false,
    start: async (anew) => {
      if (anew) rmSync(data, { recursive: true, force: true });
      mkdirSync(data, { recursive: true });
      await program.start(SERVER, [], port, env);
    },
    dispose: async () => {
      await program.dispose();
      spawnSync('epmd', ['-port', epmd, '-kill']);
    },
  };
}
