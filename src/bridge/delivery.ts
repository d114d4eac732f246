import type { Logger } from 'pino';
import { PlugError } from '../errors.ts';
import { NoLongerWanted, type Observation, type PlugClient } from '../plug/plug-client.ts';
import type { Settings } from '../protocol/requests.ts';
import { backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { CORRECTION, type Sending } from './desired.ts';
import type { Outlet } from './outlet.ts';
import type { ExpectedChange } from './plug-state.ts';

/** What a delivery needs from its device's loop. */
export interface DeliveryOptions {
  readonly client: PlugClient;
  /** The longest wait between attempts at what the bridge wants by itself. */
  readonly backoffMaxMs: () => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The device has answered to what was sent to that outlet. */
  readonly seen: (seen: Observation, outlet: Outlet, expected: ExpectedChange | undefined) => void;
  /** The exchange that began at `began` is over. */
  readonly exchanged: (began: number, error: unknown) => PlugError | undefined;
  /** The device counts as not having answered. */
  readonly failed: (error: PlugError) => void;
}

const UNKNOWN_RELAY =
  'the plug does not report its relay, so there is nothing to toggle it from; send ON or OFF';

/** The first wait before an attempt that did not get through is made again. */
const RETRY_MS = 1000;

/** A user's command is tried again after this time at the latest: the plug may be back for a moment only. */
const LONGEST_RETRY_MS = 2000;

/** Wait before a plug that accepted a command, yet reports the old state, is asked again: some firmware lags. */
const LAG_MS = 350;

/** A plug that lags more often than this is waited for longer each time. */
const QUICK_LAGS = 3;

/** Carries out what is wanted of the outlets of one device, one exchange at a time. */
export class Delivery {
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Makes one attempt; never rejects for what goes wrong with the device. */
  async attempt(outlet: Outlet, sending: Sending): Promise<void> {
    const { client, clock, exchanged } = this.#options;
    const { id } = sending;
    const began = clock.now();
    outlet.begin(id);
    try {
      const settings = await this.#settingsFor(outlet, sending);
      const applied = await client.apply(settings, () => outlet.isWanted(id));
      exchanged(began, undefined);
      if (applied.refusal === undefined && !follows(applied, settings))
        outlet.lagged(id, insteadOf(settings, applied), (lags) => this.#retryAfterLag(id, lags));
      else await this.#applied(outlet, sending, settings, applied, applied.refusal?.message);
    } catch (error) {
      if (error instanceof NoLongerWanted) outlet.undelivered(id, 'busy', () => 0);
      else this.#notDone(outlet, id, exchanged(began, error));
    } finally {
      outlet.end(id);
    }
  }

  /** Takes the countdown off the plug; false if that is to be tried again. */
  async disarm(outlet: Outlet): Promise<boolean> {
    const failure = await this.#try(this.#options.client.stopCountdown());
    if (failure !== undefined && failure.reason !== 'plug-error') return false;
    outlet.disarmed();
    return true;
  }

  async #settingsFor(outlet: Outlet, { id, relay, led }: Sending): Promise<Settings> {
    if (relay !== 'toggle') return { relay: relay === undefined ? undefined : relay === 'on', led };
    const { sysinfo } = await this.#options.client.read();
    // A relay that is not reported is neither on nor off.
    if (sysinfo.relay === undefined) throw new PlugError('plug-error', UNKNOWN_RELAY);
    outlet.decide(id, sysinfo.relay ? 'off' : 'on');
    return { relay: !sysinfo.relay, led };
  }

  /** The device reports at least what was asked of its relay; `refusal` is why it did not do the rest. */
  async #applied(
    outlet: Outlet,
    { id, forMs, origin }: Sending,
    { relay }: Settings,
    applied: Observation,
    refusal: string | undefined,
  ): Promise<void> {
    const { log, seen } = this.#options;
    const done = relay !== undefined && applied.sysinfo.relay === relay;
    seen(applied, outlet, done ? { relay, origin } : undefined);
    const { cause } = outlet;
    const settle = outlet.confirm(id, done ? relay : undefined, refusal);
    if (id === CORRECTION && done)
      log.info({ plug: outlet.path, relay: relay ? 'ON' : 'OFF', cause }, 'switched by the bridge itself');
    settle(done && forMs > 0 ? await this.#startCountdown(outlet, forMs, !relay) : undefined);
  }

  /** Has the plug's own countdown switch back too, should bridge or Wi-Fi be gone by then; whether it took that on. */
  async #startCountdown(outlet: Outlet, forMs: number, relay: boolean): Promise<boolean> {
    const failure = await this.#try(this.#options.client.startCountdown(Math.ceil(forMs / 1000), relay));
    // An answer that got lost does not mean that the plug did not take it on.
    if (failure?.reason === 'plug-error') outlet.armed(false);
    return failure === undefined;
  }

  async #try(attempt: Promise<void>): Promise<PlugError | undefined> {
    const { clock, log, exchanged } = this.#options;
    const began = clock.now();
    try {
      await attempt;
      return exchanged(began, undefined);
    } catch (error) {
      const failure = exchanged(began, error);
      log.info({ detail: failure?.message }, 'the plug does not take on the countdown');
      return failure;
    }
  }

  /** What was sent did not get through. A plug's own refusal is final; everything else may pass. */
  #notDone(outlet: Outlet, id: number, error: PlugError | undefined): void {
    if (error === undefined) return;
    const { reason, message } = error;
    const retry = (attempts: number) => this.#retryAt(id, attempts);
    if (reason === 'plug-error') {
      outlet.refused(id, { outcome: 'failed', reason: message }, retry);
      return;
    }
    this.#options.failed(error);
    if (reason === 'unsupported') outlet.refused(id, { outcome: 'refused', reason: message }, retry);
    else if (reason !== 'stopping') outlet.undelivered(id, reason, retry);
  }

  #retryAt(id: number, attempts: number): number {
    const { clock, backoffMaxMs, random } = this.#options;
    const longest = id === CORRECTION ? Math.max(RETRY_MS, backoffMaxMs()) : LONGEST_RETRY_MS;
    return clock.now() + backoff(attempts - 1, RETRY_MS, longest, random);
  }

  #retryAfterLag(id: number, lags: number): number {
    return lags <= QUICK_LAGS ? this.#options.clock.now() + LAG_MS : this.#retryAt(id, lags - QUICK_LAGS);
  }
}

/** Whether the plug now reports what was set. */
function follows({ sysinfo }: Observation, { relay, led }: Settings): boolean {
  return (relay === undefined || sysinfo.relay === relay) && (led === undefined || sysinfo.led === led);
}

/** What the plug reports in place of what was set. */
function insteadOf({ relay, led }: Settings, { sysinfo }: Observation): string {
  if (relay !== undefined && sysinfo.relay === undefined) return 'does not report its relay';
  if (relay !== undefined && sysinfo.relay !== relay) return `still reports ${relay ? 'OFF' : 'ON'}`;
  return led !== undefined && sysinfo.led === undefined
    ? 'does not report its LED'
    : 'still reports its old LED setting';
}
