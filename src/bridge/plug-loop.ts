import type { Logger } from 'pino';
import { PlugError } from '../errors.ts';
import type { Observation, PlugClient } from '../plug/plug-client.ts';
import type { Address } from '../plug/transport.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Query, Settings } from '../protocol/requests.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { Keeper } from './keeper.ts';
import { type Cause, differs, lose, observe, type PlugState, survey, unseen } from './model.ts';
import { follows, type Order, OrderBook } from './orders.ts';
import { isEventful, Pace, type PaceSettings } from './pace.ts';
import { Patience, type PatienceSettings } from './patience.ts';
import { type ClockKeeping, PlugClock } from './plug-clock.ts';
import type { PlugMemory, PlugPolicy } from './policy.ts';
import { Questions } from './questions.ts';

/** How one plug is polled; milliseconds. */
export interface PollSettings extends PatienceSettings, PaceSettings {
  /** How often the plug's statistics, clock and cloud are read. */
  readonly surveyMs: number;
}

/** What the loop needs from its owner. */
export interface LoopOptions {
  readonly path: string;
  readonly client: PlugClient;
  readonly poll: PollSettings;
  readonly policy: PlugPolicy;
  readonly clockKeeping: ClockKeeping;
  readonly memory: PlugMemory;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The state is another (`after` differs from `before`), or was asked for and is to be told anew (`asked`). */
  readonly changed: (after: PlugState, before: PlugState, asked: boolean) => void;
  /** The memory is another and should outlive the program. */
  readonly remember: () => void;
}

const NEWER_FIRMWARE =
  'the plug has newer firmware that closed port 9999 and speaks KLAP only; this bridge does not';

const UNKNOWN_RELAY =
  'the plug does not report its relay, so there is nothing to toggle it from; send ON or OFF';

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
  /** Fires though an exchange may be in flight: an order that waits for its end must not outlive its time. */
  readonly #expiry: Timer;
  readonly #orders = new OrderBook();
  readonly #questions: Questions;
  readonly #keeper: Keeper;
  readonly #patience: Patience;
  readonly #pace: Pace;
  readonly #plugClock: PlugClock;
  #state: PlugState;
  #due = Number.POSITIVE_INFINITY;
  #surveyDue = Number.POSITIVE_INFINITY;
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
    this.#expiry = options.clock.timer(() => this.#expire());
    this.#questions = new Questions(options.path);
    this.#keeper = new Keeper(options, this.#orders);
    this.#plugClock = new PlugClock(options);
    this.#patience = new Patience(options.poll, options.random);
    this.#pace = new Pace(options.poll);
  }

  get state(): PlugState {
    return this.#state;
  }

  get intervalMs(): number {
    return this.#options.poll.intervalMs;
  }

  /** Begins to poll, the first time after `phaseMs`. */
  start(phaseMs: number): void {
    this.#running = true;
    this.#due = this.#clock.now() + phaseMs;
    this.#surveyDue = this.#due + 500 + 10 * phaseMs;
    this.#plan();
  }

  /** Ends polling and fails what is wanted for that reason; an exchange in flight has a moment to end well. */
  async stop(reason: string): Promise<void> {
    this.#running = false;
    this.#timer.clear();
    this.#expiry.clear();
    this.#orders.failAll(reason, true);
    if (this.#turning !== undefined) {
      const patience = this.#clock.timer(() => this.client.close());
      patience.set(STOP_GRACE_MS);
      await this.#turning;
      patience.clear();
    }
    this.#orders.failAll(reason, false);
    this.#questions.end(new PlugError('stopping', `${this.path} is no longer asked: ${reason}`));
    this.client.close();
  }

  /** Takes an order; it supersedes those not yet begun that it overlaps with. */
  submit(order: Order): void {
    this.#orders.add(order);
    this.#pace.stir(this.#clock.now());
    this.#expire();
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

  /** Asks the plug something else, between commands and polls; it may take `timeoutMs` over it. Rejects with a PlugError. */
  ask(query: Query, timeoutMs?: number): Promise<JsonObject> {
    const answer = this.#questions.add(query, timeoutMs);
    this.#wake();
    return answer;
  }

  /** The plug has been found at an address: it is asked there, at once. */
  moveTo(address: Address, mac: string): void {
    this.client.moveTo(address, mac);
    this.#orders.hurry();
    this.#due = Math.min(this.#due, this.#clock.now());
    this.#wake();
  }

  /** The plug has been found, but speaks what this program does not: says so instead of how it fails. */
  outgrown(): void {
    this.#patience.outgrown = true;
    if (this.#state.availability !== 'online') this.#failed(new PlugError('newer-firmware', NEWER_FIRMWARE));
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
      this.#expire();
      this.#keeper.revertIfDue();
      const order = this.#orders.ready(now);
      if (order !== undefined) await this.#carryOut(order);
      else if (!this.#questions.isEmpty) await this.#questions.askNext(this.client);
      else if (this.#asked || this.#due <= now) await this.#poll();
      else if (this.#mustDisarm) await this.#keeper.disarm();
      else if (this.#surveyDue <= now) await this.#survey();
    } catch (error) {
      this.#options.log.error({ err: error, plug: this.path }, 'unexpected failure; polling goes on');
      this.#due = this.#clock.now() + this.#options.poll.intervalMs;
    }
  }

  /** Settles the orders whose time is over, and waits for the next one's. */
  #expire(): void {
    const now = this.#clock.now();
    this.#orders.expire(now, this.#patience.reason);
    const { expiresAt } = this.#orders;
    if (Number.isFinite(expiresAt)) this.#expiry.set(expiresAt - now);
    else this.#expiry.clear();
  }

  /** Arms the timer for whatever comes next, or begins it if it is due already. */
  #plan(): void {
    if (!this.#running) return;
    this.#expire();
    const now = this.#clock.now();
    const busy = this.#asked || this.#mustDisarm || !this.#questions.isEmpty;
    const idle = busy ? now : Math.min(this.#due, this.#surveyDue);
    const delay = Math.min(idle, this.#keeper.revertAt, this.#orders.nextAt) - now;
    if (delay <= 0) this.#wake();
    else this.#timer.set(delay);
  }

  get #mustDisarm(): boolean {
    return this.#keeper.mustDisarm && this.#patience.isFresh;
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
    const now = this.#clock.now();
    const intervalMs = this.#pace.intervalAt(now);
    const late = now - this.#due;
    if (late >= 0) this.#due += (1 + Math.floor(late / intervalMs)) * intervalMs;
  }

  async #carryOut(order: Order): Promise<void> {
    this.#orders.current = order;
    try {
      const settings = await this.#settingsFor(order);
      const seen = await this.client.apply(settings);
      if (follows(seen, settings)) await this.#confirmed(order, settings, seen);
      else this.#orders.lagged(order, seen, this.#clock.now() + LAG_MS);
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
      // A relay that is not reported is neither on nor off.
      if (sysinfo.relay === undefined) throw new PlugError('plug-error', UNKNOWN_RELAY);
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

  /** The order did not get through. A plug's own refusal is final, and so is what it is; everything else may pass. */
  #notDone(order: Order, error: PlugError): void {
    if (error.reason === 'unsupported') {
      this.#orders.settle(order, { outcome: 'refused', reason: error.message });
      return;
    }
    if (error.reason === 'plug-error') {
      this.#orders.settle(order, { outcome: 'failed', reason: error.message });
      return;
    }
    this.#failed(error);
    if (this.#running) this.#orders.undelivered(order, error.reason, this.#clock.now() + RETRY_MS);
  }

  async #survey(): Promise<void> {
    this.#surveyDue = this.#clock.now() + this.#options.poll.surveyMs;
    if (this.#state.availability !== 'online') return;
    try {
      const seen = await this.client.survey();
      this.#become(survey(this.#state, seen, await this.#plugClock.check(seen)), false);
    } catch (error) {
      // The next poll shows whether the plug is gone.
      this.#options.log.debug({ plug: this.path, detail: asPlugError(error).message }, 'no survey');
    }
  }

  #seen(seen: Observation, asked: boolean, cause?: Cause): void {
    const before = this.#state;
    if (before.availability === 'offline') {
      this.#options.log.info({ plug: this.path, was: before.problem }, 'plug is back');
    }
    this.#patience.restore();
    this.#orders.hurry();
    const after = observe(before, seen, this.#clock.date(), cause);
    const problem = this.#keeper.judge(before, after, cause);
    this.#become(problem === null ? after : { ...after, problem }, asked);
  }

  #failed(error: PlugError): void {
    if (!this.#running) return;
    const { waitMs, gone } = this.#patience.lose(error, this.#state.availability === 'online');
    const { reason } = this.#patience;
    this.#due = this.#clock.now() + waitMs;
    if (!gone || (this.#state.availability === 'offline' && this.#state.problem === reason)) return;
    this.client.forget();
    this.#options.log.warn({ plug: this.path, reason, detail: error.message }, 'plug is offline');
    this.#become(lose(this.#state, reason), false);
  }

  #become(after: PlugState, asked: boolean): void {
    const before = this.#state;
    if (!asked && !differs(before, after)) {
      before.lastSeen = after.lastSeen;
      return;
    }
    this.#state = after;
    if (isEventful(before, after)) this.#due = Math.min(this.#due, this.#pace.stir(this.#clock.now()));
    this.#options.changed(after, before, asked);
  }
}

/** Lets nothing but a plug's failure pass; a mistake of ours goes on to whoever reports it. */
function asPlugError(error: unknown): PlugError {
  if (error instanceof PlugError) return error;
  throw error;
}
