import process from 'node:process';
import { parseArgs } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { sleep } from '../../src/runtime/clock.ts';
import { SimulatedMuseum } from '../../src/simulator/museum.ts';
import { NatsNode } from '../brokers/nats.ts';
import { Program } from '../support/program.ts';
import { SURROUNDINGS } from '../support/site.ts';
import { waitFor } from './wait-for.ts';

const USAGE = `npm run trial:cluster -- [--plugs N] [--bridges N]
Runs several bridges at a NATS cluster of three nodes, each with its part of the site, and one bridge with all of it;
measures commands to all plugs, and kills a node in the middle of one. It needs go, which builds the NATS server once.`;

const { clock } = SURROUNDINGS;
const PATIENCE_MS = 120_000;
/** For so long messages are counted. */
const COUNTED_MS = 20_000;

const { values } = parseArgs({
  options: {
    plugs: { type: 'string', default: '4000' },
    bridges: { type: 'string', default: '4' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

/** Some bridges with all plugs between them, and a client at a node that is not killed. */
class Wings {
  readonly #client: MqttClient;
  readonly #nodes: readonly NatsNode[];
  readonly #bridges: readonly Program[];
  readonly #online = new Set<string>();
  readonly #receipts: { readonly outcome: string; readonly confirmed: number; readonly total: number }[] = [];
  #states = 0;

  constructor(client: MqttClient, nodes: readonly NatsNode[], count: number) {
    this.#client = client;
    this.#nodes = nodes;
    this.#bridges = Array.from({ length: count }, () => new Program());
    client.on('message', (topic, payload) => this.#received(topic, payload.toString()));
  }

  /** Starts each bridge with its plugs; resolves with how long it took until all states were there, in ms. */
  async start(hosts: readonly string[]): Promise<number> {
    const began = clock.now();
    await this.#client.subscribeAsync(['museum/+/result', 'museum/+/bridge/state'], { qos: 1 });
    await this.#client.subscribeAsync('museum/+/+/state');
    const each = Math.ceil(hosts.length / this.#bridges.length);
    for (const [index, bridge] of this.#bridges.entries()) {
      // Each has another node first.
      const nodes = this.#nodes.map((_, at) => this.#nodes[(at + index) % this.#nodes.length]);
      const mine = hosts.slice(index * each, (index + 1) * each);
      bridge.launch({
        mqtt: {
          url: nodes.map((node) => `mqtt://127.0.0.1:${node?.port}`),
          baseTopic: `museum/wing-${index}`,
        },
        homeassistant: { discovery: 'off' },
        plugs: mine.map((host, number) => ({ path: `lamp-${number}`, host })),
      });
    }
    await this.#until(() => this.#online.size === this.#bridges.length, 'all bridges to be online');
    await this.#until(() => this.#states >= hosts.length, 'all states');
    return clock.now() - began;
  }

  /** Messages a second that the client hears while nothing is commanded. */
  async rate(): Promise<number> {
    let heard = 0;
    const counting = await mqtt.connectAsync(`mqtt://127.0.0.1:${this.#nodes[1]?.port}`);
    await counting.subscribeAsync('museum/#');
    counting.on('message', (_topic, _payload, { retain }) => {
      if (!retain) heard++;
    });
    await sleep(clock, COUNTED_MS);
    await counting.endAsync(true);
    return (heard * 1000) / COUNTED_MS;
  }

  /** Commands everything, and does `meanwhile`; resolves with the time to the last receipt, and what the receipts say. */
  async all(state: 'ON' | 'OFF', meanwhile: () => Promise<void> = async () => {}): Promise<string> {
    this.#receipts.length = 0;
    const began = clock.now();
    const count = this.#bridges.length;
    for (let wing = 0; wing < count; wing++)
      this.#client.publish(`museum/wing-${wing}/set`, state, { qos: 1 });
    await meanwhile();
    await waitFor(clock, () => this.#receipts.length >= count, PATIENCE_MS);
    const sum = (pick: (receipt: { confirmed: number; total: number }) => number) =>
      this.#receipts.reduce((total, receipt) => total + pick(receipt), 0);
    const ms = Math.round(clock.now() - began);
    const confirmed = `${sum((receipt) => receipt.confirmed)} of ${sum((receipt) => receipt.total)} plugs confirmed`;
    return `${ms} ms, ${this.#receipts.length} of ${count} receipts, ${confirmed}`;
  }

  async end(): Promise<void> {
    await Promise.all(this.#bridges.map((bridge) => bridge.end('SIGTERM')));
    for (const bridge of this.#bridges) await bridge.dispose();
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    if (!(await waitFor(clock, holds, PATIENCE_MS))) throw new Error(`waited in vain for ${what}`);
  }

  #received(topic: string, payload: string): void {
    if (topic.endsWith('/bridge/state')) {
      if (payload === 'online') this.#online.add(topic);
      else this.#online.delete(topic);
    } else if (topic.endsWith('/result')) this.#receipts.push(JSON.parse(payload));
    else if (payload !== '') this.#states++;
  }
}

const [plugs, bridges] = [Number(values.plugs), Number(values.bridges)];
const museum = new SimulatedMuseum({ count: plugs, host: '127.0.0.1', port: 0, clock, random: Math.random });
await museum.start();
// Only now: the plugs may have taken any port.
const nodes = await Promise.all(['one', 'two', 'three'].map((name) => NatsNode.prepared(name)));
const othersOf = (node: NatsNode) => nodes.filter((other) => other !== node);
try {
  const hosts = museum.exhibits.map(({ server }) => `${server.host}:${server.port}`);
  await Promise.all(nodes.map((node) => node.start(othersOf(node), true)));
  for (const count of [1, bridges]) await tryOut(count, hosts);
} finally {
  await museum.stop();
  for (const node of nodes) await node.process.dispose();
}
process.exit(0);

/** Runs so many bridges with all plugs between them, and prints what they do. */
async function tryOut(count: number, hosts: readonly string[]): Promise<void> {
  const name = `${count} ${count === 1 ? 'bridge' : 'bridges'}, ${hosts.length} plugs`;
  const url = `mqtt://127.0.0.1:${nodes[1]?.port}`;
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 200 });
  const wings = new Wings(client, nodes, count);
  try {
    console.log(`${name}: all states after ${Math.round(await wings.start(hosts))} ms`);
    console.log(`${name}: ${Math.round(await wings.rate())} messages a second`);
    console.log(`${name}: all ON: ${await wings.all('ON')}`);
    console.log(`${name}: all OFF: ${await wings.all('OFF')}`);
    if (count === 1) return;
    const kill = async () => {
      await sleep(clock, 100);
      await nodes[0]?.process.end('SIGKILL');
    };
    console.log(`${name}: all ON, a node killed meanwhile: ${await wings.all('ON', kill)}`);
    console.log(`${name}: all OFF, after that: ${await wings.all('OFF')}`);
  } finally {
    await wings.end();
    await client.endAsync(true);
  }
}
