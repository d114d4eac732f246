import type { Logger } from 'pino';
import { PlugError } from '../errors.ts';
import type { PlugClient } from '../plug/plug-client.ts';
import type { Address } from '../plug/transport.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import {
  type Command,
  placeReceipt,
  plugReceipt,
  type Receipt,
  type Settlement,
  unattempted,
} from './command.ts';
import { Gate } from './gate.ts';
import type { Memory } from './memory.ts';
import type { PlugState } from './model.ts';
import type { Order } from './orders.ts';
import { aggregate, type PlaceState, placesOf } from './places.ts';
import type { ClockKeeping } from './plug-clock.ts';
import { PlugLoop, type PollSettings } from './plug-loop.ts';
import type { PlugPolicy } from './policy.ts';
import type { BridgeEvent, BridgeView } from './view.ts';

/** One plug to look after: its path below the base topic, how to talk to it, how often to poll it. */
export interface PlugSpec {
  readonly path: string;
  readonly client: PlugClient;
  readonly poll: PollSettings;
  readonly policy: PlugPolicy;
}

export interface BridgeOptions {
  readonly plugs: readonly PlugSpec[];
  /** Between switching on one plug of a place and the next, by place; never for switching off. */
  readonly staggerMs: ReadonlyMap<string, number>;
  readonly memory: Memory;
  readonly clockKeeping: ClockKeeping;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** How long a command that cannot be delivered stays wanted, unless it says so itself. */
  readonly ttlMs: number;
  /** How many exchanges of a place's command may be in flight. */
  readonly concurrency: number;
}

/** Between the first polls of one plug and the next, so that a thousand plugs do not answer at one instant. */
const START_SPREAD_MS = 5;

/** Owns one loop per plug and the places they form; everything else sees it as a {@link BridgeView}. */
export class Bridge implements Task, BridgeView {
  readonly name = 'bridge';
  readonly #options: BridgeOptions;
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #loops = new Map<string, PlugLoop>();
  readonly #members = new Map<string, PlugLoop[]>();
  readonly #listeners = new Set<(event: BridgeEvent) => void>();
  #running = false;
  #stopping = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#gate = new Gate(options.clock, options.concurrency);
    this.#members.set('', []);
    for (const plug of options.plugs) this.add(plug);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#running = true;
    let phaseMs = 0;
    for (const loop of this.#loops.values()) {
      loop.start(phaseMs % loop.intervalMs);
      phaseMs += START_SPREAD_MS;
    }
    ready();
    await aborted(signal);
    this.#running = false;
    this.#stopping = true;
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop('stopping')));
  }

  /** Takes a plug in; it is polled at once if the bridge runs. */
  add(plug: PlugSpec): void {
    const { clock, random, log, memory, clockKeeping } = this.#options;
    const { path } = plug;
    const loop = new PlugLoop({
      ...plug,
      memory: memory.plug(path),
      clockKeeping,
      clock,
      random,
      log,
      changed: (after, before, asked) => this.#tell({ type: 'plug', after, before, asked }),
      remember: () => memory.changed(),
    });
    this.#loops.set(path, loop);
    for (const place of placesOf(path)) {
      const members = this.#members.get(place);
      if (members === undefined) this.#members.set(place, [loop]);
      else members.push(loop);
    }
    if (this.#running) loop.start(0);
  }

  /** Lets a plug go, and the places that were there for it alone; also one that only a former run knew. */
  async remove(path: string): Promise<void> {
    const loop = this.#loops.get(path);
    this.#loops.delete(path);
    this.#options.memory.forget(path);
    const places = loop === undefined ? [] : placesOf(path).filter((place) => this.#leave(place, loop));
    await loop?.stop('the plug was removed');
    this.#tell({ type: 'removed', path, places });
  }

  /** Everything that runs for the plugs, for those who find them. */
  loops(): Iterable<PlugLoop> {
    return this.#loops.values();
  }

  *plugs(): Iterable<PlugState> {
    for (const loop of this.#loops.values()) yield loop.state;
  }

  plug(path: string): PlugState | undefined {
    return this.#loops.get(path)?.state;
  }

  places(): Iterable<string> {
    return this.#members.keys();
  }

  place(path: string): PlaceState | undefined {
    const members = this.#members.get(path);
    return members && aggregate(path, states(members));
  }

  isLocked(path: string): boolean {
    return this.#loops.get(path)?.policy.locked ?? false;
  }

  subscribe(listener: (event: BridgeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  address(path: string): Address | undefined {
    return this.#loops.get(path)?.client.address;
  }

  async ask(path: string, query: Query, timeoutMs?: number): Promise<JsonObject> {
    const loop = this.#loops.get(path);
    if (loop === undefined) throw new PlugError('not-found', `there is no plug ${path}`);
    return loop.ask(query, timeoutMs);
  }

  refresh(path: string): boolean {
    const members = this.#membersOf(path);
    for (const loop of members ?? []) loop.refresh();
    return members !== undefined;
  }

  async command(path: string, command: Command): Promise<Receipt> {
    const members = this.#membersOf(path);
    if (members === undefined)
      return unattempted(path, command, 'refused', `there is no plug or place ${path}`);
    if (members.length === 0) return unattempted(path, command, 'refused', 'no plug is known yet');
    if (this.#stopping) return unattempted(path, command, 'failed', 'stopping');
    const loop = this.#loops.get(path);
    if (loop !== undefined && command.relay !== undefined && loop.policy.locked) {
      return unattempted(path, command, 'refused', LOCKED.reason);
    }
    const decided = { ...command, relay: this.#decide(path, loop, command.relay) };
    const until = this.#clock.date() + (command.ttlMs ?? this.#options.ttlMs);
    const close = this.#options.memory.open({ target: path, command: decided, until });
    const receipt = await (loop === undefined
      ? this.#toPlace(path, members, decided)
      : this.#toPlug(loop, decided));
    close();
    return receipt;
  }

  resume(): Promise<Receipt>[] {
    const { memory } = this.#options;
    const commands = [...memory.commands];
    memory.commands.clear();
    // Those that are not taken up are not to be answered again after the next start.
    if (commands.length > 0) memory.changed();
    return commands.map(async (open) => {
      const { target, command, until } = open;
      const ttlMs = until - this.#clock.date();
      if (command.relay === 'toggle')
        return unattempted(target, command, 'failed', 'the bridge was restarted');
      if (ttlMs <= 0)
        return unattempted(target, command, 'expired', 'the bridge was restarted too late for it');
      return this.command(target, { ...command, ttlMs });
    });
  }

  async #toPlug(loop: PlugLoop, command: Command): Promise<Receipt> {
    const start = this.#clock.now();
    const { relay, settlement } = await this.#order(loop, command, start);
    return plugReceipt(loop.path, { ...command, relay }, settlement, this.#since(start));
  }

  /** All members at once, as far as the gate lets them; each is settled for itself. */
  async #toPlace(path: string, members: readonly PlugLoop[], command: Command): Promise<Receipt> {
    const start = this.#clock.now();
    const turns = new Map<string, number>();
    const settlements = members.map(async (member): Promise<[string, Settlement]> => {
      if (command.relay !== undefined && member.policy.locked) return [member.path, LOCKED];
      const afterMs = command.relay === 'on' ? this.#stagger(member, turns) : 0;
      return [member.path, (await this.#order(member, command, start, afterMs)).settlement];
    });
    return placeReceipt(path, command, new Map(await Promise.all(settlements)), this.#since(start));
  }

  /** A place is toggled as one: all off if any plug is on, else all on. A plug's toggle it decides for itself. */
  #decide(path: string, loop: PlugLoop | undefined, relay: Command['relay']): Command['relay'] {
    if (relay !== 'toggle' || loop !== undefined) return relay;
    return (this.place(path)?.on ?? 0) > 0 ? 'off' : 'on';
  }

  /** When it is a member's turn to be switched on: the plugs of one staggered place follow one another. */
  #stagger(member: PlugLoop, turns: Map<string, number>): number {
    const { staggerMs } = this.#options;
    const place = placesOf(member.path).find((candidate) => staggerMs.has(candidate));
    if (place === undefined) return 0;
    const turn = turns.get(place) ?? 0;
    turns.set(place, turn + 1);
    return turn * (staggerMs.get(place) ?? 0);
  }

  /** Hands a loop its part of a command. A place's parts (`afterMs`) wait until then, and for their turn at the gate. */
  #order(loop: PlugLoop, command: Command, start: number, afterMs?: number) {
    const ttlMs = command.ttlMs ?? this.#options.ttlMs;
    return new Promise<{ relay: Command['relay']; settlement: Settlement }>((resolve) => {
      let leave = () => {};
      const order: Order = {
        relay: command.relay,
        led: command.led,
        forMs: command.forMs ?? 0,
        origin: command.origin,
        until: ttlMs === 0 ? Number.POSITIVE_INFINITY : start + ttlMs + (afterMs ?? 0),
        once: ttlMs === 0,
        notBefore: afterMs === undefined ? 0 : Number.POSITIVE_INFINITY,
        lags: 0,
        tried: () => leave(),
        settle: (settlement) => {
          leave();
          turn.clear();
          resolve({ relay: order.relay, settlement });
        },
      };
      const admit = () =>
        this.#admit(loop, order, (done) => {
          leave = done;
        });
      const turn = this.#clock.timer(admit);
      loop.submit(order);
      if (afterMs === 0) admit();
      else if (afterMs !== undefined) turn.set(afterMs);
    });
  }

  /** Lets a held order go when the gate has room, unless it is settled by then. */
  #admit(loop: PlugLoop, order: Order, hold: (leave: () => void) => void): void {
    if (loop.state.availability === 'offline') {
      // A plug that is known to be away does not stand in line before those that will answer.
      loop.release(order);
      return;
    }
    this.#gate.enter((leave) => {
      hold(leave);
      if (loop.wants(order)) loop.release(order);
      else leave();
    });
  }

  /** Takes a plug out of a place; says whether the place is empty now and gone. The site itself stays. */
  #leave(place: string, loop: PlugLoop): boolean {
    const members = (this.#members.get(place) ?? []).filter((member) => member !== loop);
    if (members.length > 0 || place === '') {
      this.#members.set(place, members);
      return false;
    }
    return this.#members.delete(place);
  }

  #tell(event: BridgeEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#options.log.error({ err: error, event: event.type }, 'a listener failed');
      }
    }
  }

  #membersOf(path: string): readonly PlugLoop[] | undefined {
    const loop = this.#loops.get(path);
    return loop === undefined ? this.#members.get(path) : [loop];
  }

  #since(start: number): number {
    return Math.round(this.#clock.now() - start);
  }
}

const LOCKED = {
  outcome: 'refused',
  reason: 'locked: the configuration lets no command switch this plug',
} as const;

function* states(loops: Iterable<PlugLoop>): Iterable<PlugState> {
  for (const loop of loops) yield loop.state;
}
