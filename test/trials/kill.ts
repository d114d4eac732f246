import process from 'node:process';
import { parseArgs } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { sleep } from '../../src/runtime/clock.ts';
import { Chance } from '../soak/random.ts';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { Program } from '../support/program.ts';
import { quietPort } from '../support/quiet-port.ts';
import { SURROUNDINGS } from '../support/site.ts';
import { type Command, Commands } from './commands.ts';
import { type LoggedPlug, startLoggedPlug } from './killed-plug.ts';
import { waitFor } from './wait-for.ts';

const USAGE = `npm run trial:kill -- [--rounds N] [--plugs N] [--seed S] [--embedded]
Kills the bridge (kill -9) in the middle of commands, mostly right after a receipt, and starts it again: no plug may
be told what a newer command has replaced, and every command has one receipt, or further ones that say so.`;

const { clock } = SURROUNDINGS;
const BASE = 'museum';
/** A command that the broker accepted so long before the end has reached the bridge. */
const TAKEN_MS = 200;
const RECEIPTS_MS = 30_000;
/** For so long after the last receipt plugs are watched for old commands. */
const WATCH_MS = 1500;

/** Those who send commands in a round, and after how many receipts the bridge is killed. */
interface Users {
  readonly users: Promise<void>[];
  readonly receipts: number;
}

/** Rounds of commands, a kill, and a restart. */
class KillTrial {
  readonly #chance: Chance;
  readonly #program = new Program();
  readonly #plugs: LoggedPlug[] = [];
  readonly #mosquitto: Mosquitto | undefined;
  #url = '';
  #client: MqttClient | undefined;
  #online = false;
  #commands = new Commands();
  #sent = 0;
  /** How often the bridge was killed. */
  rounds = 0;
  receipts = 0;
  /** Receipts that say that they may have come before. */
  repeated = 0;
  readonly wrong: string[] = [];

  constructor(seed: number, mosquitto: Mosquitto | undefined) {
    this.#chance = new Chance(seed);
    this.#mosquitto = mosquitto;
  }

  get sent(): number {
    return this.#sent;
  }

  async run(rounds: number, plugs: number): Promise<void> {
    try {
      for (let number = 1; number <= plugs; number++) this.#plugs.push(await startLoggedPlug(number));
      this.#url = this.#mosquitto?.url ?? `mqtt://127.0.0.1:${await quietPort()}`;
      await this.#startBridge();
      while (this.rounds < rounds) {
        await this.#round();
        print(`round ${this.rounds}: ${this.#sent} commands so far, ${this.wrong.length} wrong`);
      }
    } finally {
      this.#client?.end(true);
      await this.#program.dispose();
      await Promise.all(this.#plugs.map(({ server }) => server.stop()));
    }
  }

  async #startBridge(): Promise<void> {
    const own = this.#mosquitto === undefined;
    await this.#program.start({
      ...(own ? { broker: { listen: new URL(this.#url).host } } : {}),
      mqtt: { baseTopic: BASE, ...(own ? {} : { url: this.#url }) },
      poll: { interval: '300ms', timeout: '1s', backoffMax: '1s' },
      // The broker keeps what is said to an absent bridge as long, and a busy machine starts it slowly.
      command: { ttl: '60s' },
      homeassistant: { discovery: 'off' },
      plugs: this.#plugs.map(({ path, server }) => ({ path, host: `127.0.0.1:${server.port}` })),
    });
    // A client that lost its broker does not say again what was perhaps heard: the round would not know.
    if (own) this.#client?.end(true);
    if (own || this.#client === undefined) await this.#connect();
    if (!(await waitFor(clock, () => this.#online, RECEIPTS_MS)))
      throw new Error('the bridge does not come online');
  }

  async #connect(): Promise<void> {
    const client = await mqtt.connectAsync(this.#url, { reconnectPeriod: 0 });
    client.on('error', () => {});
    client.on('message', (topic, payload) => this.#seen(topic, payload.toString()));
    await client.subscribeAsync(`${BASE}/#`, { qos: 1 });
    this.#client = client;
  }

  #seen(topic: string, payload: string): void {
    if (topic === `${BASE}/bridge/state`) this.#online = payload === 'online';
    else if (topic.endsWith('/result')) this.#commands.receipt(payload, clock.date());
  }

  async #round(): Promise<void> {
    this.#commands = new Commands();
    for (const { device } of this.#plugs) device.writes.length = 0;
    const { users, receipts } = this.#chance.oneIn(2) ? this.#overtake() : this.#useAll();
    const killedAt = await this.#kill(receipts);
    await Promise.all(users);
    await sleep(clock, this.#chance.between(0, 300));
    // A broker of its own is gone as well: nobody could take a command.
    if (this.#mosquitto !== undefined && this.#chance.oneIn(3)) await this.#sayToAll();
    for (const { server } of this.#plugs) server.fault = { kind: 'none' };
    const startedAt = clock.date();
    await this.#startBridge();
    await waitFor(clock, () => this.#commands.open.length === 0, RECEIPTS_MS);
    await sleep(clock, WATCH_MS);
    this.#judge(killedAt, startedAt);
    this.rounds++;
  }

  /** Some plugs are slow, or silent until the bridge is there again. */
  #disturb({ server }: LoggedPlug): void {
    if (this.#chance.oneIn(4)) server.fault = { kind: 'delay', ms: this.#chance.between(50, 600) };
    else if (this.#chance.oneIn(5)) server.fault = { kind: 'silence' };
  }

  /**
   * Some plugs are away while they, or all, are told something, and told otherwise when they are there again: a bridge
   * that forgets the newer command at its end carries the older one out after its start.
   */
  #overtake(): Users {
    const on = this.#chance.oneIn(2);
    const away = this.#plugs.filter(() => this.#chance.oneIn(2));
    for (const { server } of away) server.fault = { kind: 'silence' };
    const together = this.#chance.oneIn(2) ? this.#sayToAll(on) : undefined;
    const each = away.map(async (plug) => {
      await (together ?? this.#say(`${BASE}/${plug.path}`, [plug.path], on));
      await sleep(clock, this.#chance.between(600, 1500));
      plug.server.fault = { kind: 'none' };
      if (this.#program.runs) await this.#say(`${BASE}/${plug.path}`, [plug.path], !on);
    });
    const users = together === undefined ? each : [together, ...each];
    return { users, receipts: Math.ceil(this.#chance.between(0, users.length + away.length)) };
  }

  #useAll(): Users {
    const receipts = this.#chance.oneIn(4) ? 0 : Math.ceil(this.#chance.between(0, 2 * this.#plugs.length));
    return { users: this.#plugs.map((plug) => this.#use(plug)), receipts };
  }

  /** Says ON and OFF to one plug in turn, and perhaps to all of them. */
  async #use(plug: LoggedPlug): Promise<void> {
    this.#disturb(plug);
    const commands = this.#chance.of([1, 2, 3, 4]);
    let on = this.#chance.oneIn(2);
    for (let number = 0; number < commands && this.#program.runs; number++) {
      on = !on;
      await this.#say(`${BASE}/${plug.path}`, [plug.path], on);
      await sleep(clock, this.#chance.between(20, 400));
    }
    if (this.#chance.oneIn(12) && this.#program.runs) await this.#sayToAll();
  }

  async #sayToAll(on = this.#chance.oneIn(2)): Promise<void> {
    const paths = this.#plugs.map(({ path }) => path);
    await this.#say(BASE, paths, on);
  }

  async #say(target: string, paths: readonly string[], on: boolean): Promise<void> {
    const id = `k${++this.#sent}`;
    const command: Command = { id, paths, on, sentAt: clock.date(), acceptedAt: undefined, receipts: [] };
    this.#commands.add(command);
    const payload = JSON.stringify({ id, state: on ? 'ON' : 'OFF' });
    const accepted = new Promise<void>((resolve) => {
      this.#client?.publish(`${target}/set`, payload, { qos: 1 }, (error) => {
        if (!error) command.acceptedAt = clock.date();
        resolve();
      });
    });
    // With the broker in the bridge, the answer may never come.
    await Promise.race([accepted, sleep(clock, 500)]);
  }

  /** Kills the bridge within half a second of that many receipts, or if they do not come. Resolves to when. */
  async #kill(receipts: number): Promise<number> {
    await waitFor(clock, () => this.#commands.settled >= receipts, 3000);
    await sleep(clock, this.#chance.between(0, 500));
    const killedAt = clock.date();
    this.#online = false;
    await this.#program.end('SIGKILL');
    return killedAt;
  }

  #judge(killedAt: number, startedAt: number): void {
    const { open, receiptedTwice, receipts, repeated } = this.#commands;
    this.receipts += receipts;
    this.repeated += repeated;
    for (const { id, paths } of open) this.#note(`${id} for ${paths.join(', ')} has no receipt`);
    for (const { id, receipts } of receiptedTwice)
      this.#note(
        `${id} has ${receipts.length} receipts (${receipts.map(({ outcome }) => outcome).join(', ')})`,
      );
    for (const plug of this.#plugs) this.#judgePlug(plug, killedAt, startedAt);
  }

  /** From the receipt of its last command on, a plug must not be told otherwise, nor by a new life of the bridge. */
  #judgePlug({ path, device }: LoggedPlug, killedAt: number, startedAt: number): void {
    const last = this.#commands.lastFor(path);
    if (last?.acceptedAt === undefined) return;
    const receiptAt = last.receipts[0]?.at ?? Number.POSITIVE_INFINITY;
    const from = last.acceptedAt < killedAt - TAKEN_MS ? Math.min(receiptAt, startedAt) : receiptAt;
    const old = device.writes.find(({ at, on }) => at > from && on !== last.on);
    const what = `${path} after ${last.id} (${last.on ? 'ON' : 'OFF'}, ${last.receipts[0]?.outcome})`;
    if (old !== undefined)
      this.#note(
        `${what} was told otherwise ${old.at - receiptAt} ms after its receipt, ${old.at - startedAt} ms after the start`,
      );
    else if (last.receipts[0]?.outcome === 'confirmed' && device.relay !== last.on)
      this.#note(`${what} is otherwise`);
  }

  #note(how: string): void {
    this.wrong.push(how);
    print(`WRONG: ${how}`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '10' },
      plugs: { type: 'string', default: '8' },
      seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 32)}` },
      embedded: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const own = values.embedded || noMosquitto !== undefined;
  const mosquitto = own ? undefined : await Mosquitto.started();
  print(`${values.plugs} plugs, ${own ? 'the embedded broker' : 'Mosquitto'}; --seed ${values.seed}`);
  const trial = new KillTrial(Number(values.seed), mosquitto);
  try {
    await trial.run(Number(values.rounds), Number(values.plugs));
  } finally {
    await mosquitto?.stop();
  }
  const { rounds, sent, receipts, repeated, wrong } = trial;
  print(
    `kills: ${rounds}, commands: ${sent}, receipts: ${receipts}, repeated: ${repeated}, wrong: ${wrong.length}`,
  );
  return wrong.length === 0 ? 0 : 1;
}

process.exitCode = await main();
