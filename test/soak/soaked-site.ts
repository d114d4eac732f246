import { sleep } from '../../src/runtime/clock.ts';
import { type OtherDevice, startOthers } from '../support/other-devices.ts';
import { Program } from '../support/program.ts';
import { quietPort } from '../support/quiet-port.ts';
import { SURROUNDINGS } from '../support/site.ts';
import { SoakedPlug } from './soaked-plug.ts';

const { clock } = SURROUNDINGS;

export const INTERVAL_MS = 1000;

/** How often it is measured how late timers are. */
const MACHINE_MS = 50;

/** How long the program may take to end. */
const END_MS = 5000;

/**
 * What befalls the plugs of a group: nothing, so that one sees whether others touch them; their button, which
 * enforcement undoes; the lock; faults of all kinds, and a change of address besides.
 */
export type Group = 'calm' | 'kept' | 'locked' | 'moving' | 'failing';

const SIZES: readonly (readonly [group: Group, plugs: number])[] = [
  ['calm', 20],
  ['kept', 5],
  ['locked', 5],
  ['moving', 8],
  ['failing', 162],
];

/** The plugs of the soak, devices that are none, and the real program. */
export class SoakedSite {
  readonly plugs = new Map<string, SoakedPlug>();
  readonly program = new Program();
  readonly lateness: number[] = [];
  /** How late timers fire here: what the machine is to blame for. */
  readonly machineLateness: number[] = [];
  readonly #groups = new Map<Group, SoakedPlug[]>();
  #others: OtherDevice[] = [];
  readonly #machine = clock.timer(() => this.#measureMachine());
  #startedAt = 0;
  #machineDue = 0;
  #options: object = {};

  /** The plugs that are in one of these groups. */
  of(...groups: readonly Group[]): SoakedPlug[] {
    return groups.flatMap((group) => this.#groups.get(group) ?? []);
  }

  /** Puts everything on the network and starts the bridge. */
  async open(url: string): Promise<void> {
    let number = 0;
    for (const [group, size] of SIZES) {
      const plugs: SoakedPlug[] = [];
      while (plugs.length < size) plugs.push(await this.#addPlug(group, ++number));
      this.#groups.set(group, plugs);
    }
    this.#others = await startOthers();
    this.#options = this.#configured(url);
    this.#measureMachine();
    await this.startBridge();
    await sleep(clock, 2 * INTERVAL_MS);
  }

  async startBridge(): Promise<void> {
    await this.program.start(this.#options);
    this.#startedAt = clock.now() + 2 * INTERVAL_MS;
  }

  /** Asks the bridge to end; returns what was wrong with how it did. */
  async stopBridge(): Promise<string[]> {
    const { code, ms } = await this.program.end('SIGTERM');
    return [
      ...(code === 0 ? [] : [`the program ended with exit code ${code}`]),
      ...(ms <= END_MS ? [] : [`the program took ${Math.round(ms)} ms to end`]),
    ];
  }

  /** What was told to switch and must never be. */
  get switchedByMistake(): string[] {
    const locked = this.of('locked').filter(({ device }) => device.switched > 0);
    const others = this.#others.filter(({ switched }) => switched > 0);
    return [...locked, ...others].map(({ path }) => path);
  }

  async close(): Promise<void> {
    this.#machine.clear();
    await this.program.dispose();
    await Promise.all([...this.plugs.values(), ...this.#others].map(({ server }) => server.stop()));
  }

  async #addPlug(group: Group, number: number): Promise<SoakedPlug> {
    const fails = group === 'failing' || group === 'moving';
    const path = fails ? `wing-${number % 9}/lamp-${number}` : `${group}/lamp-${number}`;
    const elsewhere = group === 'moving' ? await quietPort() : 0;
    const plug = await SoakedPlug.started(path, number, { elsewhere, locked: group === 'locked' });
    this.plugs.set(path, plug);
    if (group === 'calm') this.#time(plug);
    return plug;
  }

  /** Notes how much later than it should a plug is asked, but for the start of the bridge. */
  #time({ server }: SoakedPlug): void {
    let last = Number.POSITIVE_INFINITY;
    server.onQuery = () => {
      const now = clock.now();
      if (last < Number.POSITIVE_INFINITY && last > this.#startedAt)
        this.lateness.push(Math.max(0, now - last - INTERVAL_MS));
      last = now;
    };
  }

  #measureMachine(): void {
    const now = clock.now();
    if (this.#machineDue > 0) this.machineLateness.push(Math.max(0, now - this.#machineDue));
    this.#machineDue = now + MACHINE_MS;
    this.#machine.set(MACHINE_MS);
  }

  #configured(url: string): object {
    const moving = this.of('moving');
    const kept = new Set(this.of('kept'));
    return {
      mqtt: { url, heartbeat: '10s' },
      poll: { interval: `${INTERVAL_MS}ms`, timeout: '1s', backoffMax: '3s', statistics: '30s' },
      // The broker keeps what is said to an absent bridge as long, and a busy machine starts it slowly.
      command: { ttl: '15s' },
      homeassistant: { discovery: 'off' },
      discovery: {
        interval: '2s',
        targets: moving.flatMap(({ home, elsewhere }) => [`127.0.0.1:${home}`, `127.0.0.1:${elsewhere}`]),
      },
      plugs: [
        ...[...this.plugs.values()].map((plug) => ({
          path: plug.path,
          host: `127.0.0.1:${plug.home}`,
          ...(plug.locked ? { locked: true } : {}),
          ...(kept.has(plug) ? { enforce: true, enforceAfter: '1s' } : {}),
        })),
        ...this.#others.map(({ path, server }) => ({ path, host: `127.0.0.1:${server.port}` })),
      ],
    };
  }
}
