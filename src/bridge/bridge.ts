import type { Logger } from 'pino';
import type { PlugClient } from '../plug/plug-client.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import {
  type Command,
  placeReceipt,
  plugReceipt,
  type Receipt,
  refusal,
  type Settlement,
} from './command.ts';
import { Gate } from './gate.ts';
import type { PlugState } from './model.ts';
import { aggregate, type PlaceState, placesOf } from './places.ts';
import { type Order, PlugLoop, type PollSettings } from './plug-loop.ts';

/** One plug to look after: its path below the base topic, how to talk to it, how often to poll it. */
export interface PlugSpec {
  readonly path: string;
  readonly client: PlugClient;
  readonly poll: PollSettings;
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
  /** Reads a plug, or every plug of a place, now; false if there is none of that path. */
  refresh(path: string): boolean;
}

export interface BridgeOptions {
  readonly plugs: readonly PlugSpec[];
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
    const start = this.#clock.now();
    const members = this.#membersOf(path);
    if (members === undefined) return refusal(path, command, `there is no plug or place ${path}`);
    if (this.#stopping) return refusal(path, command, 'the bridge is stopping');
    const loop = this.#loops.get(path);
    if (loop !== undefined) {
      const order = await this.#order(loop, command, start, false);
      return plugReceipt(path, { ...command, relay: order.relay }, order.settlement, this.#since(start));
    }
    const decided = { ...command, relay: this.#decide(path, command.relay) };
    const parts = members.map(
      async (member) => [member.path, (await this.#order(member, decided, start, true)).settlement] as const,
    );
    return placeReceipt(path, decided, new Map(await Promise.all(parts)), this.#since(start));
  }

  /** A place is toggled as one: all off if any plug is on, else all on. */
  #decide(path: string, relay: Command['relay']): Command['relay'] {
    if (relay !== 'toggle') return relay;
    return (this.place(path)?.on ?? 0) > 0 ? 'off' : 'on';
  }

  /** Hands a loop its part of a command; in a place's command it waits its turn at the gate. */
  #order(loop: PlugLoop, command: Command, start: number, gated: boolean) {
    const ttlMs = command.ttlMs ?? this.#options.ttlMs;
    return new Promise<{ relay: Command['relay']; settlement: Settlement }>((resolve) => {
      let leave = () => {};
      const order: Order = {
        relay: command.relay,
        led: command.led,
        origin: command.origin,
        until: ttlMs === 0 ? Number.POSITIVE_INFINITY : start + ttlMs,
        once: ttlMs === 0,
        notBefore: gated ? Number.POSITIVE_INFINITY : 0,
        lags: 0,
        tried: () => leave(),
        settle: (settlement) => {
          leave();
          resolve({ relay: order.relay, settlement });
        },
      };
      loop.submit(order);
      // A plug that is known to be away does not wait in line before those that will answer.
      if (gated && loop.state.availability !== 'offline') {
        this.#gate.enter((done) => {
          leave = done;
          if (loop.wants(order)) loop.release(order);
          else leave();
        });
      } else if (gated) loop.release(order);
    });
  }

  #add({ path, client, poll }: PlugSpec): void {
    const { clock, random, log } = this.#options;
    const changed = (after: PlugState, before: PlugState, asked: boolean) =>
      this.#tell({ after, before, asked });
    const loop = new PlugLoop({ path, client, poll, clock, random, log, changed });
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

function* states(loops: Iterable<PlugLoop>): Iterable<PlugState> {
  for (const loop of loops) yield loop.state;
}
