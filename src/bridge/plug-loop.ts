import type { Logger } from 'pino';
import { PlugError, PlugRefusal, type Reason } from '../errors.ts';
import type { Observation, PlugClient } from '../plug/plug-client.ts';
import type { Settings } from '../protocol/requests.ts';
import { backoff } from '../runtime/backoff.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { Settlement } from './command.ts';
import { account, type Cause, lose, type Origin, observe, type PlugState, unseen } from './model.ts';

/** How one plug is polled; milliseconds. */
export interface PollSettings {
  readonly intervalMs: number;
  /** Polls that fail in a row before the plug counts as offline. */
  readonly offlineAfter: number;
  /** The longest wait between polls of a plug that is offline. */
  readonly backoffMaxMs: number;
  /** How often the plug's day and month statistics are read. */
  readonly statisticsMs: number;
}

/** One plug's part of a command, until it is settled. */
export interface Order {
  /** A toggle is decided at the first attempt, by what the plug says then. */
  relay: 'on' | 'off' | 'toggle' | undefined;
  readonly led: boolean | undefined;
  readonly origin: Origin;
  /** When to give up, by `clock.now()`. */
  readonly until: number;
  /** Give up after the first attempt that fails. */
  readonly once: boolean;
  /** Not to be tried before this time; infinite while it is held back. */
  notBefore: number;
  /** How often the plug accepted it, yet reported the old state. */
  lags: number;
  /** Called after each attempt. */
  readonly tried?: () => void;
  readonly settle: (settlement: Settlement) => void;
}

/** What the loop needs from its owner. */
export interface LoopOptions {
  readonly path: string;
  readonly client: PlugClient;
  readonly poll: PollSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The state is another (`after` differs from `before`), or was asked for and is to be told anew (`asked`). */
  readonly changed: (after: PlugState, before: PlugState, asked: boolean) => void;
}

/** Wait before a command is tried again on a plug that does not answer: plugs need a pause after a time-out. */
const RETRY_MS = 1000;

/** Wait before a plug that accepted a command, yet reports the old state, is asked again (some firmware lags). */
const LAG_MS = 350;

/** How often a plug may report the old state before a command without a ttl counts as failed. */
const LAGS_FORGIVEN = 3;

/** How long an exchange in flight may take to end when the bridge stops. */
const STOP_GRACE_MS = 1000;

/** After a command the meter is read again this soon: the power has then settled. */
const SETTLED_MS = 1000;

/**
 * Everything that happens to one plug, one exchange at a time: commands first, then the poll that is due, then
 * its statistics. Nothing is queued but the commands still wanted.
 */
export class PlugLoop {
  readonly path: string;
  readonly client: PlugClient;
  readonly #options: LoopOptions;
  readonly #clock: Clock;
  readonly #timer: Timer;
  #state: PlugState;
  #orders: Order[] = [];
  /** The order whose exchange is in flight. */
  #current: Order | undefined;
  #fails = 0;
  #lastProblem: Reason = 'timeout';
  #due = Number.POSITIVE_INFINITY;
  #statisticsDue = Number.POSITIVE_INFINITY;
  #asked = false;
  #running = false;
  #turning: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.path = options.path;
    this.client = options.client;
    this.#options = options;
    this.#clock = options.clock;
    this.#state = unseen(options.path);
    this.#timer = options.clock.timer(() => this.#wake());
  }

  get state(): PlugState {
    return this.#state;
  }

  /** Begins to poll, the first time after `phaseMs`. */
  start(phaseMs: number): void {
    this.#running = true;
    this.#due = this.#clock.now() + phaseMs;
    this.#statisticsDue = this.#due + 500 + 10 * phaseMs;
    this.#plan();
  }

  /** Ends polling and fails what is wanted; an exchange in flight has a moment to end well. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#timer.clear();
    this.#failAll((order) => order !== this.#current);
    if (this.#turning !== undefined) {
      const patience = this.#clock.timer(() => this.client.close());
      patience.set(STOP_GRACE_MS);
      await this.#turning;
      patience.clear();
    }
    this.#failAll(() => true);
    this.client.close();
  }

  /** Takes an order; it supersedes those not yet begun that it overlaps with. */
  submit(order: Order): void {
    for (const other of this.#orders.filter((wanted) => wanted !== this.#current && overlap(wanted, order))) {
      this.#settle(other, SUPERSEDED);
    }
    this.#orders.push(order);
    this.#wake();
  }

  /** Lets an order go that was submitted held back. */
  release(order: Order): void {
    order.notBefore = 0;
    this.#wake();
  }

  /** Whether the order still waits to be carried out. */
  wants(order: Order): boolean {
    return this.#orders.includes(order);
  }

  /** Reads the plug as soon as it is free, and tells its state even if it is the same. */
  refresh(): void {
    this.#asked = true;
    this.#wake();
  }

  #wake(): void {
    if (this.#turning !== undefined || !this.#running) return;
    this.#timer.clear();
    this.#turning = this.#turn().finally(() => {
      this.#turning = undefined;
      this.#plan();
    });
  }

  /** Does the one most urgent thing. Whatever goes wrong with the plug is dealt with in here. */
  async #turn(): Promise<void> {
    try {
      const now = this.#clock.now();
      this.#expire(now);
      const order = this.#orders.find((wanted) => wanted.notBefore <= now);
      if (order !== undefined) await this.#carryOut(order);
      else if (this.#asked || this.#due <= now) await this.#poll();
      else if (this.#statisticsDue <= now) await this.#account();
    } catch (error) {
      this.#options.log.error({ err: error, plug: this.path }, 'unexpected failure; polling goes on');
      this.#due = this.#clock.now() + this.#options.poll.intervalMs;
    }
  }

  /** Arms the timer for whatever comes next, or begins it if it is due already. */
  #plan(): void {
    if (!this.#running) return;
    let at = this.#asked ? 0 : Math.min(this.#due, this.#statisticsDue);
    for (const order of this.#orders) at = Math.min(at, order.notBefore, order.until);
    const delay = at - this.#clock.now();
    if (delay <= 0) this.#wake();
    else this.#timer.set(delay);
  }

  #expire(now: number): void {
    for (const order of this.#orders.filter((wanted) => wanted.until <= now)) {
      if (order.lags > 0) this.#settle(order, lagging(order));
      else this.#settle(order, { outcome: 'expired', reason: this.#lastProblem });
    }
  }

  async #poll(): Promise<void> {
    const asked = this.#asked;
    this.#asked = false;
    try {
      this.#seen(await this.client.read(), asked);
      this.#advance();
    } catch (error) {
      this.#failed(asPlugError(error));
    }
  }

  /** The grid of polls stays where it is; what was missed is not made up for. */
  #advance(): void {
    const { intervalMs } = this.#options.poll;
    const late = this.#clock.now() - this.#due;
    if (late >= 0) this.#due += (1 + Math.floor(late / intervalMs)) * intervalMs;
  }

  async #carryOut(order: Order): Promise<void> {
    this.#current = order;
    try {
      const settings = await this.#settingsFor(order);
      const seen = await this.client.apply(settings);
      if (follows(seen, settings)) this.#confirmed(order, settings, seen);
      else this.#lagged(order);
    } catch (error) {
      this.#notDone(order, asPlugError(error));
    } finally {
      this.#current = undefined;
      order.tried?.();
    }
  }

  async #settingsFor(order: Order): Promise<Settings> {
    if (order.relay === 'toggle') {
      const { sysinfo } = await this.client.read();
      order.relay = sysinfo.relay ? 'off' : 'on';
    }
    return { relay: order.relay === undefined ? undefined : order.relay === 'on', led: order.led };
  }

  #confirmed(order: Order, { relay }: Settings, seen: Observation): void {
    this.#seen(seen, false, relay === undefined ? undefined : { relay, origin: order.origin });
    this.#settle(order, { outcome: 'confirmed' });
    this.#due = Math.min(this.#due, this.#clock.now() + SETTLED_MS);
  }

  #lagged(order: Order): void {
    order.lags++;
    order.notBefore = this.#clock.now() + LAG_MS;
    if (order.once && order.lags > LAGS_FORGIVEN) this.#settle(order, lagging(order));
  }

  /** The order did not get through. A plug's own refusal is final; everything else may pass. */
  #notDone(order: Order, error: PlugError): void {
    if (error instanceof PlugRefusal) {
      this.#settle(order, { outcome: 'failed', reason: error.message });
      return;
    }
    this.#failed(error);
    if (!this.#running) return;
    if (this.#orders.some((later) => later !== order && overlap(later, order)))
      this.#settle(order, SUPERSEDED);
    else if (order.once) this.#settle(order, { outcome: 'failed', reason: error.reason });
    else order.notBefore = this.#clock.now() + RETRY_MS;
  }

  async #account(): Promise<void> {
    this.#statisticsDue = this.#clock.now() + this.#options.poll.statisticsMs;
    if (!this.client.hasMeter || this.#state.availability !== 'online') return;
    try {
      this.#become(account(this.#state, await this.client.statistics()), false);
    } catch (error) {
      // The next poll shows whether the plug is gone; a plug without a set clock has booked nothing.
      const { message } = asPlugError(error);
      this.#options.log.debug({ plug: this.path, message }, 'no day and month statistics');
      this.#become(account(this.#state, { today: undefined, month: undefined }), false);
    }
  }

  #seen(seen: Observation, asked: boolean, cause?: Cause): void {
    const before = this.#state;
    if (before.availability === 'offline') {
      this.#options.log.info({ plug: this.path, was: before.problem }, 'plug is back');
    }
    this.#fails = 0;
    // Whoever waited for the plug to come back need not wait any longer.
    for (const order of this.#orders) {
      if (order.lags === 0 && order.notBefore < Number.POSITIVE_INFINITY) order.notBefore = 0;
    }
    this.#become(observe(before, seen, this.#clock.date(), cause), asked);
  }

  /** Counts a failed exchange; the plug is offline after so many in a row, at once if it was never seen. */
  #failed(error: PlugError): void {
    if (!this.#running) return;
    const { intervalMs, offlineAfter, backoffMaxMs } = this.#options.poll;
    this.#fails++;
    this.#lastProblem = error.reason;
    const over = this.#state.availability === 'unknown' ? this.#fails - 1 : this.#fails - offlineAfter;
    const gone = over >= 0 || this.#state.availability === 'offline';
    const wait = gone
      ? backoff(Math.max(0, over), intervalMs, Math.max(intervalMs, backoffMaxMs), this.#options.random)
      : intervalMs;
    this.#due = this.#clock.now() + wait;
    if (gone && this.#state.problem !== error.reason) {
      this.client.forget();
      this.#options.log.warn(
        { plug: this.path, reason: error.reason, detail: error.message },
        'plug is offline',
      );
      this.#become(lose(this.#state, error.reason), false);
    }
  }

  #failAll(which: (order: Order) => boolean): void {
    for (const order of this.#orders.filter(which))
      this.#settle(order, { outcome: 'failed', reason: 'stopping' });
  }

  #become(after: PlugState, asked: boolean): void {
    const before = this.#state;
    this.#state = after;
    this.#options.changed(after, before, asked);
  }

  #settle(order: Order, settlement: Settlement): void {
    const at = this.#orders.indexOf(order);
    if (at < 0) return;
    this.#orders.splice(at, 1);
    order.settle(settlement);
  }
}

const SUPERSEDED: Settlement = { outcome: 'superseded', reason: 'a later command took over' };

function overlap(one: Order, other: Order): boolean {
  return (
    (one.relay !== undefined && other.relay !== undefined) ||
    (one.led !== undefined && other.led !== undefined)
  );
}

function lagging(order: Order): Settlement {
  const still = order.relay === undefined ? 'its old LED setting' : order.relay === 'on' ? 'OFF' : 'ON';
  return {
    outcome: 'failed',
    reason: `the plug accepted the command ${order.lags} times but still reports ${still}`,
  };
}

/** Whether the plug now reports what was set. */
function follows({ sysinfo }: Observation, { relay, led }: Settings): boolean {
  return (relay === undefined || sysinfo.relay === relay) && (led === undefined || sysinfo.led === led);
}

/** Lets nothing but a plug's failure pass; a mistake of ours goes on to whoever reports it. */
function asPlugError(error: unknown): PlugError {
  if (error instanceof PlugError) return error;
  throw error;
}
