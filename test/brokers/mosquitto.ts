import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Certificates } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { alone, Process, type TestedBroker } from './broker.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/brokers/mosquitto/', import.meta.url));
const PLUGIN = '/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so';

/** Mosquitto, spoken to in one version of MQTT. */
export async function mosquitto(version: '3.1.1' | '5'): Promise<TestedBroker> {
  const program = new Process();
  const port = await freePort();
  const lines = [...common(program), 'allow_anonymous true', `listener ${port} 127.0.0.1`];
  writeFileSync(program.file('acl.json'), JSON.stringify(DENYING));
  const plugin = [`plugin ${PLUGIN}`, `plugin_opt_config_file ${program.file('acl.json')}`];
  const start = (extra: readonly string[] = []) => {
    writeFileSync(program.file('mosquitto.conf'), `${[...lines, ...extra].join('\n')}\n`);
    return program.start('mosquitto', ['-c', program.file('mosquitto.conf')], port, PATH);
  };
  return {
    ...alone(program, port),
    name: `Mosquitto, ${version}`,
    mqtt: { version },
    client: { protocolVersion: version === '5' ? 5 : 4 },
    keepsSessions: version === '5',
    start: async (anew) => {
      program.prepare(anew);
      await start();
    },
    deny: async (isDenied) => {
      await program.end('SIGTERM');
      await start(isDenied ? plugin : []);
    },
  };
}

/** Mosquitto as in the example of the documentation: TLS, certificates of clients, an access list. */
export async function secureMosquitto(): Promise<TestedBroker> {
  const program = new Process();
  const certificates = new Certificates();
  const port = await freePort();
  const example = readFileSync(`${EXAMPLE}mosquitto.conf`, 'utf8')
    .replaceAll('/etc/mosquitto/certs', certificates.folder)
    .replaceAll('/etc/mosquitto', program.folder)
    .replaceAll('/var/lib/mosquitto', program.data)
    .replace('listener 8883', `listener ${port} 127.0.0.1`);
  writeFileSync(program.file('mosquitto.conf'), `user ${userInfo().username}\n${example}`);
  writeFileSync(program.file('acl'), readFileSync(`${EXAMPLE}acl`, 'utf8'));
  chmodSync(program.file('acl'), 0o600);
  const { ca } = certificates;
  return {
    ...alone(program, port),
    name: 'Mosquitto, TLS',
    scheme: 'mqtts',
    mqtt: {
      ca: certificates.file('ca.pem'),
      cert: certificates.file('client.pem'),
      key: certificates.file('client.key'),
    },
    client: { protocolVersion: 5, ca, ...certificates.client },
    staff: { protocolVersion: 5, ca, ...certificates.staff },
    keepsSessions: true,
    start: async (anew) => {
      program.prepare(anew);
      await program.start('mosquitto', ['-c', program.file('mosquitto.conf')], port, PATH);
    },
  };
}

/** Debian has it where only root looks. */
const PATH = { PATH: `${process.env.PATH}:/usr/sbin` };

function common(program: Process): string[] {
  return [
    `user ${userInfo().username}`,
    'persistence true',
    `persistence_location ${program.data}/`,
    'log_dest none',
    'max_queued_messages 10000',
    'set_tcp_nodelay true',
  ];
}

/** An access list refuses what is published; of subscriptions, only this plugin does. */
const DENYING = {
  defaultACLAccess: {
    publishClientSend: true,
    publishClientReceive: true,
    subscribe: true,
    unsubscribe: true,
  },
  groups: [{ groupname: 'all', roles: [{ rolename: 'watching' }] }],
  roles: [
    {
      rolename: 'watching',
      acls: [{ acltype: 'subscribeLiteral', topic: 'museum/+/set', priority: 1, allow: false }],
    },
  ],
  anonymousGroup: 'all',
};
