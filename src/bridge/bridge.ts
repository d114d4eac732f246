import type { Logger } from 'pino';
import { PlugError } from '../errors.ts';
import type { Address } from '../plug/transport.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { ClockSyncSettings } from './clock-sync.ts';
import type { Command, Receipt } from './command.ts';
import { DeviceLoop } from './device-loop.ts';
import type { DeviceSpec } from './device-spec.ts';
import { Dispatcher } from './dispatcher.ts';
import { Emitter } from './emitter.ts';
import type { Directory, Member } from './members.ts';
import { type Memory, outletKey } from './memory.ts';
import { aggregate, type PlaceState, placesOf } from './places.ts';
import type { PlugInfo, PlugState } from './plug-state.ts';
import type { BridgeEvent, BridgeEvents, BridgeView } from './view.ts';

export interface BridgeOptions {
  readonly devices: readonly DeviceSpec[];
  /** Between switching on one plug of a place and the next, by place; never for switching off. */
  readonly staggerMs: ReadonlyMap<string, number>;
  readonly memory: Memory;
  readonly clockSync: ClockSyncSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** How long a command that cannot be delivered stays wanted, unless it says so itself. */
  readonly ttlMs: number;
  /** How many exchanges of a place's command may be in flight. */
  readonly concurrency: number;
}

/** Between the first polls of one device and the next, so that a thousand do not answer at one instant. */
const START_SPREAD_MS = 5;

/** Owns one loop per device and the places that their outlets form; everything else sees it as a {@link BridgeView}. */
export class Bridge implements Task, BridgeView, Directory {
  readonly name = 'bridge';
  readonly #options: BridgeOptions;
  readonly #dispatcher: Dispatcher;
  readonly #emitter: Emitter;
  readonly #loops = new Set<DeviceLoop>();
  readonly #outlets = new Map<string, Member>();
  readonly #places = new Map<string, Member[]>([['', []]]);
  /** The loop of each device that is known, by MAC. */
  readonly #byMac = new Map<string, DeviceLoop>();
  #running = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#emitter = new Emitter(options.log);
    this.#dispatcher = new Dispatcher({ ...options, directory: this, emitter: this.#emitter });
    for (const device of options.devices) this.add(device);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#running = true;
    let phaseMs = 0;
    for (const loop of this.#loops) {
      loop.start(phaseMs);
      phaseMs += START_SPREAD_MS;
    }
    ready();
    await aborted(signal);
    this.#running = false;
    this.#dispatcher.stop();
    await Promise.all([...this.#loops].map((loop) => loop.stop('stopping')));
    // The receipts of what was still wanted are emitted after that.
    await new Promise<void>((resolve) => this.#options.clock.soon(resolve));
  }

  /** Takes a device in; it is polled at once if the bridge runs. */
  add(device: DeviceSpec): void {
    const { memory } = this.#options;
    const loop: DeviceLoop = new DeviceLoop({
      ...this.#options,
      ...device,
      identified: (mac) => this.#identified(loop, mac),
      changed: (after, before, asked) => this.#emitter.emit('plug', { after, before, asked }),
      remember: (outlet) => {
        const { mac } = loop.client;
        if (mac !== undefined) memory.keepOutlet(outletKey(mac, outlet.id), outlet.stored);
      },
      decided: (id, path, relay) => this.#dispatcher.decided(id, path, relay),
      exchanged: (began, failure) => this.#exchanged(loop, began, failure),
    });
    this.#loops.add(loop);
    for (const outlet of loop.outlets) this.#enter({ outlet, loop });
    if (loop.client.mac !== undefined) loop.identify();
    if (this.#running) loop.start(0);
  }

  /** Lets the device of that plug go, and the places that were there for it alone; its memory is kept. */
  async remove(path: string): Promise<void> {
    const member = this.#outlets.get(path);
    if (member === undefined) return;
    const { loop } = member;
    const removed = loop.outlets.map((outlet) => ({ path: outlet.path, places: this.#leave(outlet.path) }));
    this.#loops.delete(loop);
    const { mac } = loop.client;
    if (mac !== undefined && this.#byMac.get(mac) === loop) this.#byMac.delete(mac);
    await loop.stop('the plug was removed');
    for (const event of removed) this.#emitter.emit('removed', event);
  }

  /** Everything that runs for the devices, for those who find them. */
  loops(): Iterable<DeviceLoop> {
    return this.#loops;
  }

  *plugs(): Iterable<PlugState> {
    for (const { outlet } of this.#outlets.values()) yield outlet.state;
  }

  plug(path: string): PlugState | undefined {
    return this.#outlets.get(path)?.outlet.state;
  }

  places(): Iterable<string> {
    return this.#places.keys();
  }

  macs(): ReadonlySet<string> | undefined {
    const macs = [...this.#loops].map((loop) => loop.client.mac);
    return macs.includes(undefined) ? undefined : new Set(macs.filter((mac) => mac !== undefined));
  }

  identity(path: string): Pick<PlugInfo, 'mac' | 'outlet'> | undefined {
    const member = this.#outlets.get(path);
    const mac = member?.loop.client.mac;
    return member === undefined || mac === undefined ? undefined : { mac, outlet: member.outlet.id };
  }

  isLocked(path: string): boolean {
    return this.#outlets.get(path)?.outlet.policy.locked === true;
  }

  on<E extends BridgeEvent>(type: E, listener: (event: BridgeEvents[E]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  address(path: string): Address | undefined {
    return this.#outlets.get(path)?.loop.client.address;
  }

  async ask(path: string, query: Query, timeoutMs?: number): Promise<JsonObject> {
    const member = this.#outlets.get(path);
    if (member === undefined) throw new PlugError('not-found', `there is no plug ${path}`);
    return member.loop.ask(query, timeoutMs);
  }

  refresh(path: string): boolean {
    const single = this.#outlets.get(path);
    const members = single === undefined ? this.#places.get(path) : [single];
    for (const { loop } of members ?? []) loop.refresh();
    return members !== undefined;
  }

  command(path: string, command: Command): Promise<Receipt> | undefined {
    return this.#dispatcher.command(path, command);
  }

  refuse(path: string, command: Pick<Command, 'id' | 'replyTo'>, reason: string): void {
    this.#dispatcher.refuse(path, command, reason);
  }

  resume(): void {
    this.#dispatcher.resume();
  }

  acknowledge(command: number): void {
    this.#options.memory.acknowledge(command);
  }

  place(path: string): PlaceState | undefined {
    const members = this.#places.get(path);
    return members && aggregate(path, states(members));
  }

  outlet(path: string): Member | undefined {
    return this.#outlets.get(path);
  }

  members(place: string): readonly Member[] | undefined {
    return this.#places.get(place);
  }

  outletByKey(key: string): Member | undefined {
    const [mac = '', id = null] = key.split(' ');
    const loop = this.#byMac.get(mac);
    const outlet = loop?.outlets.find((one) => one.id === id);
    return loop === undefined || outlet === undefined ? undefined : { outlet, loop };
  }

  /** A device has shown its MAC: what is remembered of it is its own, and no other path may lead to it. */
  #identified(loop: DeviceLoop, mac: string): void {
    const { memory, log } = this.#options;
    const other = this.#byMac.get(mac);
    if (other !== undefined && other !== loop && memory.adopted().get(mac)?.path === other.path) {
      // It is configured after all: what was taken in goes.
      void this.remove(other.path);
    } else if (other !== undefined && other !== loop) {
      const { path } = loop;
      log.error({ plug: path, sameAs: other.path }, 'two paths lead to one plug; only the other is used');
      void loop.retire(new PlugError('duplicate', `${path} is the same plug as ${other.path}`));
      return;
    }
    this.#byMac.set(mac, loop);
    if (loop.client.address !== undefined) memory.learnMac(loop.path, loop.client.address, mac);
    for (const outlet of loop.outlets) {
      const stored = memory.outlet(outletKey(mac, outlet.id), outlet.path);
      if (stored !== undefined) outlet.recall(stored);
    }
  }

  #exchanged(loop: DeviceLoop, began: number, failure: PlugError | undefined): void {
    if (!this.#emitter.hears('exchange')) return;
    const ms = this.#options.clock.now() - began;
    this.#emitter.emit('exchange', { paths: loop.outlets.map(({ path }) => path), ms, failure });
  }

  #enter(member: Member): void {
    const { path } = member.outlet;
    this.#outlets.set(path, member);
    for (const place of placesOf(path)) {
      const members = this.#places.get(place);
      if (members === undefined) this.#places.set(place, [member]);
      else members.push(member);
    }
  }

  /** Takes an outlet out of its places; returns those that are empty now and gone. The site itself stays. */
  #leave(path: string): string[] {
    this.#outlets.delete(path);
    return placesOf(path).filter((place) => {
      const members = (this.#places.get(place) ?? []).filter(({ outlet }) => outlet.path !== path);
      if (members.length === 0 && place !== '') return this.#places.delete(place);
      this.#places.set(place, members);
      return false;
    });
  }
}

function* states(members: Iterable<Member>): Iterable<PlugState> {
  for (const { outlet } of members) yield outlet.state;
}
