import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { sleep } from '../../src/runtime/clock.ts';
import { Chance } from '../soak/random.ts';
import { Program } from '../support/program.ts';
import { type Running, SURROUNDINGS, startBroker } from '../support/site.ts';
import { againInNamespace, Cable, noNamespaces } from './namespaces.ts';
import { waitFor } from './wait-for.ts';

const USAGE = `npm run trial:kernel -- [--rounds N] [--plugs N] [--seed S] [--only drop|pull|move|stop]
Commands to plugs that are out of reach for a while, on a network that really loses packets: no relay may ever be
switched by a command that a newer one has replaced. Needs root on Linux, for network namespaces.`;

const { clock } = SURROUNDINGS;
const MARK = 'TRIAL_NAMESPACE';
const PLUGS_PROGRAM = fileURLToPath(new URL('kernel-plugs.ts', import.meta.url));
const FIRST_PORT = 9999;
const LONGEST_MS = 4000;
const RECEIPT_MS = 30_000;
const ONLINE_MS = 60_000;

/**
 * How the plugs get out of reach: packets to them are lost, the cable is pulled, they have another address
 * meanwhile, or packets are lost and the bridge is stopped and started again before the newer command.
 */
const WAYS = ['drop', 'pull', 'move', 'stop'] as const;
type Way = (typeof WAYS)[number];

/** A plug, as the trial sees it. */
interface TriedPlug {
  readonly path: string;
  readonly mac: string;
  readonly port: number;
  /** Where it is in reach, and where else it might be. */
  here: string;
  there: string;
  relay: boolean;
  /** When its relay was switched on, ms since 1970. */
  readonly switchedOn: number[];
}

/** Rounds of commands that are replaced while a plug is out of reach. */
class KernelTrial {
  readonly #plugs: readonly TriedPlug[];
  readonly #chance: Chance;
  readonly #program = new Program();
  readonly #simulator: ChildProcess;
  #broker: { running: Running; url: string } | undefined;
  #client: MqttClient | undefined;
  readonly #online = new Set<string>();
  #bridgeHears = false;
  readonly #receipts = new Map<string, { readonly outcome: unknown; readonly at: number }>();
  #commands = 0;
  /** Rounds of one plug each. */
  rounds = 0;
  readonly wrong: string[] = [];

  constructor(plugs: number, seed: number) {
    this.#chance = new Chance(seed);
    this.#plugs = Array.from({ length: plugs }, (_, index) => ({
      path: `lamp-${index}`,
      mac: `50:C7:BF:00:00:${index.toString(16).toUpperCase().padStart(2, '0')}`,
      port: FIRST_PORT + index,
      here: `10.77.0.${10 + index}`,
      there: `10.77.1.${10 + index}`,
      relay: false,
      switchedOn: [],
    }));
    const args = ['--net', process.execPath, ...process.execArgv, PLUGS_PROGRAM];
    this.#simulator = spawn('unshare', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  async run(rounds: number, ways: readonly Way[]): Promise<void> {
    try {
      const cable = await this.#open();
      for (let round = 0; round < rounds; round++) {
        const way = ways[round % ways.length] ?? 'drop';
        await this.#round(cable, way);
        print(`round ${round + 1} (${way}): ${this.rounds} so far, ${this.wrong.length} wrong`);
      }
    } finally {
      await this.#program.dispose();
      await this.#client?.endAsync(true);
      await this.#broker?.running.stop();
      this.#simulator.kill('SIGKILL');
    }
  }

  async #open(): Promise<Cable> {
    await once(this.#simulator, 'message');
    const addresses = this.#plugs.flatMap(({ here, there }) => [here, there]);
    const cable = new Cable(this.#simulator.pid ?? 0, addresses);
    this.#simulator.send(
      this.#plugs.map(({ mac, port, here, there }) => ({ mac, port, hosts: [here, there] })),
    );
    await once(this.#simulator, 'message');
    this.#simulator.on('message', (message: { mac: string; relay: boolean; at: number }) =>
      this.#told(message),
    );
    cable.cut(this.#plugs.map(({ there }) => there));
    this.#broker = await startBroker(0);
    this.#client = await mqtt.connectAsync(this.#broker.url);
    this.#client.on('message', (topic, payload) => this.#seen(topic, payload.toString()));
    await this.#client.subscribeAsync('museum/#', { qos: 1 });
    await this.#startBridge();
    return cable;
  }

  /** Starts the bridge; resolves once commands reach it. */
  async #startBridge(): Promise<void> {
    this.#bridgeHears = false;
    const url = this.#broker?.url;
    await this.#program.start({
      mqtt: { url },
      poll: { interval: '500ms', timeout: '500ms', backoffMax: '1s' },
      command: { ttl: '60s' },
      homeassistant: { discovery: 'off' },
      discovery: {
        interval: '1s',
        targets: this.#plugs.flatMap(({ here, there, port }) => [`${here}:${port}`, `${there}:${port}`]),
      },
      plugs: this.#plugs.map(({ path, mac }) => ({ path, mac })),
    });
    if (!(await waitFor(clock, () => this.#bridgeHears, ONLINE_MS)))
      throw new Error('the bridge does not come online');
  }

  #told({ mac, relay, at }: { mac: string; relay: boolean; at: number }): void {
    const plug = this.#plugs.find((one) => one.mac === mac);
    if (plug === undefined) return;
    plug.relay = relay;
    if (relay) plug.switchedOn.push(at);
  }

  async #round(cable: Cable, way: Way): Promise<void> {
    const everybody = () => this.#online.size === this.#plugs.length;
    if (!(await waitFor(clock, everybody, ONLINE_MS)))
      throw new Error(`only ${this.#online.size} plugs came online`);
    const ids = await this.#outOfReach(cable, way);
    const confirmedAt = await Promise.all(ids.map((id) => this.#confirmed(id)));
    if (way === 'move') this.#swap(cable);
    // What the kernel still holds is sent again after twice the time that it was not answered.
    await sleep(clock, 2 * LONGEST_MS + 1000);
    if (way === 'move') cable.cut(this.#plugs.map(({ there }) => there));
    for (const [index, plug] of this.#plugs.entries()) this.#judge(way, plug, confirmedAt[index]);
  }

  /** Has commands replaced while plugs are out of reach; resolves to the ids of the last ones, which say OFF. */
  #outOfReach(cable: Cable, way: Way): Promise<string[]> {
    if (way === 'pull') return this.#pulled(cable);
    if (way === 'stop') return this.#stopped(cable);
    return Promise.all(this.#plugs.map((plug) => this.#apart(cable, way, plug)));
  }

  /** One plug, in its own time. */
  async #apart(cable: Cable, way: Way, plug: TriedPlug): Promise<string> {
    const outage = this.#chance.between(500, LONGEST_MS);
    cable.cut([plug.here]);
    const back = sleep(clock, outage).then(() => cable.open([way === 'move' ? plug.there : plug.here]));
    const id = await this.#changeMinds(plug, outage);
    await back;
    return id;
  }

  /** All at once: the cable is pulled. */
  async #pulled(cable: Cable): Promise<string[]> {
    cable.plugged = false;
    const outage = this.#chance.between(1000, LONGEST_MS);
    const ids = Promise.all(this.#plugs.map((plug) => this.#changeMinds(plug, outage)));
    await sleep(clock, outage);
    cable.plugged = true;
    cable.open(this.#plugs.map(({ here }) => here));
    return ids;
  }

  /** All at once: the bridge is stopped while it waits for answers, and takes the newer command after its start. */
  async #stopped(cable: Cable): Promise<string[]> {
    const here = this.#plugs.map((plug) => plug.here);
    cable.cut(here);
    await Promise.all(this.#plugs.map((plug) => this.#say(plug, 'ON')));
    await sleep(clock, this.#chance.between(0, LONGEST_MS));
    await this.#restart();
    cable.open(here);
    return Promise.all(this.#plugs.map((plug) => this.#say(plug, 'OFF')));
  }

  async #restart(): Promise<void> {
    const { code } = await this.#program.end('SIGTERM');
    if (code !== 0) this.wrong.push(`the bridge ended with exit code ${code}`);
    await this.#startBridge();
  }

  /** Says ON and OFF in turn while the plug is out of reach, OFF at last; resolves to the id of that. */
  async #changeMinds(plug: TriedPlug, outage: number): Promise<string> {
    const times = this.#chance.of([1, 1, 2, 4]);
    let id = '';
    for (let time = 0; time < times; time++) {
      await sleep(clock, this.#chance.between(0, outage / times / 2));
      await this.#say(plug, 'ON');
      await sleep(clock, this.#chance.between(0, outage / times / 2));
      id = await this.#say(plug, 'OFF');
    }
    return id;
  }

  async #say({ path }: TriedPlug, state: 'ON' | 'OFF'): Promise<string> {
    const id = `c${++this.#commands}`;
    await this.#client?.publishAsync(`museum/${path}/set`, JSON.stringify({ id, state }), { qos: 1 });
    return id;
  }

  /** When the receipt of that command came, ms since 1970; `undefined` if it is not `confirmed`, or does not come. */
  async #confirmed(id: string): Promise<number | undefined> {
    await waitFor(clock, () => this.#receipts.has(id), RECEIPT_MS);
    const receipt = this.#receipts.get(id);
    return receipt?.outcome === 'confirmed' ? receipt.at : undefined;
  }

  #seen(topic: string, payload: string): void {
    const [, path = '', kind] = topic.split('/');
    if (topic === 'museum/bridge/state') this.#bridgeHears = payload === 'online';
    else if (kind === 'availability' && payload === 'online') this.#online.add(path);
    else if (kind === 'availability') this.#online.delete(path);
    else if (kind === 'result') {
      const { id, outcome } = JSON.parse(payload);
      this.#receipts.set(id, { outcome, at: clock.date() });
    }
  }

  /** The plugs are now where they were not; the old address is in reach again, too. */
  #swap(cable: Cable): void {
    cable.open(this.#plugs.map(({ here }) => here));
    for (const plug of this.#plugs) [plug.here, plug.there] = [plug.there, plug.here];
  }

  #judge(way: Way, plug: TriedPlug, confirmedAt: number | undefined): void {
    this.rounds++;
    const late = confirmedAt === undefined ? undefined : plug.switchedOn.find((at) => at > confirmedAt);
    if (confirmedAt === undefined) this.wrong.push(`${way}: OFF was not confirmed for ${plug.path}`);
    else if (late !== undefined)
      this.wrong.push(
        `${way}: ${plug.path} was switched on ${late - confirmedAt} ms after OFF was confirmed`,
      );
    else if (plug.relay) this.wrong.push(`${way}: ${plug.path} is on after OFF was confirmed`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '8' },
      plugs: { type: 'string', default: '20' },
      seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 32)}` },
      only: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const obstacle = noNamespaces();
  if (obstacle !== undefined) {
    print(`skipped: ${obstacle}`);
    return 77;
  }
  if (process.env[MARK] === undefined) return againInNamespace(MARK);
  const ways = WAYS.filter((way) => values.only?.includes(way) ?? true);
  print(`${values.plugs} plugs, ${ways.join(', ')}; --seed ${values.seed}`);
  const trial = new KernelTrial(Number(values.plugs), Number(values.seed));
  await trial.run(Number(values.rounds), ways);
  for (const how of trial.wrong.slice(0, 20)) print(`WRONG: ${how}`);
  print(`rounds of one plug: ${trial.rounds}, wrong: ${trial.wrong.length}`);
  return trial.wrong.length === 0 ? 0 : 1;
}

process.exitCode = await main();
