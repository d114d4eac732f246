import type { Logger } from 'pino';
import { PlugError, PlugRefusal, type Reason } from '../errors.ts';
import type { Observation, PlugClient } from '../plug/plug-client.ts';
import type { Settings } from '../protocol/requests.ts';
import { backoff } from '../runtime/backoff.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { Keeper } from './keeper.ts';
import { account, type Cause, lose, observe, type PlugState, unseen } from './model.ts';
import { follows, type Order, OrderBook } from './orders.ts';
import type { PlugMemory, PlugPolicy } from './policy.ts';

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

/** What the loop needs from its owner. */
export interface LoopOptions {
  readonly path: string;
  readonly client: PlugClient;
  readonly poll: PollSettings;
  readonly policy: PlugPolicy;
  readonly memory: PlugMemory;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The state is another (`after` differs from `before`), or was asked for and is to be told anew (`asked`). */
  readonly changed: (after: PlugState, before: PlugState, asked: boolean) => void;
  /** The memory is another and should outlive the program. */
  readonly remember: () => void;
}

/** Wait before a command is tried again on a plug that does not answer: plugs need a pause after a time-out. */
const RETRY_MS = 1000;

/** Wait before a plug that accepted a command, yet reports the old state, is asked again (some firmware lags). */
const LAG_MS = 350;

/** How long an exchange in flight may take to end when the bridge stops. */
const STOP_GRACE_MS = 1000;

/** After a command the meter is read again this soon: the power has then settled. */
const SETTLED_MS = 1000;

/**
 * Everything that happens to one plug, one exchange at a time: commands first, then the poll that is due, then
 * its statistics. Nothing is queued but the orders still wanted.
 */
export class PlugLoop {
  readonly path: string;
  readonly client: PlugClient;
  readonly policy: PlugPolicy;
  readonly #options: LoopOptions;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #orders = new OrderBook();
  readonly #keeper: Keeper;
  #state: PlugState;
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
    this.policy = options.policy;
    this.#options = options;
    this.#clock = options.clock;
    this.#state = unseen(options.path);
    this.#timer = options.clock.timer(() => this.#wake());
    this.#keeper = new Keeper(options, this.#orders);
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
    this.#orders.failAll('stopping', true);
    if (this.#turning !== undefined) {
      const patience = this.#clock.timer(() => this.client.close());
      patience.set(STOP_GRACE_MS);
      await this.#turning;
      patience.clear();
    }
    this.#orders.failAll('stopping', false);
    this.client.close();
  }

  /** Takes an order; it supersedes those not yet begun that it overlaps with. */
  submit(order: Order): void {
    this.#orders.add(order);
    if (order.relay !== undefined && order.origin !== 'bridge') this.#keeper.forgive();
    this.#wake();
  }

  /** Lets an order go that was submitted held back. */
  release(order: Order): void {
    order.notBefore = 0;
    this.#wake();
  }

  /** Whether the order still waits to be carried out. */
  wants(order: Order): boolean {
    return this.#orders.has(order);
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
      this.#orders.expire(now, this.#lastProblem);
      this.#keeper.revertIfDue();
      const order = this.#orders.ready(now);
      if (order !== undefined) await this.#carryOut(order);
      else if (this.#asked || this.#due <= now) await this.#poll();
      else if (this.#mustDisarm) await this.#keeper.disarm();
      else if (this.#statisticsDue <= now) await this.#account();
    } catch (error) {
      this.#options.log.error({ err: error, plug: this.path }, 'unexpected failure; polling goes on');
      this.#due = this.#clock.now() + this.#options.poll.intervalMs;
    }
  }

  /** Arms the timer for whatever comes next, or begins it if it is due already. */
  #plan(): void {
    if (!this.#running) return;
    const now = this.#clock.now();
    const idle = this.#asked || this.#mustDisarm ? now : Math.min(this.#due, this.#statisticsDue);
    const delay = Math.min(idle, this.#keeper.revertAt, this.#orders.nextAt) - now;
    if (delay <= 0) this.#wake();
    else this.#timer.set(delay);
  }

  get #mustDisarm(): boolean {
    return this.#keeper.mustDisarm && this.#fails === 0;
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
    this.#orders.current = order;
    try {
      const settings = await this.#settingsFor(order);
      const seen = await this.client.apply(settings);
      if (follows(seen, settings)) await this.#confirmed(order, settings, seen);
      else this.#orders.lagged(order, this.#clock.now() + LAG_MS);
    } catch (error) {
      this.#notDone(order, asPlugError(error));
    } finally {
      this.#orders.current = undefined;
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

  async #confirmed(order: Order, { relay }: Settings, seen: Observation): Promise<void> {
    this.#seen(seen, false, relay === undefined ? undefined : { relay, origin: order.origin });
    let countdown: boolean | undefined;
    if (relay !== undefined) countdown = await this.#keeper.keepTime(relay, order.forMs);
    this.#orders.settle(order, { outcome: 'confirmed', ...(countdown === undefined ? {} : { countdown }) });
    this.#due = Math.min(this.#due, this.#clock.now() + SETTLED_MS);
  }

  /** The order did not get through. A plug's own refusal is final; everything else may pass. */
  #notDone(order: Order, error: PlugError): void {
    if (error instanceof PlugRefusal) {
      this.#orders.settle(order, { outcome: 'failed', reason: error.message });
      return;
    }
    this.#failed(error);
    if (this.#running) this.#orders.undelivered(order, error.reason, this.#clock.now() + RETRY_MS);
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
    this.#orders.hurry();
    const after = observe(before, seen, this.#clock.date(), cause);
    const problem = this.#keeper.judge(before, after, cause);
    this.#become(problem === null ? after : { ...after, problem }, asked);
  }

  /** Counts a failed exchange; the plug is offline after so many in a row, at once if it was never seen. */
  #failed(error: PlugError): void {
    if (!this.#running) return;
    const { intervalMs, offlineAfter, backoffMaxMs } = this.#options.poll;
    this.#fails++;
    this.#lastProblem = error.reason;
    const over = this.#state.availability === 'online' ? this.#fails - offlineAfter : this.#fails - 1;
    const longest = Math.max(intervalMs, backoffMaxMs);
    this.#due =
      this.#clock.now() + (over < 0 ? intervalMs : backoff(over, intervalMs, longest, this.#options.random));
    if (over < 0 || (this.#state.availability === 'offline' && this.#state.problem === error.reason)) return;
    this.client.forget();
    this.#options.log.warn(
      { plug: this.path, reason: error.reason, detail: error.message },
      'plug is offline',
    );
    this.#become(lose(this.#state, error.reason), false);
  }

  #become(after: PlugState, asked: boolean): void {
    const before = this.#state;
    this.#state = after;
    this.#options.changed(after, before, asked);
  }
}

/** Lets nothing but a plug's failure pass; a mistake of ours goes on to whoever reports it. */
function asPlugError(error: unknown): PlugError {
  if (error instanceof PlugError) return error;
  throw error;
}
