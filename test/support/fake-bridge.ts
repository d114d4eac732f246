import { type Command, type Receipt, unattempted } from '../../src/bridge/command.ts';
import { Emitter } from '../../src/bridge/emitter.ts';
import { aggregate, type PlaceState, placesOf } from '../../src/bridge/places.ts';
import { type PlugInfo, type PlugState, unseen } from '../../src/bridge/plug-state.ts';
import type { BridgeEvent, BridgeEvents, BridgeView } from '../../src/bridge/view.ts';
import type { PlugError } from '../../src/errors.ts';
import type { Address } from '../../src/plug/transport.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { Query } from '../../src/protocol/requests.ts';
import { memoryLog } from './memory-log.ts';

/** What a lamp says about itself. */
export const INFO: PlugInfo = {
  mac: '50:C7:BF:00:00:01',
  outlet: null,
  alias: 'Lamp',
  model: 'HS110(EU)',
  hardware: '2.0',
  firmware: '1.5.4',
  hasMeter: true,
  hasSensors: false,
  light: null,
};

/** A bridge whose plugs are what a test says they are. */
export class FakeBridge implements BridgeView {
  readonly states = new Map<string, PlugState>();
  readonly #emitter = new Emitter(memoryLog().log);
  /** Commands that arrived, oldest first. */
  readonly commands: { readonly path: string; readonly command: Command }[] = [];
  readonly refreshed: string[] = [];
  /** Questions that arrived, oldest first. */
  readonly asked: { readonly path: string; readonly query: Query; readonly timeoutMs: number | undefined }[] =
    [];
  /** Plugs that nothing may change. */
  readonly locked = new Set<string>();
  /** Plugs whose lamp is checked. */
  readonly lamps = new Set<string>();
  /** How commands end. */
  outcome: (path: string, command: Command) => Promise<Receipt> = () => new Promise(() => {});
  /** What plugs answer. */
  answer: (query: Query) => Promise<JsonObject> = async () => ({});
  /** Receipts that a former run left, repeated when the commands of that run are taken up. */
  left: Receipt[] = [];
  /** Commands whose receipts have arrived. */
  readonly acknowledged: number[] = [];
  #ids = 0;

  constructor(...paths: readonly string[]) {
    for (const path of paths) this.states.set(path, unseen(path));
  }

  plugs(): Iterable<PlugState> {
    return this.states.values();
  }

  plug(path: string): PlugState | undefined {
    return this.states.get(path);
  }

  places(): Iterable<string> {
    return new Set(['', ...[...this.states.keys()].flatMap(placesOf)]);
  }

  place(path: string): PlaceState | undefined {
    const members = [...this.states.values()].filter((plug) => placesOf(plug.path).includes(path));
    return path === '' || members.length > 0 ? aggregate(path, members, this.energyOf(members)) : undefined;
  }

  /** What a place has used: what its plugs have, here. */
  energyOf(members: readonly PlugState[]): number {
    return members.reduce((sum, { energy }) => sum + (energy ?? 0) * 1_000_000, 0);
  }

  identity(path: string): Pick<PlugInfo, 'mac' | 'outlet'> | undefined {
    return this.states.get(path)?.info ?? undefined;
  }

  absence(path: string): string {
    return `there is no plug or place ${path}`;
  }

  checksLamp(path: string): boolean {
    return this.lamps.has(path);
  }

  isLocked(path: string): boolean {
    return this.locked.has(path);
  }

  macs(): ReadonlySet<string> | undefined {
    const macs = [...this.states.values()].map(({ info }) => info?.mac ?? null);
    return macs.includes(null) ? undefined : new Set(macs.filter((mac) => mac !== null));
  }

  on<E extends BridgeEvent>(type: E, listener: (event: BridgeEvents[E]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  async command(path: string, command: Command): Promise<Receipt> {
    this.commands.push({ path, command });
    const receipt = await this.outcome(path, command);
    this.end(receipt);
    return receipt;
  }

  refuse(path: string, { id, replyTo }: Pick<Command, 'id' | 'replyTo'>, reason: string): void {
    const command = { id, replyTo, relay: undefined, led: undefined };
    this.end(unattempted(path, command, 'refused', reason));
  }

  resume(): void {
    for (const receipt of this.left) this.end(receipt, true);
  }

  acknowledge(command: number): void {
    this.acknowledged.push(command);
  }

  /** A command has ended. */
  end(receipt: Receipt, repeated = false): void {
    this.#emitter.emit('receipt', { command: ++this.#ids, receipt, repeated });
  }

  /** An exchange with a plug is over. */
  exchange(path: string, ms: number, failure?: PlugError): void {
    this.#emitter.emit('exchange', { paths: [path], ms, failure });
  }

  address(path: string): Address | undefined {
    return this.states.has(path) ? { host: '192.0.2.1', port: 9999 } : undefined;
  }

  ask(path: string, query: Query, timeoutMs?: number): Promise<JsonObject> {
    this.asked.push({ path, query, timeoutMs });
    return this.answer(query);
  }

  /** What lifetime counters were set to. */
  readonly energies = new Map<string, number>();

  setEnergy(path: string, kwh: number): boolean {
    if (this.plug(path)?.info?.hasMeter !== true) return false;
    this.energies.set(path, kwh);
    return true;
  }

  /** Plugs whose lamp is learnt. */
  readonly learning = new Set<string>();

  relearnLamps(path: string): string[] {
    return [...this.learning].filter((lamp) => lamp === path || lamp.startsWith(`${path}/`) || path === '');
  }

  refresh(path: string): boolean {
    this.refreshed.push(path);
    return this.plug(path) !== undefined || this.place(path) !== undefined;
  }

  /** A plug changes; `asked` as if somebody had wanted to know. */
  change(path: string, change: Partial<PlugState>, asked = false): void {
    const before = this.states.get(path) ?? unseen(path);
    const after = { ...before, ...change };
    this.states.set(path, after);
    this.#emitter.emit('plug', { before, after, asked });
  }

  /** A plug answers and says nothing new. */
  date(path: string, lastSeen: number): void {
    this.states.set(path, { ...(this.states.get(path) ?? unseen(path)), lastSeen });
  }

  /** A plug answers, with so much power if it is on. */
  seen(path: string, relay: boolean, more: Partial<PlugState> = {}): void {
    const power = relay ? 40 : 0;
    this.change(path, { availability: 'online', problem: null, relay, power, lastSeen: 0, ...more });
  }

  /** A plug is taken away, and places that were there for it alone. */
  remove(path: string): void {
    this.states.delete(path);
    const places = placesOf(path).filter((place) => place !== '' && this.place(place) === undefined);
    this.#emitter.emit('removed', { path, places });
  }
}
