import type { Reason } from '../errors.ts';
import type { Observation } from '../plug/plug-client.ts';
import type { Statistics } from '../plug/statistics.ts';
import type { LampSettings } from '../rules/lamp.ts';
import type { Clock } from '../runtime/clock.ts';
import { momentOf, timeOf } from '../runtime/clock.ts';
import type { ClockState } from './clock-sync.ts';
import type { Settlement } from './command.ts';
import { isFlapping, reported } from './correction.ts';
import type { Desired, Retry, Sending, Step } from './desired.ts';
import * as desired from './desired.ts';
import type { StoredOutlet } from './memory.ts';
import { OutletMeter } from './outlet-meter.ts';
import {
  differs,
  type ExpectedChange,
  observe,
  offline,
  ofOutlet,
  type PlugState,
  unseen,
  unsupported,
  withMeter,
  withStatistics,
} from './plug-state.ts';
import type { Policy } from './policy.ts';
import { hadPowerCut } from './power-cut.ts';
import type { Wish } from './wish.ts';

/** One outlet as configured. */
export interface OutletSpec {
  /** Below the base topic. */
  readonly path: string;
  /** Which one of its device; `null` if it has only one. */
  readonly id: string | null;
  readonly policy: Policy;
  /** What the lamp on it should draw; left out where none is checked. */
  readonly lamp?: LampSettings | undefined;
}

/** An answer of a device, and what is known besides: what those outlets were just made to do. */
export interface Answer {
  /** By `clock.now()`. */
  readonly now: number;
  readonly asked: boolean;
  /** An exchange failed since the last answer. */
  readonly interrupted: boolean;
  readonly expected: ReadonlyMap<Outlet, ExpectedChange> | undefined;
}

/** What an outlet reports to its device and the bridge. */
export interface OutletOptions extends OutletSpec {
  readonly clock: Clock;
  /** The state is another (`after` differs from `before`), or was asked for and is to be published anew (`asked`). */
  readonly changed: (after: PlugState, before: PlugState, asked: boolean) => void;
  /** What must survive a restart is another. */
  readonly remember: (stored: StoredOutlet) => void;
}

/** What becomes of a wish: `decided` when a toggle is, before it is sent; `tried` after each attempt, `settle` once at its end. */
export interface WishListener {
  readonly decided: (relay: 'on' | 'off') => void;
  readonly tried: () => void;
  readonly settle: (settlement: Settlement) => void;
}

/** One relay with its meter: its state as reported, and what it should be. The one owner of both. */
export class Outlet {
  readonly id: string | null;
  readonly meter: OutletMeter;
  readonly #options: OutletOptions;
  readonly #clock: Clock;
  readonly #listeners = new Map<number, WishListener>();
  #policy: Policy;
  #state: PlugState;
  #desired: Desired = desired.NOTHING;

  constructor(options: OutletOptions) {
    this.id = options.id;
    this.#policy = options.policy;
    this.meter = new OutletMeter(options.lamp);
    this.#options = options;
    this.#clock = options.clock;
    this.#state = unseen(options.path);
  }

  get path(): string {
    return this.#state.path;
  }

  get policy(): Policy {
    return this.#policy;
  }

  get state(): PlugState {
    return this.#state;
  }

  /** From now on it has that path and policy. A lock ends what waits to switch it; else what is wanted of it stays. */
  configure({ path, policy, lamp }: OutletSpec): void {
    this.#policy = policy;
    this.meter.configure(lamp);
    if (path !== this.path) this.#state = { ...this.#state, path };
    if (policy.locked) this.#step(desired.locked(this.#desired));
  }

  /** Why the bridge is to switch the relay by itself, if it is. */
  get cause(): string | undefined {
    return this.#desired.correction?.cause;
  }

  /** When there is something to send; infinite for never. */
  get nextAt(): number {
    return desired.nextAt(this.#desired);
  }

  /** When the next wish is over that waits; infinite for never. */
  get expiresAt(): number {
    return desired.expiresAt(this.#desired);
  }

  /** Whether the plug's own countdown must be taken off it. */
  get mustDisarm(): boolean {
    return this.#desired.disarm;
  }

  /** Takes a wish, and settles those that it supersedes. */
  submit(wish: Wish, listener: WishListener): void {
    this.#listeners.set(wish.id, listener);
    this.#step(desired.want(this.#desired, wish, this.policy));
  }

  /** It is the wish's turn among the outlets of its place. */
  release(id: number): void {
    this.#desired = desired.release(this.#desired, id);
  }

  /** Whether the wish waits to be carried out. */
  has(id: number): boolean {
    return this.#listeners.has(id);
  }

  /** Settles the wishes whose time is over; `reason` says why they were not carried out. */
  advance(now: number, reason: string): void {
    // Nearly all outlets want nothing nearly all the time, at every poll.
    if (!desired.isIdle(this.#desired)) this.#step(desired.advance(this.#desired, now, this.policy, reason));
  }

  /** What is to be sent now. */
  ready(now: number): Sending | undefined {
    return desired.ready(this.#desired, now);
  }

  /** Whether what is in flight is still wanted. */
  isWanted(id: number): boolean {
    return desired.isWanted(this.#desired, id, this.#clock.now());
  }

  /** An attempt begins. */
  begin(id: number): void {
    this.#desired = desired.sending(this.#desired, id);
  }

  /** The attempt is over, however it ended. */
  end(id: number): void {
    this.#desired = desired.sending(this.#desired, null);
    if (this.#policy.locked) this.#step(desired.locked(this.#desired));
    this.#listeners.get(id)?.tried();
  }

  /** A toggle is decided by what the plug reports. */
  decide(id: number, relay: 'on' | 'off'): void {
    this.#desired = desired.decided(this.#desired, id, relay);
    this.#listeners.get(id)?.decided(relay);
  }

  /** The plug reported what was sent; the function returned settles the wish, once its countdown is dealt with. */
  confirm(
    id: number,
    relay: boolean | undefined,
    refusal: string | undefined,
  ): (countdown?: boolean) => void {
    const now = this.#clock.now();
    const { desired: next, settled } = desired.confirmed(this.#desired, id, { relay, refusal, now });
    this.#become(next);
    return (countdown) => {
      for (const { id: ended, settlement } of settled) {
        const isArmed = settlement.outcome === 'confirmed' && countdown !== undefined;
        this.#settle(ended, isArmed ? { ...settlement, countdown } : settlement);
      }
    };
  }

  refused(id: number, settlement: Settlement, retry: Retry): void {
    this.#step(desired.refused(this.#desired, id, settlement, retry));
  }

  undelivered(id: number, reason: string, retry: Retry): void {
    this.#step(desired.undelivered(this.#desired, id, reason, retry));
  }

  lagged(id: number, instead: string, retry: Retry): void {
    this.#step(desired.lagged(this.#desired, id, instead, retry));
  }

  /** The plug answers again. */
  retryNow(): void {
    this.#desired = desired.retryNow(this.#desired);
  }

  /** Whether the plug took on the countdown. */
  armed(isArmed: boolean): void {
    this.#become(desired.armed(this.#desired, isArmed));
  }

  /** The countdown was taken off the plug. */
  disarmed(): void {
    this.#become(desired.disarmed(this.#desired));
  }

  /** What was stored of the outlet has been found. */
  recall({ relay, timer, disarm }: StoredOutlet): void {
    const running = timer && { relay: timer.relay, at: timeOf(this.#clock, timer.at), armed: timer.armed };
    this.#desired = desired.recalled(this.#desired, { relay, timer: running, disarm });
  }

  /** What an answer of the device says of this outlet. */
  readingIn(seen: Observation): Observation {
    return this.id === null ? seen : ofOutlet(seen, this.id, this.#state);
  }

  /** The plug has answered. */
  observe(seen: Observation, answer: Answer): void {
    const expected = answer.expected?.get(this);
    const before = this.#state;
    const date = this.#clock.date();
    this.meter.read(seen.meter, seen.sysinfo.relay ?? null, { now: answer.now, date });
    const after = observe(before, seen, { at: date, meter: this.meter, outlet: this.id, expected });
    if (expected === undefined && after.relay !== null) this.#judge(before, after, after.relay, answer);
    const flaps = expected === undefined && isFlapping(this.#desired, after.relay, this.policy);
    this.#show(flaps ? { ...after, problem: 'flapping' } : after, answer.asked);
  }

  /** What changes slowly was read. */
  observeStatistics(seen: Statistics, clock: ClockState | null): void {
    this.meter.observeStatistics(seen, { now: this.#clock.now(), date: this.#clock.date() });
    this.#show(withMeter(withStatistics(this.#state, seen, clock), this.meter), false);
  }

  /** Sets its lifetime counter to so many kWh; false while there is none. */
  setEnergy(kwh: number): boolean {
    const isSet = this.meter.set(kwh);
    if (isSet) this.#show(withMeter(this.#state, this.meter), false);
    return isSet;
  }

  /** Learns anew what its lamp draws; false if that is not learnt. */
  relearnLamp(): boolean {
    const isLearnt = this.meter.relearn();
    if (isLearnt) this.#show(withMeter(this.#state, this.meter), false);
    return isLearnt;
  }

  /** The plug is offline, or cannot be used. */
  goOffline(problem: Reason): void {
    this.#show(offline(this.#state, problem), false);
  }

  /** The device has answered, but is none that can be used as one outlet. */
  observeUnsupported(seen: Observation): void {
    this.#show(unsupported(this.#state, seen, { at: this.#clock.date(), outlet: this.id }), false);
  }

  /** How often the relay was put back lately. */
  get putBack(): number {
    return this.#desired.putBack.length;
  }

  /** Ends all wishes alike, but for the one in flight if `spareInFlight`. */
  settleAll(settlement: Settlement, spareInFlight: boolean): void {
    this.#step(desired.settleAll(this.#desired, settlement, spareInFlight));
  }

  /** What must survive a restart. */
  get stored(): StoredOutlet {
    const { relay, timer, disarm } = this.#desired;
    const stored = timer && { relay: timer.relay, at: momentOf(this.#clock, timer.at), armed: timer.armed };
    return { relay, timer: stored, disarm };
  }

  #judge(before: PlugState, after: PlugState, relay: boolean, { interrupted, now }: Answer): void {
    const { relay: lastRelay } = this.#desired;
    const powerCut = hadPowerCut(before, after, { lastRelay, interrupted });
    if (!powerCut && relay === lastRelay && desired.isIdle(this.#desired)) return;
    this.#become(reported(this.#desired, relay, { policy: this.policy, powerCut, now }));
  }

  #show(after: PlugState, asked: boolean): void {
    const before = this.#state;
    if (!asked && !differs(before, after)) {
      before.lastSeen = after.lastSeen;
      return;
    }
    this.#state = after;
    this.#options.changed(after, before, asked);
  }

  #step({ desired: next, settled }: Step): void {
    this.#become(next);
    for (const { id, settlement } of settled) this.#settle(id, settlement);
  }

  #become(next: Desired): void {
    const before = this.#desired;
    this.#desired = next;
    if (next.relay !== before.relay || next.timer !== before.timer || next.disarm !== before.disarm)
      this.#options.remember(this.stored);
  }

  #settle(id: number, settlement: Settlement): void {
    const listener = this.#listeners.get(id);
    this.#listeners.delete(id);
    listener?.settle(settlement);
  }
}
