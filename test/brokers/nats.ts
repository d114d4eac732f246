import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Certificates } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { alone, Process, type TestedBroker, withTls } from './broker.ts';
import { natsServer } from './go.ts';

/** A NATS server with JetStream, which keeps what is retained, and its MQTT listener. */
export class NatsNode {
  readonly process = new Process();
  readonly port: number;
  readonly #name: string;
  readonly #clusterPort: number;
  readonly #natsPort: number;

  private constructor(name: string, ports: readonly [number, number, number]) {
    this.#name = name;
    [this.port, this.#clusterPort, this.#natsPort] = ports;
  }

  static async prepared(name: string): Promise<NatsNode> {
    return new NatsNode(name, [await freePort(), await freePort(), await freePort()]);
  }

  get #route(): string {
    return `nats-route://127.0.0.1:${this.#clusterPort}`;
  }

  /** Starts it, as one of several if there are `others`; `anew` without what it has kept. */
  async start(others: readonly NatsNode[], anew = false, permissions = ''): Promise<void> {
    this.process.prepare(anew);
    const routes = others.map((node) => node.#route).join(', ');
    // Otherwise what the first client finds decides: streams that lie at one node only, if the others start later.
    const replicas = others.length > 0 ? `, stream_replicas: ${others.length + 1}` : '';
    const cluster = `cluster { name: museum, listen: "127.0.0.1:${this.#clusterPort}", routes: [${routes}] }`;
    const lines = [
      `server_name: ${this.#name}`,
      `listen: "127.0.0.1:${this.#natsPort}"`,
      `jetstream { store_dir: "${this.process.data}" }`,
      `mqtt { listen: "127.0.0.1:${this.port}"${replicas} }`,
      ...(others.length > 0 ? [cluster] : []),
      permissions,
    ];
    writeFileSync(this.process.file('nats.conf'), lines.join('\n'));
    await this.process.start(natsServer(), ['-c', this.process.file('nats.conf')], this.port);
  }
}

const COMMON = { scheme: 'mqtt', mqtt: {}, client: { protocolVersion: 4 }, keepsSessions: false } as const;

/** Everybody is a user that may not subscribe to commands; NATS has other words for topics. */
const DENYING = `
  authorization { users: [{ user: all, password: all, permissions: { subscribe: { deny: ["museum.*.set"] } } }] }
  no_auth_user: all`;

/** One node. */
export async function nats(): Promise<TestedBroker> {
  const node = await NatsNode.prepared('one');
  return {
    ...alone(node.process, node.port),
    ...COMMON,
    name: 'NATS',
    start: (anew) => node.start([], anew),
    deny: async (isDenied) => {
      await node.process.end('SIGTERM');
      await node.start([], false, isDenied ? DENYING : '');
    },
  };
}

const EXAMPLE = fileURLToPath(new URL('../../examples/brokers/nats/', import.meta.url));

/** One node as in the example of the documentation: TLS, users, and what each may do. */
export async function secureNats(): Promise<TestedBroker> {
  const program = new Process();
  const certificates = new Certificates();
  const port = await freePort();
  const example = readFileSync(`${EXAMPLE}nats.conf`, 'utf8')
    .replaceAll('/etc/nats/certs', certificates.folder)
    .replace('/var/lib/nats', program.data)
    .replace('0.0.0.0:8883', `127.0.0.1:${port}`)
    .replace('127.0.0.1:4222', `127.0.0.1:${await freePort()}`);
  writeFileSync(program.file('nats.conf'), example);
  return {
    ...alone(program, port),
    ...COMMON,
    ...withTls(certificates),
    name: 'NATS, TLS',
    start: async (anew) => {
      program.prepare(anew);
      await program.start(natsServer(), ['-c', program.file('nats.conf')], port);
    },
  };
}

/** Three nodes: the bridge may use two of them, of which the one at which it is is hurt; clients use the third. */
export async function natsCluster(): Promise<TestedBroker> {
  const names = ['one', 'two', 'three'] as const;
  const nodes = await Promise.all(names.map((name) => NatsNode.prepared(name)));
  const [first, second, third] = nodes;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('a node is missing');
  const at = (node: number) => (node === 0 ? first : second);
  const start = (node: NatsNode, anew: boolean) =>
    node.start(
      nodes.filter((other) => other !== node),
      anew,
    );
  return {
    ...COMMON,
    name: 'NATS, 3 nodes',
    ports: [first.port, second.port],
    clientPort: third.port,
    start: async (anew, node) => {
      await Promise.all((node === undefined ? nodes : [at(node)]).map((each) => start(each, anew)));
    },
    end: (signal, node) => at(node).process.end(signal),
    freeze: (node) => at(node).process.signal('SIGSTOP'),
    thaw: (node) => at(node).process.signal('SIGCONT'),
    dispose: async () => {
      await Promise.all(nodes.map((node) => node.process.dispose()));
    },
  };
}
