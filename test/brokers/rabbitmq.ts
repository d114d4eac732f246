import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Certificates } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { alone, Process, type TestedBroker, withTls } from './broker.ts';

/** The server itself: what is in the path changes the user first. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

const EXAMPLE = fileURLToPath(new URL('../../examples/brokers/rabbitmq/', import.meta.url));

/** Why RabbitMQ cannot be had; `undefined` if it can. */
export const noRabbitMq: string | undefined = existsSync(SERVER)
  ? undefined
  : 'rabbitmq-server is not installed (Debian has a package of that name)';

/** RabbitMQ with its MQTT plugin, where everybody may do everything. */
export async function rabbitMq(): Promise<TestedBroker> {
  const port = await freePort();
  const lines = [
    `listeners.tcp.default = 127.0.0.1:${await freePort()}`,
    `mqtt.listeners.tcp.default = 127.0.0.1:${port}`,
    'mqtt.allow_anonymous = true',
    'mqtt.default_user = guest',
    'mqtt.default_pass = guest',
    'log.console = false',
    '',
  ];
  return {
    ...(await server(port, lines.join('\n'))),
    name: 'RabbitMQ',
    mqtt: {},
    client: { protocolVersion: 4 },
  };
}

/** As in the example of the documentation: TLS, users, and what each may do. */
export async function secureRabbitMq(): Promise<TestedBroker> {
  const certificates = new Certificates();
  const port = await freePort();
  const config = readFileSync(`${EXAMPLE}rabbitmq.conf`, 'utf8')
    .replaceAll('/etc/rabbitmq/certs', certificates.folder)
    .replace('/etc/rabbitmq/', EXAMPLE)
    .replace('127.0.0.1:5672', `127.0.0.1:${await freePort()}`)
    .replace('= 8883', `= 127.0.0.1:${port}`);
  return { ...(await server(port, config)), ...withTls(certificates), name: 'RabbitMQ, TLS' };
}

async function server(port: number, config: string) {
  const program = new Process();
  const epmd = String(await freePort());
  writeFileSync(program.file('enabled_plugins'), '[rabbitmq_mqtt].\n');
  writeFileSync(program.file('rabbitmq.conf'), config);
  const env = {
    HOME: program.folder,
    ERL_EPMD_PORT: epmd,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'suite@localhost',
    RABBITMQ_DIST_PORT: String(await freePort()),
    RABBITMQ_CONFIG_FILE: program.file('rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: program.file('enabled_plugins'),
    RABBITMQ_MNESIA_BASE: program.data,
    RABBITMQ_LOG_BASE: program.file('log'),
  };
  return {
    ...alone(program, port),
    keepsSessions: false,
    start: async (anew: boolean) => {
      program.prepare(anew);
      await program.start(SERVER, [], port, env);
    },
    dispose: async () => {
      await program.dispose();
      spawnSync('epmd', ['-port', epmd, '-kill']);
    },
  };
}
