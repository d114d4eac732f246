import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { sleep } from '../../src/runtime/clock.ts';
import { Program } from '../support/program.ts';
import { quietPort } from '../support/quiet-port.ts';
import { SURROUNDINGS } from '../support/site.ts';
import { Ledger } from './ledger.ts';
import { Chance } from './random.ts';
import { SoakedBroker } from './soaked-broker.ts';
import { SoakedPlug } from './soaked-plug.ts';

const { clock } = SURROUNDINGS;

const PLUGS = 200;
/** Plugs of these many never fail: what the others do must not touch them. */
const CALM = 20;
/** Plugs that may move to another address. */
const MOVING = 8;
const MOST_FAILING = 60;
const INTERVAL_MS = 1000;
/** How late the polls of a plug that is well may be, but for one in a hundred. */
const LATE_MS = 500;

/** How long the program may take to end. */
const END_MS = 5000;

/** 200 plugs, a broker and the real program for some minutes, in which everything fails now and then. */
class Soak {
  readonly #chance: Chance;
  readonly #embedded: boolean;
  readonly #plugs = new Map<string, SoakedPlug>();
  readonly #ledger = new Ledger(this.#plugs, () => clock.now());
  readonly #program = new Program();
  readonly #faults = new Map<string, number>();
  readonly #lateness: number[] = [];
  readonly #over = new AbortController();
  #broker: SoakedBroker | undefined;
  #restarts = 0;
  /** While the broker is being restarted nobody says anything. */
  #silent = false;

  constructor(seed: number, embedded: boolean) {
    this.#embedded = embedded;
    // Every plug that fails waits for the end.
    setMaxListeners(0, this.#over.signal);
    // Ctrl-C ends it early, with its report, and leaves no program and no broker behind.
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => this.#over.abort());
    this.#chance = new Chance(seed);
  }

  async run(minutes: number): Promise<boolean> {
    try {
      await this.#open();
      const before = this.#rss();
      const end = sleep(clock, minutes * 60_000, this.#over.signal).then(() => this.#over.abort());
      const all = [this.#command(), this.#disturb(), this.#restart()];
      // Whoever fails ends it for the others as well.
      for (const one of all) one.catch(() => this.#over.abort());
      await Promise.allSettled([...all, end]);
      await Promise.all(all);
      await this.#settle();
      const after = this.#rss();
      const { code, ms } = await this.#program.end('SIGTERM');
      if (code !== 0) this.#ledger.broken.push(`the program ended with exit code ${code}`);
      if (ms > END_MS) this.#ledger.broken.push(`the program took ${Math.round(ms)} ms to end`);
      this.#report(before, after);
      return this.#ledger.broken.length === 0;
    } finally {
      await this.#program.dispose();
      await this.#broker?.stop();
      await Promise.all([...this.#plugs.values()].map(({ server }) => server.stop()));
    }
  }

  async #open(): Promise<void> {
    for (let number = 1; number <= PLUGS; number++) {
      const calm = number <= CALM;
      const path = calm ? `calm/lamp-${number}` : `wing-${number % 9}/lamp-${number}`;
      const moves = !calm && number <= CALM + MOVING;
      const plug = await SoakedPlug.started(path, number, moves ? await quietPort() : 0);
      this.#plugs.set(path, plug);
      if (calm) this.#time(plug);
    }
    this.#broker = await SoakedBroker.started(
      (topic, payload) => this.#ledger.seen(topic, payload),
      this.#embedded,
    );
    const moving = [...this.#plugs.values()].filter(({ elsewhere }) => elsewhere > 0);
    await this.#program.start({
      mqtt: { url: this.#broker.way.url, heartbeat: '10s' },
      poll: { interval: `${INTERVAL_MS}ms`, timeout: '1s', backoffMax: '3s', statistics: '30s' },
      command: { ttl: '5s' },
      homeassistant: { discovery: 'off' },
      discovery: {
        interval: '2s',
        targets: moving.flatMap(({ home, elsewhere }) => [`127.0.0.1:${home}`, `127.0.0.1:${elsewhere}`]),
      },
      plugs: [...this.#plugs.values()].map(({ path, home }) => ({ path, host: `127.0.0.1:${home}` })),
    });
    await sleep(clock, 2 * INTERVAL_MS);
  }

  /** Notes how much later than it should a plug is asked. */
  #time({ server }: SoakedPlug): void {
    let last = Number.POSITIVE_INFINITY;
    server.onQuery = () => {
      const now = clock.now();
      if (last < Number.POSITIVE_INFINITY) this.#lateness.push(Math.max(0, now - last - INTERVAL_MS));
      last = now;
    };
  }

  /** Sends commands of all kinds to plugs and places. */
  async #command(): Promise<void> {
    const paths = [...this.#plugs.keys()];
    const places = [...new Set(paths.map((path) => path.split('/')[0] ?? ''))];
    const chance = this.#chance;
    for (let number = 0; !this.#over.signal.aborted; number++) {
      await sleep(clock, chance.between(20, 180));
      if (this.#silent) continue;
      const id = `c${number}`;
      const below = chance.oneIn(6) ? chance.of(places) : chance.oneIn(30) ? 'nowhere' : chance.of(paths);
      const target = chance.oneIn(80) ? 'museum' : `museum/${below}`;
      const payload = JSON.stringify({ id, ...this.#wish() });
      this.#ledger.command(id, target, payload);
      await this.#broker?.say(`${target}/set`, payload);
    }
  }

  #wish(): object {
    const chance = this.#chance;
    if (chance.oneIn(25)) return { state: 'SIDEWAYS' };
    const ttl = chance.of(['default', 'default', 0, '1s', '8s']);
    return {
      ...(chance.oneIn(10) ? {} : { state: chance.of(['ON', 'OFF', 'ON', 'OFF', 'TOGGLE']) }),
      ...(chance.oneIn(10) ? { led: chance.of(['ON', 'OFF']) } : {}),
      ...(ttl === 'default' ? {} : { ttl }),
      ...(chance.oneIn(12) ? { for: chance.of(['1s', '3s']) } : {}),
    };
  }

  /** Has plugs fail for a while; some buttons are pressed, too. */
  async #disturb(): Promise<void> {
    const plugs = [...this.#plugs.values()].slice(CALM);
    const healing = new Set<Promise<void>>();
    while (!this.#over.signal.aborted) {
      await sleep(clock, this.#chance.between(20, 200));
      const plug = this.#chance.of(plugs);
      if (this.#chance.oneIn(5)) plug.device.press();
      else if (!plug.fails && healing.size < MOST_FAILING) {
        const done: Promise<void> = this.#failFor(plug, this.#chance.between(500, 15_000)).finally(() =>
          healing.delete(done),
        );
        healing.add(done);
      }
    }
    await Promise.all(healing);
  }

  async #failFor(plug: SoakedPlug, ms: number): Promise<void> {
    const fault = await plug.fail(this.#chance);
    this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1);
    await sleep(clock, ms, this.#over.signal);
    await plug.heal();
  }

  async #restart(): Promise<void> {
    for (;;) {
      await sleep(clock, this.#chance.between(15_000, 35_000), this.#over.signal);
      if (this.#over.signal.aborted) return;
      this.#silent = true;
      await this.#broker?.restart(() => this.#ledger.brokerLost());
      this.#restarts++;
      this.#silent = false;
    }
  }

  /** All is well again: every receipt comes, and everything published becomes what the plugs are. */
  async #settle(): Promise<void> {
    const until = clock.now() + 25_000;
    while (this.#ledger.open.length > 0 && clock.now() < until) await sleep(clock, 100);
    const { open, broken } = this.#ledger;
    if (open.length > 0)
      broken.push(`${open.length} commands have no receipt: ${open.slice(0, 5).join(', ')}`);
    while (this.#differing().length > 0 && clock.now() < until) await sleep(clock, 100);
    const differing = this.#differing();
    if (differing.length > 0)
      broken.push(`published otherwise than they are: ${differing.slice(0, 5).join(', ')}`);
    for (const line of this.#program.lines)
      if (/"level":[56]0/.test(line)) broken.push(`the log has an error: ${line}`);
  }

  #differing(): string[] {
    return [...this.#plugs].flatMap(([path, { device }]) => {
      const published = this.#ledger.latest.get(path);
      const is = device.relay ? 'ON' : 'OFF';
      return published === is ? [] : [`${path} (${is}, published as ${published})`];
    });
  }

  /** MB of memory that the program has, where the system tells. */
  #rss(): string {
    try {
      const status = readFileSync(`/proc/${this.#program.pid}/status`, 'utf8');
      return `${Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)} MB`;
    } catch {
      return 'unknown';
    }
  }

  #report(before: string, after: string): void {
    const { sent, received, outcomes, again, states, broken } = this.#ledger;
    const sorted = this.#lateness.toSorted((one, other) => one - other);
    const late = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
    if (late(0.99) > LATE_MS) broken.push(`one poll in a hundred is late by more than ${LATE_MS} ms`);
    const faults = [...this.#faults.values()].reduce((sum, count) => sum + count, 0);
    print(`commands sent ${sent} = receipts received ${received}: ${listed(outcomes)}`);
    print(`receipts sent again after a broker restart: ${again}`);
    print(`states published and found true: ${states}`);
    print(
      `faults: ${faults} of ${this.#faults.size} kinds; broker restarts: ${this.#restarts} (${this.#broker?.name})`,
    );
    print(
      `polls of ${CALM} plugs that are well: ${sorted.length}, late by p50 ${late(0.5)} ms, p99 ${late(0.99)} ms, at most ${late(1)} ms`,
    );
    print(`memory of the bridge (RSS): ${before} at the start, ${after} at the end`);
    for (const how of broken.slice(0, 20)) print(`BROKEN: ${how}`);
    print(broken.length === 0 ? 'every promise was kept' : `promises broken: ${broken.length}`);
  }
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    embedded: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
print(`${PLUGS} plugs, ${values.minutes} min, --seed ${seed}`);
process.exitCode = (await new Soak(seed, values.embedded).run(Number(values.minutes))) ? 0 : 1;
