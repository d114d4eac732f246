import type { Logger } from 'pino';
import { PlugError, type Reason } from '../errors.ts';
import type { PlugClient } from '../plug/plug-client.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Cause, PlugState } from './model.ts';
import type { Order, OrderBook } from './orders.ts';
import {
  FLAP_MS,
  isTamperedWith,
  MOST_PUT_BACK,
  type PlugMemory,
  type PlugPolicy,
  restoreTo,
} from './policy.ts';

export interface KeeperOptions {
  readonly path: string;
  readonly client: PlugClient;
  readonly policy: PlugPolicy;
  readonly memory: PlugMemory;
  readonly clock: Clock;
  readonly log: Logger;
  /** The memory is another and should outlive the program. */
  readonly remember: () => void;
}

/** What one plug should be, beyond the commands of the moment: timed switching, restoring, putting back. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #memory: PlugMemory;
  readonly #orders: OrderBook;
  /** When the relay was put back lately. */
  #putBack: number[] = [];
  /** The plug's own countdown is armed for a wish that no longer holds. */
  #armed = false;
  /** The plug has answered since that was last tried to be changed. */
  #answered = false;
  /** The relay is being switched back; until it is, the memory keeps that it is to be. */
  #reverting = false;

  constructor(options: KeeperOptions, orders: OrderBook) {
    this.#options = options;
    this.#memory = options.memory;
    this.#orders = orders;
  }

  /** When the relay is to be switched back, by `clock.now()`. */
  get revertAt(): number {
    const { clock } = this.#options;
    const { revert } = this.#memory;
    return revert === null || this.#reverting
      ? Number.POSITIVE_INFINITY
      : clock.now() + revert.at - clock.date();
  }

  /** Whether the plug's countdown must be taken off it. */
  get mustDisarm(): boolean {
    return this.#armed && this.#answered;
  }

  /** A user has spoken: what happened at the plug before no longer counts. */
  forgive(): void {
    this.#putBack = [];
  }

  /** Does what the policy asks for now that the plug is as it is; says what is wrong with it. */
  judge(before: PlugState, after: PlugState, cause: Cause | undefined): Reason | null {
    const { policy } = this.#options;
    this.#answered = true;
    if (after.relay === null) return null;
    if (cause === undefined && !this.#orders.concernsRelay) {
      const restored = restoreTo(policy, this.#memory, before, after);
      if (restored !== undefined) this.#order(restored, 0);
      else if (isTamperedWith(policy, this.#memory, after)) return this.#enforce();
    }
    if (cause !== undefined || !policy.enforce || this.#memory.relay === null) this.#note(after.relay);
    // The plug has come to it by itself, by its own countdown most likely.
    if (cause === undefined && this.#memory.revert?.relay === after.relay) this.#setRevert(null);
    return null;
  }

  /**
   * Notes when the relay is to be switched back after a command, and has the plug's own countdown do it too,
   * should the bridge or the Wi-Fi be gone by then. Says whether the plug took that on, if there was anything
   * to take on.
   */
  async keepTime(relay: boolean, forMs: number): Promise<boolean | undefined> {
    const { clock, client } = this.#options;
    const { revert } = this.#memory;
    if (forMs === 0) {
      this.#armed ||= revert?.armed === true;
      if (revert !== null) this.#setRevert(null);
      return undefined;
    }
    this.#armed = false;
    const at = clock.date() + forMs;
    this.#setRevert({ relay: !relay, at, armed: true });
    const failure = await this.#try(client.startCountdown(Math.ceil(forMs / 1000), !relay));
    // An answer that got lost does not mean that the plug did not take it on.
    if (failure?.reason === 'plug-error') this.#setRevert({ relay: !relay, at, armed: false });
    return failure === undefined;
  }

  /** Takes the countdown off the plug; tried again after the plug's next answer if it does not get through. */
  async disarm(): Promise<void> {
    this.#answered = false;
    const failure = await this.#try(this.#options.client.stopCountdown());
    this.#armed = failure !== undefined && failure.reason !== 'plug-error';
  }

  /** Orders the relay back when its time has come. */
  revertIfDue(): void {
    const { revert } = this.#memory;
    if (revert === null || this.#reverting || revert.at > this.#options.clock.date()) return;
    this.#reverting = true;
    this.#order(revert.relay, 0, (settlement) => {
      this.#reverting = false;
      if (!('reason' in settlement) || settlement.reason !== 'stopping') this.#setRevert(null);
    });
  }

  #enforce(): Reason | null {
    const { clock, log, path, policy } = this.#options;
    const now = clock.now();
    this.#putBack = this.#putBack.filter((at) => at > now - FLAP_MS);
    if (this.#memory.relay === null || this.#putBack.length >= MOST_PUT_BACK) return 'flapping';
    this.#putBack.push(now);
    if (this.#putBack.length === MOST_PUT_BACK)
      log.warn({ plug: path }, 'switched at the plug again and again; left alone after this');
    this.#order(this.#memory.relay, policy.enforceAfterMs);
    return null;
  }

  /** Has the relay switched by the bridge itself, however long it takes. */
  #order(relay: boolean, afterMs: number, settled: Order['settle'] = () => {}): void {
    const { clock, log, path } = this.#options;
    const order: Order = {
      relay: relay ? 'on' : 'off',
      led: undefined,
      forMs: 0,
      origin: 'bridge',
      until: Number.POSITIVE_INFINITY,
      once: false,
      notBefore: clock.now() + afterMs,
      lags: 0,
      settle: (settlement) => {
        const { outcome } = settlement;
        log.info({ plug: path, relay: relay ? 'ON' : 'OFF', outcome }, 'switched by the bridge itself');
        settled(settlement);
      },
    };
    this.#orders.add(order);
  }

  #note(relay: boolean): void {
    if (this.#memory.relay === relay) return;
    this.#memory.relay = relay;
    this.#options.remember();
  }

  #setRevert(revert: PlugMemory['revert']): void {
    this.#memory.revert = revert;
    this.#options.remember();
  }

  async #try(attempt: Promise<void>): Promise<PlugError | undefined> {
    try {
      await attempt;
      return undefined;
    } catch (error) {
      if (!(error instanceof PlugError)) throw error;
      this.#options.log.info(
        { plug: this.#options.path, detail: error.message },
        'the plug does not take on the countdown',
      );
      return error;
    }
  }
}
