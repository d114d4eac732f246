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
import { type DeviceSettings, type DeviceSpec, outletsOf } from './device-spec.ts';
import { Dispatcher } from './dispatcher.ts';
import { Emitter } from './emitter.ts';
import { type Directory, type Member, statesOf } from './members.ts';
import { keepKnown, type Memory, outletKey } from './memory.ts';
import { type KnownMeter, knownMeters, PlaceEnergy } from './metering.ts';
import { Moves } from './moves.ts';
import type { Outlet } from './outlet.ts';
import { aggregate, type PlaceState } from './places.ts';
import type { PlugInfo, PlugState } from './plug-state.ts';
import { recall } from './recall.ts';
import { Tree } from './tree.ts';
import type { BridgeEvent, BridgeEvents, BridgeView } from './view.ts';

export interface BridgeOptions {
  readonly devices: readonly DeviceSpec[];
  /** Between switching on one plug of a place and the next, by place; never for switching off. It may change. */
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
  readonly #tree = new Tree();
  readonly #moves = new Moves();
  readonly #energy: PlaceEnergy;
  /** The loop of each device that is known, by MAC. */
  readonly #byMac = new Map<string, DeviceLoop>();
  #running = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#emitter = new Emitter(options.log);
    this.#energy = new PlaceEnergy(options.memory.energyByPath());
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
      becameStrip: (former, ids) => this.#becameStrip(loop, former, ids),
      changed: (after, before, asked) => this.#emitter.emit('plug', { after, before, asked }),
      remember: (outlet) => {
        const { mac } = loop.client;
        if (mac !== undefined) memory.keepOutlet(outletKey(mac, outlet.id), outlet.stored);
      },
      exchanged: (began, failure) => this.#exchanged(loop, began, failure),
    });
    this.#loops.add(loop);
    for (const outlet of loop.outlets) this.#enter({ outlet, loop });
    if (loop.client.mac !== undefined) loop.identify();
    if (!this.#running) return;
    for (const { state } of loop.outlets)
      this.#emitter.emit('plug', { before: state, after: state, asked: false });
    loop.start(0);
  }

  /** Lets the device of that plug go, and the places that were there for it alone; its memory is kept. */
  async remove(path: string): Promise<void> {
    const loop = this.loopAt(path);
    if (loop === undefined) return;
    const removed = this.#release(loop);
    await loop.stop('the plug was removed');
    for (const event of removed) this.#emitter.emit('removed', event);
  }

  /**
   * Takes another device in the place of that plug's, with the same paths: it is new hardware, not another plug. Once the
   * old one has left, and before anything is recalled of the new one, `takenOver` is called.
   */
  async replace(path: string, device: DeviceSpec, takenOver: () => void = () => {}): Promise<void> {
    const loop = this.loopAt(path);
    if (loop === undefined) return;
    await loop.stop('the plug was replaced');
    this.#release(loop);
    takenOver();
    this.add(device);
    for (const { state } of loop.outlets) {
      const after = this.plug(state.path);
      if (after !== undefined) this.#emitter.emit('plug', { before: state, after, asked: true });
    }
  }

  /**
   * Sets devices, each named by the path of one of its plugs, otherwise while they run: how they are polled, where their
   * plugs are in the tree and what they may do. All are set before anything is said, so that two may swap their paths.
   * What is known and wanted of the plugs stays, and open commands keep the path they were sent to.
   */
  configure(changes: ReadonlyMap<string, DeviceSettings>): void {
    const loops = [...changes].flatMap(([path, settings]) => {
      const loop = this.loopAt(path);
      return loop === undefined ? [] : [{ loop, settings }];
    });
    const outlets = loops.flatMap(({ loop, settings }) => {
      const specs = outletsOf(settings, loop.outletIds);
      return loop.outlets.map((outlet, index) => {
        return { loop, outlet, from: outlet.path, to: specs[index]?.path ?? outlet.path };
      });
    });
    const moved = outlets.filter(({ from, to }) => from !== to);
    const left = moved.map(({ from }) => ({ path: from, places: this.#leave(from) }));
    for (const { loop, settings } of loops) loop.configure(settings);
    for (const { loop, outlet } of moved) this.#enter({ outlet, loop });
    for (const { from, to } of moved) this.#moves.note(from, to, this.#tree.places);
    for (const { loop } of moved) this.#learn(loop);
    this.#removed(left);
    for (const { outlet, from, to } of outlets) {
      const { state } = outlet;
      const before = to === from ? state : { ...state, info: null };
      this.#emitter.emit('plug', { before, after: state, asked: true });
    }
  }

  /** Everything that runs for the devices, for those who find them. */
  loops(): Iterable<DeviceLoop> {
    return this.#loops;
  }

  *plugs(): Iterable<PlugState> {
    for (const { outlet } of this.#tree.outlets.values()) yield outlet.state;
  }

  plug(path: string): PlugState | undefined {
    return this.#tree.outlets.get(path)?.outlet.state;
  }

  places(): Iterable<string> {
    return this.#tree.places.keys();
  }

  macs(): ReadonlySet<string> | undefined {
    const macs = [...this.#loops].map((loop) => loop.client.mac);
    return macs.includes(undefined) ? undefined : new Set(macs.filter((mac) => mac !== undefined));
  }

  /** The device of that path: a plug, one of a strip's outlets, or the strip itself. */
  loopAt(path: string): DeviceLoop | undefined {
    const member = this.#tree.outlets.get(path);
    return member?.loop ?? this.#tree.places.get(path)?.find(({ loop }) => loop.path === path)?.loop;
  }

  identity(path: string): Pick<PlugInfo, 'mac' | 'outlet'> | undefined {
    const mac = this.loopAt(path)?.client.mac;
    return mac === undefined ? undefined : { mac, outlet: this.#tree.outlets.get(path)?.outlet.id ?? null };
  }

  checksLamp(path: string): boolean {
    return this.#tree.outlets.get(path)?.outlet.meter.checksLamp === true;
  }

  isLocked(path: string): boolean {
    return this.#tree.outlets.get(path)?.outlet.policy.locked === true;
  }

  on<E extends BridgeEvent>(type: E, listener: (event: BridgeEvents[E]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  address(path: string): Address | undefined {
    return this.#tree.outlets.get(path)?.loop.client.address;
  }

  async ask(path: string, query: Query, timeoutMs?: number): Promise<JsonObject> {
    const member = this.#tree.outlets.get(path);
    if (member === undefined) throw new PlugError('not-found', `there is no plug ${path}`);
    return member.loop.ask(query, timeoutMs, member.outlet.id);
  }

  refresh(path: string): boolean {
    const members = this.#tree.at(path);
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
    const members = this.#tree.places.get(path);
    return members && aggregate(path, statesOf(members), this.#energy.of(path, members));
  }

  /** The meters of all outlets whose devices are known, for those who store what they count. */
  meters(): Iterable<KnownMeter> {
    return knownMeters(this.#tree.outlets.values());
  }

  setEnergy(path: string, kwh: number): boolean {
    return this.#tree.outlets.get(path)?.outlet.setEnergy(kwh) === true;
  }

  relearnLamps(path: string): string[] {
    const members = this.#tree.at(path) ?? [];
    return members.filter(({ outlet }) => outlet.relearnLamp()).map(({ outlet }) => outlet.path);
  }

  outlet(path: string): Member | undefined {
    return this.#tree.outlets.get(path);
  }

  members(place: string): readonly Member[] | undefined {
    return this.#tree.places.get(place);
  }

  outletByKey(key: string): Member | undefined {
    const [mac = '', id = null] = key.split(' ');
    const loop = this.#byMac.get(mac);
    const outlet = loop?.outlets.find((one) => one.id === id);
    return loop === undefined || outlet === undefined ? undefined : { outlet, loop };
  }

  absence(path: string): string {
    const to = this.#moves.from(path);
    if (to === undefined) return `there is no plug or place ${path}`;
    return `there is no plug or place ${path} any more: it was moved to ${to}`;
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
    // What was found out before it was known of whom.
    keepKnown(memory, mac, { protocol: loop.client.protocol });
    this.#learn(loop);
    recall(loop.outlets, mac, this.#options);
  }

  /** A device has turned out to be a strip: where it was is a place now. */
  #becameStrip(loop: DeviceLoop, former: readonly Outlet[], ids: readonly string[]): void {
    const { mac } = loop.client;
    const left = former.map(({ path }) => ({ path, places: this.#leave(path) }));
    for (const outlet of loop.outlets) this.#enter({ outlet, loop });
    if (mac !== undefined) {
      keepKnown(this.#options.memory, mac, { outlets: ids });
      recall(loop.outlets, mac, this.#options);
    }
    this.#removed(left);
    for (const { state } of loop.outlets)
      this.#emitter.emit('plug', { before: state, after: state, asked: false });
  }

  /** Which device answers at an address that is configured for a path is known after a restart. */
  #learn({ path, client: { address, mac } }: DeviceLoop): void {
    if (address !== undefined && mac !== undefined) this.#options.memory.learnMac(path, address, mac);
  }

  /** Takes the outlets of a device out of the tree; says which, and which places went with them. */
  #release(loop: DeviceLoop): BridgeEvents['removed'][] {
    this.#loops.delete(loop);
    const { mac } = loop.client;
    if (mac !== undefined && this.#byMac.get(mac) === loop) this.#byMac.delete(mac);
    return loop.outlets.map(({ path }) => ({ path, places: this.#leave(path) }));
  }

  /** Outlets have left those paths, and perhaps others have come to the places that were empty then. */
  #removed(left: readonly BridgeEvents['removed'][]): void {
    const isGone = (place: string) => !this.#tree.places.has(place);
    for (const { path, places } of left)
      this.#emitter.emit('removed', { path, places: places.filter(isGone) });
  }

  #exchanged(loop: DeviceLoop, began: number, failure: PlugError | undefined): void {
    if (!this.#emitter.hears('exchange')) return;
    const ms = this.#options.clock.now() - began;
    this.#emitter.emit('exchange', { paths: loop.outlets.map(({ path }) => path), ms, failure });
  }

  #enter(member: Member): void {
    this.#tree.enter(member);
    this.#energy.entered(member.outlet.path, member.outlet.meter.counted);
  }

  #leave(path: string): string[] {
    this.#emitter.emit('leaving', { path });
    this.#energy.left(path, this.#tree.outlets.get(path)?.outlet.meter.counted ?? 0);
    return this.#tree.leave(path);
  }
}
