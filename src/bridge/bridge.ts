import type { Logger } from 'pino';
import type { PlugClient } from '../plug/plug-client.ts';
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
import { PlugLoop, type PollSettings } from './plug-loop.ts';
import type { PlugPolicy } from './policy.ts';

/** One plug to look after: its path below the base topic, how to talk to it, how often to poll it. */
export interface PlugSpec {
  readonly path: string;
  readonly client: PlugClient;
  readonly poll: PollSettings;
  readonly policy: PlugPolicy;
}

/** What a listener is told: a plug's state is another, or was asked for. */
export interface PlugEvent {
  readonly before: PlugState;
  readonly after: PlugState;
  /** The state was asked for and is to be told even if it is the same. */
  readonly asked: boolean;
}

/** All that MQTT, Home Assistant and the web ever see of the bridge. */
export interface BridgeView {
  plugs(): Iterable<PlugState>;
  plug(path: string): PlugState | undefined;
  /** Paths of all places, the site `''` among them. */
  places(): Iterable<string>;
  place(path: string): PlaceState | undefined;
  /** Tells `listener` of every change until the returned function is called. */
  subscribe(listener: (event: PlugEvent) => void): () => void;
  /** Carries out a command on a plug or a place; resolves with its one receipt, never rejects. */
  command(path: string, command: Command): Promise<Receipt>;
  /** Takes up the commands that were open when the bridge was last killed; their receipts, as for a new command. */
  resume(): Promise<Receipt>[];
  /** Reads a plug, or every plug of a place, now; false if there is none of that path. */
  refresh(path: string): boolean;
}

export interface BridgeOptions {
  readonly plugs: readonly PlugSpec[];
  /** Between switching on one plug of a place and the next, by place; never for switching off. */
  readonly staggerMs: ReadonlyMap<string, number>;
  readonly memory: Memory;
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
  readonly #listeners = new Set<(event: PlugEvent) => void>();
  #stopping = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#gate = new Gate(options.clock, options.concurrency);
    this.#members.set('', []);
    for (const plug of options.plugs) this.#add(plug);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const loops = [...this.#loops.values()];
    loops.forEach((loop, index) => {
      const { intervalMs } = this.#options.plugs[index]?.poll ?? { intervalMs: START_SPREAD_MS };
      loop.start((index * START_SPREAD_MS) % intervalMs);
    });
    ready();
    await aborted(signal);
    this.#stopping = true;
    await Promise.all(loops.map((loop) => loop.stop()));
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

  subscribe(listener: (event: PlugEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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
    return [...this.#options.memory.commands].map(async (open) => {
      this.#options.memory.commands.delete(open);
      const { target, command, until } = open;
      const ttlMs = until - this.#clock.date();
      if (command.relay === 'toggle')
        return unattempted(target, command, 'failed', 'the bridge was restarted');
      return this.command(target, { ...command, ttlMs: Math.max(1, ttlMs) });
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
          resolve({ relay: order.relay, settlement });
        },
      };
      loop.submit(order);
      const admit = () =>
        this.#admit(loop, order, (done) => {
          leave = done;
        });
      if (afterMs === 0) admit();
      else if (afterMs !== undefined) this.#clock.timer(admit).set(afterMs);
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

  #add(plug: PlugSpec): void {
    const { clock, random, log, memory } = this.#options;
    const { path } = plug;
    const loop = new PlugLoop({
      ...plug,
      memory: memory.plug(path),
      clock,
      random,
      log,
      changed: (after, before, asked) => this.#tell({ after, before, asked }),
      remember: () => memory.changed(),
    });
    this.#loops.set(path, loop);
    for (const place of placesOf(path)) {
      const members = this.#members.get(place);
      if (members === undefined) this.#members.set(place, [loop]);
      else members.push(loop);
    }
  }

  #tell(event: PlugEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#options.log.error({ err: error, plug: event.after.path }, 'a listener failed');
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
