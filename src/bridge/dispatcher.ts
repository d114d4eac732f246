import type { Logger } from 'pino';
import { isSameLight } from '../protocol/light.ts';
import type { Clock } from '../runtime/clock.ts';
import { momentOf, timeOf } from '../runtime/clock.ts';
import {
  type Command,
  placeReceipt,
  plugReceipt,
  type Receipt,
  type Settlement,
  unattempted,
} from './command.ts';
import { ConcurrencyLimiter, Turn } from './concurrency-limiter.ts';
import type { Emitter } from './emitter.ts';
import { type Directory, isOn, type Member, partOf, unusableOf } from './members.ts';
import type { Memory, StoredCommand, StoredPart } from './memory.ts';
import { placesOf } from './places.ts';

export interface DispatcherOptions {
  readonly directory: Directory;
  readonly memory: Memory;
  readonly emitter: Emitter;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a command that cannot be delivered stays wanted, unless it says so itself. */
  readonly ttlMs: number;
  /** How many exchanges of a place's command may be in flight. */
  readonly concurrency: number;
  /** Between switching on one plug of a place and the next, by place; never for switching off. */
  readonly staggerMs: ReadonlyMap<string, number>;
}

/** A command that has no receipt yet. */
interface Open {
  readonly id: number;
  readonly target: string;
  readonly isPlace: boolean;
  readonly command: Command;
  /** What the relay was made, where that was decided by the plug itself. */
  decided: 'on' | 'off' | undefined;
  readonly start: number;
  readonly settlements: Map<string, Settlement>;
  /** Parts that are not settled yet. */
  pending: number;
  readonly resolve: (receipt: Receipt) => void;
}

/** A command that has ended, and its receipt. */
interface Ended extends Pick<Open, 'id' | 'resolve'> {
  readonly receipt: Receipt;
}

/**
 * Takes commands to plugs and places, has each stored before anything is sent, and brings the outcomes of its parts
 * together in one receipt, which is stored before it is emitted.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #limiter: ConcurrencyLimiter;
  readonly #open = new Map<number, Open>();
  /** Commands that have ended, until their receipts are stored. */
  readonly #ended: Ended[] = [];
  #stopping = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#limiter = new ConcurrencyLimiter(options.clock, options.concurrency);
  }

  /** As {@link BridgeView.command}. */
  command(target: string, command: Command): Promise<Receipt> | undefined {
    if (this.#isRepeated(target, command)) return undefined;
    const members = this.#membersOf(target);
    const obstacle = this.#obstacle(target, members);
    if (obstacle !== undefined) return this.#unattempted(target, command, ...obstacle);
    try {
      return this.#take(target, { ...command, relay: this.#decide(target, command.relay) }, members ?? []);
    } catch (error) {
      this.#options.log.error({ err: error, target }, 'unexpected failure');
      return this.#unattempted(target, command, 'failed', 'unexpected failure: see the log of the bridge');
    }
  }

  /** As {@link BridgeView.refuse}. */
  refuse(target: string, { id, replyTo }: Pick<Command, 'id' | 'replyTo'>, reason: string): void {
    void this.#unattempted(target, { id, replyTo, origin: 'mqtt', user: null }, 'refused', reason);
  }

  /** As {@link BridgeView.resume}. */
  resume(): void {
    for (const stored of this.#options.memory.commands()) {
      if (stored.receipt === null) this.#resume(stored);
      else this.#emit(stored.id, stored.receipt, true);
    }
  }

  /** From now on commands are failed: nothing is carried out any more. */
  stop(): void {
    this.#stopping = true;
  }

  /** Whether the broker delivers a command again that is stored already. */
  #isRepeated(target: string, { delivery, id, relay, led, light }: Command): boolean {
    if (delivery?.dup !== true) return false;
    return this.#options.memory.commands().some(({ target: other, command }) => {
      const isSame =
        command.id === id &&
        command.led === led &&
        isSameLight(command.light, light) &&
        (relay === 'toggle' || command.relay === relay);
      return other === target && isSame && command.delivery?.packetId === delivery.packetId;
    });
  }

  #obstacle(
    target: string,
    members: readonly Member[] | undefined,
  ): ['refused' | 'failed', string] | undefined {
    if (members === undefined) return ['refused', this.#options.directory.absence(target)];
    if (members.length === 0) return ['refused', 'no plug is known yet'];
    return this.#stopping ? ['failed', 'stopping'] : undefined;
  }

  #take(target: string, command: Command, members: readonly Member[]): Promise<Receipt> {
    const { clock, memory, ttlMs } = this.#options;
    const start = clock.now();
    const ttl = command.ttlMs ?? ttlMs;
    const id = memory.nextId();
    const isPlace = this.#options.directory.outlet(target) === undefined;
    const { promise, open } = this.#begin({ id, target, command, isPlace }, members.length);
    const stored = {
      id,
      target,
      command,
      until: momentOf(clock, start + ttl),
      parts: members.map(partOf),
      receipt: null,
    };
    const limit = ttl === 0 ? ONCE : { until: start + ttl, once: false };
    const parts = members.map((member) => ({ member, path: member.outlet.path }));
    this.#submitAll(open, parts, limit, () => memory.take(stored));
    return promise;
  }

  #begin(taken: Pick<Open, 'id' | 'target' | 'command' | 'isPlace'>, pending: number) {
    let resolve = (_receipt: Receipt) => {};
    const promise = new Promise<Receipt>((done) => {
      resolve = done;
    });
    const start = this.#options.clock.now();
    const open: Open = { ...taken, decided: undefined, start, settlements: new Map(), pending, resolve };
    this.#open.set(open.id, open);
    const { emitter } = this.#options;
    if (emitter.hears('command'))
      emitter.emit('command', { command: open.id, target: open.target, given: open.command });
    return { promise, open };
  }

  /** Hands all members their parts in one transaction, along with `first`; only then is anything sent. */
  #submitAll(open: Open, parts: readonly Part[], limit: Limit, first: () => void): void {
    const turns = new Map<string, number>();
    const starts: (() => void)[] = [];
    this.#options.memory.transaction(() => {
      first();
      for (const part of parts) {
        const afterMs = open.isPlace && open.command.relay === 'on' ? this.#stagger(part.member, turns) : 0;
        const start = this.#submit(open, part, { ...limit, until: limit.until + afterMs }, afterMs);
        if (start !== undefined) starts.push(start);
      }
    });
    for (const start of starts) start();
  }

  /** Hands a member its part; the function returned has it sent, when it is its turn in a place. */
  #submit(
    open: Open,
    { member: { outlet, loop }, path }: Part,
    { until, once }: Limit,
    afterMs: number,
  ): (() => void) | undefined {
    const { id, command, isPlace, decided } = open;
    const unusable = unusableOf(outlet);
    if (unusable !== undefined) {
      this.#settled(open, path, unusable);
      return undefined;
    }
    const release = () => {
      outlet.release(id);
      loop.wake();
    };
    const turn = isPlace ? new Turn(this.#options.clock, this.#limiter, release) : undefined;
    const { relay, led, light, forMs = 0, origin } = command;
    const wish = {
      ...{ id, relay: decided ?? relay, led, light, forMs, origin, until, once, held: isPlace },
      ...{ retryAt: 0, attempts: 0, lags: 0, instead: undefined },
    };
    loop.submit(outlet, wish, {
      decided: (to) => this.#decided(open, path, to),
      tried: () => turn?.leave(),
      settle: (settlement) => {
        turn?.end();
        this.#settled(open, path, settlement);
      },
    });
    if (turn === undefined) return () => loop.wake();
    // A plug that is known to be away does not stand in line before those that will answer.
    return () => (loop.isOffline ? release() : turn.await(afterMs));
  }

  /** A plug's toggle was decided: kept before it is sent, so that it is not decided anew after a restart. */
  #decided(open: Open, path: string, relay: 'on' | 'off'): void {
    const { memory } = this.#options;
    memory.transaction(() => memory.decide(open.id, path, relay));
    if (!open.isPlace) open.decided = relay;
  }

  #settled(open: Open, path: string, settlement: Settlement): void {
    const { memory } = this.#options;
    open.settlements.set(path, settlement);
    open.pending--;
    memory.settle(open.id, path, settlement);
    if (open.pending === 0) this.#finish(open);
  }

  #finish(open: Open): void {
    const { id, target, isPlace, decided, settlements, start } = open;
    const command = decided === undefined ? open.command : { ...open.command, relay: decided };
    const ms = Math.round(this.#options.clock.now() - start);
    const [only] = settlements.values();
    const receipt =
      isPlace || only === undefined
        ? placeReceipt(target, command, settlements, ms)
        : plugReceipt(target, command, only, ms);
    this.#open.delete(id);
    this.#endSoon({ id, receipt, resolve: open.resolve });
  }

  /** Stores the receipts of all commands that end together and emits them, once the states that led to them are out. */
  #endSoon(ended: Ended): void {
    const { clock, memory } = this.#options;
    this.#ended.push(ended);
    if (this.#ended.length > 1) return;
    clock.soon(() => {
      const all = this.#ended.splice(0);
      memory.transaction(() => {
        for (const { id, receipt } of all) memory.finish(id, receipt);
      });
      for (const { id, receipt, resolve } of all) {
        this.#emit(id, receipt, false);
        resolve(receipt);
      }
    });
  }

  #emit(command: number, receipt: Receipt, repeated: boolean): void {
    this.#options.emitter.emit('receipt', { command, receipt, repeated });
  }

  /** The receipt of a command that reaches no plug; it is stored, too, until it has arrived. */
  #unattempted(
    target: string,
    command: Command,
    outcome: 'refused' | 'failed',
    reason: string,
  ): Promise<Receipt> {
    const { clock, memory } = this.#options;
    const id = memory.nextId();
    const until = momentOf(clock, clock.now());
    const receipt = unattempted(target, command, outcome, reason);
    memory.transaction(() => memory.take({ id, target, command, until, parts: [], receipt }));
    return new Promise((resolve) => this.#endSoon({ id, receipt, resolve }));
  }

  #resume({ id, target, command, until, parts }: StoredCommand): void {
    const { clock } = this.#options;
    const end = timeOf(clock, until);
    const isPlace = parts.length !== 1 || parts[0]?.path !== target;
    const { open } = this.#begin({ id, target, command, isPlace }, parts.length);
    open.decided = parts[0]?.relay ?? undefined;
    const found: Part[] = [];
    for (const part of parts) {
      const member = this.#memberOf(part);
      const settlement =
        part.settlement ?? (end <= open.start ? TOO_LATE : member === undefined ? GONE : null);
      if (settlement !== null) this.#settled(open, part.path, settlement);
      else if (member !== undefined) found.push({ member, path: part.path });
    }
    this.#submitAll(open, found, { until: end, once: false }, () => {});
  }

  #memberOf({ path, outlet }: StoredPart): Member | undefined {
    const { directory } = this.#options;
    return (outlet === null ? undefined : directory.outletByKey(outlet)) ?? directory.outlet(path);
  }

  #membersOf(target: string): readonly Member[] | undefined {
    const { directory } = this.#options;
    const single = directory.outlet(target);
    return single === undefined ? directory.members(target) : [single];
  }

  /** A place is toggled as one: all off if any plug is on, else all on. A plug's toggle it decides for itself. */
  #decide(target: string, relay: Command['relay']): Command['relay'] {
    const { directory } = this.#options;
    if (relay !== 'toggle' || directory.outlet(target) !== undefined) return relay;
    const isAnyOn = directory.members(target)?.some(({ outlet }) => isOn(outlet)) === true;
    return isAnyOn ? 'off' : 'on';
  }

  /** When it is a member's turn to be switched on: the plugs of one staggered place follow one another. */
  #stagger({ outlet }: Member, turns: Map<string, number>): number {
    const { staggerMs } = this.#options;
    const place = placesOf(outlet.path).find((candidate) => staggerMs.has(candidate));
    if (place === undefined) return 0;
    const turn = turns.get(place) ?? 0;
    turns.set(place, turn + 1);
    return turn * (staggerMs.get(place) ?? 0);
  }
}

/** A member's part of a command, under the path that the member had when the command was taken. */
interface Part {
  readonly member: Member;
  readonly path: string;
}

/** Until when a command is wanted, and whether it is given up after the first attempt that fails. */
interface Limit {
  readonly until: number;
  readonly once: boolean;
}

/** It is tried once, however long that takes. */
const ONCE: Limit = { until: Number.POSITIVE_INFINITY, once: true };

const TOO_LATE: Settlement = { outcome: 'expired', reason: 'the bridge was restarted too late for it' };
const GONE: Settlement = { outcome: 'failed', reason: 'the plug is no longer configured' };
