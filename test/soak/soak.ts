import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { sleep } from '../../src/runtime/clock.ts';
import { SURROUNDINGS } from '../support/site.ts';
import { Ledger } from './ledger.ts';
import { Chance } from './random.ts';
import { SoakedBroker } from './soaked-broker.ts';
import type { SoakedPlug } from './soaked-plug.ts';
import { SoakedSite } from './soaked-site.ts';

const { clock } = SURROUNDINGS;

const MOST_FAILING = 60;
/** How much later than timers of this program the polls of plugs that are well may be, but for one in a hundred. */
const LATE_MS = 500;
/** How often the button of a kept plug is pressed: a bridge gives up on who presses it all the time. */
const PRESS_MS = 20_000;

/** 200 plugs, a broker and the real program for some minutes, in which everything fails now and then. */
class Soak {
  readonly #chance: Chance;
  readonly #embedded: boolean;
  readonly #site = new SoakedSite();
  readonly #ledger = new Ledger(this.#site.plugs, () => clock.now());
  readonly #faults = new Map<string, number>();
  readonly #restarts = new Map<string, number>();
  readonly #over = new AbortController();
  #broker: SoakedBroker | undefined;
  /** While the broker is being restarted nobody says anything, nor while the bridge is, if that would be lost. */
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
    const { broken } = this.#ledger;
    try {
      this.#broker = await SoakedBroker.started(
        (topic, payload) => this.#ledger.seen(topic, payload),
        this.#embedded,
      );
      await this.#site.open(this.#broker.way.url);
      await this.#broker.bridgeBack();
      this.#ledger.restarted();
      const before = this.#rss();
      const end = sleep(clock, minutes * 60_000, this.#over.signal).then(() => this.#over.abort());
      const all = [this.#command(), this.#disturb(), this.#press(), this.#restart(this.#broker)];
      // Whoever fails ends it for the others as well.
      for (const one of all) one.catch(() => this.#over.abort());
      await Promise.allSettled([...all, end]);
      await Promise.all(all);
      await this.#settle();
      const after = this.#rss();
      broken.push(...(await this.#site.stopBridge()));
      this.#report(before, after);
      return broken.length === 0;
    } finally {
      await this.#broker?.stop();
      await this.#site.close();
    }
  }

  /** Sends commands of all kinds to plugs and places. */
  async #command(): Promise<void> {
    const paths = [...this.#site.plugs.keys(), 'other/bulb-1', 'other/bulb-2'];
    const places = [...new Set(paths.map((path) => path.split('/')[0] ?? ''))];
    const chance = this.#chance;
    for (let number = 0; !this.#over.signal.aborted; number++) {
      await sleep(clock, chance.between(20, 180));
      if (this.#silent) continue;
      const id = `c${number}`;
      const below = chance.oneIn(6) ? chance.of(places) : chance.oneIn(30) ? 'nowhere' : chance.of(paths);
      const target = chance.oneIn(80) ? 'museum' : `museum/${below}`;
      const payload = JSON.stringify({ id, ...this.#wish() });
      const reply = chance.oneIn(8) && this.#broker?.keepsSessions === true;
      this.#ledger.command(id, target, payload, reply);
      await this.#broker?.say(`${target}/set`, payload, reply);
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
    const plugs = this.#site.of('moving', 'failing');
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

  /** Presses the buttons of plugs that are kept as they were told to be, and of locked ones. */
  async #press(): Promise<void> {
    const plugs = this.#site.of('kept', 'locked');
    while (!this.#over.signal.aborted) {
      for (const plug of plugs) {
        await sleep(clock, PRESS_MS / plugs.length, this.#over.signal);
        plug.device.press();
      }
    }
  }

  /** Takes away the broker or the bridge now and then, the latter with and without a warning. */
  async #restart(broker: SoakedBroker): Promise<void> {
    for (;;) {
      await sleep(clock, this.#chance.between(15_000, 35_000), this.#over.signal);
      if (this.#over.signal.aborted) return;
      const what = this.#chance.of(['broker', 'broker', 'bridge', 'killed bridge']);
      if (what === 'broker') {
        this.#silent = true;
        await broker.restart(() => this.#ledger.brokerLost());
      } else await this.#restartBridge(broker, what === 'killed bridge');
      this.#restarts.set(what, (this.#restarts.get(what) ?? 0) + 1);
      this.#silent = false;
    }
  }

  async #restartBridge(broker: SoakedBroker, isKilled: boolean): Promise<void> {
    // Where no session waits for the bridge, what is said meanwhile is lost, which is no promise broken.
    this.#silent = !broker.keepsSessions;
    if (this.#silent) await broker.drained();
    broker.bridgeGone();
    this.#ledger.restarted();
    if (isKilled) await this.#site.program.end('SIGKILL');
    else this.#ledger.broken.push(...(await this.#site.stopBridge()));
    await this.#site.startBridge();
    await broker.bridgeBack();
    this.#ledger.restarted();
  }

  /** All is well again: every receipt comes, and everything published becomes what the plugs are. */
  async #settle(): Promise<void> {
    const { broken } = this.#ledger;
    const until = clock.now() + 25_000;
    const demands: readonly (readonly [what: string, unmet: () => readonly string[]])[] = [
      ['commands without receipt', () => this.#ledger.open],
      ['published otherwise than they are', () => this.#differing()],
      ['otherwise than they were told to be at last', () => this.#disobeying()],
    ];
    for (const [what, unmet] of demands) {
      while (unmet().length > 0 && clock.now() < until) await sleep(clock, 100);
      const left = unmet();
      if (left.length > 0) broken.push(`${left.length} ${what}: ${left.slice(0, 5).join(', ')}`);
    }
    for (const path of this.#site.switchedByMistake) broken.push(`${path} was told to switch`);
    for (const line of this.#site.program.lines)
      if (/"level":[56]0/.test(line)) broken.push(`the log has an error: ${line}`);
  }

  #differing(): string[] {
    return [...this.#site.plugs].flatMap(([path, { device }]) => {
      const published = this.#ledger.latest.get(path);
      const is = device.relay ? 'ON' : 'OFF';
      return published === is ? [] : [`${path} (${is}, published as ${published})`];
    });
  }

  /** Of the plugs that nothing befell but their button, those that are not as their last command leaves them. */
  #disobeying(): string[] {
    return this.#site.of('calm', 'kept').flatMap(({ path, device }) => {
      const due = this.#ledger.due(path);
      const is = device.relay ? 'ON' : 'OFF';
      return due === undefined || due === is ? [] : [`${path} (${is}, should be ${due})`];
    });
  }

  /** MB of memory that the program has, where the system tells. */
  #rss(): string {
    try {
      const status = readFileSync(`/proc/${this.#site.program.pid}/status`, 'utf8');
      return `${Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)} MB`;
    } catch {
      return 'unknown';
    }
  }

  #report(before: string, after: string): void {
    const { sent, received, outcomes, again, repeated, replies, states, broken } = this.#ledger;
    const late = quantiles(this.#site.lateness);
    const machine = quantiles(this.#site.machineLateness);
    if (late(0.99) > LATE_MS + machine(0.99))
      broken.push(`one poll in a hundred is late by more than ${LATE_MS} ms, beyond what timers are here`);
    const faults = [...this.#faults.values()].reduce((sum, count) => sum + count, 0);
    print(`commands sent ${sent} = receipts received ${received}: ${listed(outcomes)}`);
    print(`receipts sent again after a broker restart: ${again}, marked as repeated: ${repeated}`);
    print(`receipts on response topics: ${replies}`);
    print(`states published and found true: ${states}`);
    print(`faults: ${faults} of ${this.#faults.size} kinds`);
    print(`restarts: ${listed(this.#restarts) || 'none'} (${this.#broker?.name})`);
    print(
      `polls of plugs that are well: ${this.#site.lateness.length}, late by p50 ${late(0.5)} ms, p99 ${late(0.99)} ms, at most ${late(1)} ms (timers of this program: p99 ${machine(0.99)} ms)`,
    );
    print(`memory of the bridge (RSS): ${before} at the start, ${after} at the end`);
    for (const how of broken.slice(0, 20)) print(`BROKEN: ${how}`);
    print(broken.length === 0 ? 'every promise was kept' : `promises broken: ${broken.length}`);
  }
}

/** What a share of the values is at most, in whole numbers. */
function quantiles(values: readonly number[]): (share: number) => number {
  const sorted = values.toSorted((one, other) => one - other);
  return (share) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
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
print(`200 plugs, ${values.minutes} min, --seed ${seed}`);
process.exitCode = (await new Soak(seed, values.embedded).run(Number(values.minutes))) ? 0 : 1;
