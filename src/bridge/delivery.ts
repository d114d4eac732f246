import type { Logger } from 'pino';
import { PlugError } from '../errors.ts';
import { follows } from '../plug/answers.ts';
import { type Applied, NoLongerWanted, type Observation, type PlugClient } from '../plug/plug-client.ts';
import { hasLight } from '../protocol/light.ts';
import type { Settings } from '../protocol/requests.ts';
import { backoff } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { CORRECTION } from './desired.ts';
import type { Outlet } from './outlet.ts';
import type { Due } from './outlets.ts';
import type { ExpectedChange } from './plug-state.ts';

/** What a delivery needs from its device's loop. */
export interface DeliveryOptions {
  readonly client: PlugClient;
  /** The longest wait between attempts at what the bridge wants by itself. */
  readonly backoffMaxMs: () => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The device has answered, after those outlets were made to do that. */
  readonly seen: (seen: Observation, expected: ReadonlyMap<Outlet, ExpectedChange>) => void;
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

  /**
   * Makes one attempt at what is the same for one outlet or for several of a strip; never rejects for what goes wrong
   * with the device.
   */
  async attempt(batch: readonly Due[]): Promise<void> {
    const { clock, exchanged } = this.#options;
    const began = clock.now();
    for (const { outlet, sending } of batch) outlet.begin(sending.id);
    try {
      const settings = await this.#settingsFor(batch);
      const { sent, applied } = await this.#apply(batch, settings);
      exchanged(began, undefined);
      for (const due of batch) if (!sent.includes(due)) notSent(due);
      await this.#applied(sent, settings, applied);
    } catch (error) {
      if (error instanceof NoLongerWanted) for (const due of batch) notSent(due);
      else this.#notDone(batch, exchanged(began, error));
    } finally {
      for (const { outlet, sending } of batch) outlet.end(sending.id);
    }
  }

  /** Takes the countdown off the plug; false if that is to be tried again. */
  async disarm(outlet: Outlet): Promise<boolean> {
    const failure = await this.#try(this.#options.client.stopCountdown(outlet.id));
    if (failure !== undefined && failure.reason !== 'plug-error') return false;
    outlet.disarmed();
    return true;
  }

  async #settingsFor([due]: readonly Due[]): Promise<Settings> {
    if (due === undefined) throw new NoLongerWanted();
    const { outlet, sending } = due;
    const { id, relay, led, light } = sending;
    if (relay !== 'toggle') return { relay: relay === undefined ? undefined : relay === 'on', led, light };
    const { sysinfo } = outlet.readingIn(await this.#options.client.read());
    // A relay that is not reported is neither on nor off.
    if (sysinfo.relay === undefined) throw new PlugError('plug-error', UNKNOWN_RELAY);
    outlet.decide(id, sysinfo.relay ? 'off' : 'on');
    return { relay: !sysinfo.relay, led };
  }

  /** Sends what is still wanted when it is its turn, to those outlets of a strip for which it is. */
  async #apply(
    batch: readonly Due[],
    settings: Settings,
  ): Promise<{ sent: readonly Due[]; applied: Applied }> {
    const { client } = this.#options;
    let sent = batch;
    const wanted = () => {
      sent = batch.filter(({ outlet, sending }) => outlet.isWanted(sending.id));
      return sent;
    };
    const applied = await (batch[0]?.outlet.id === null
      ? client.apply(settings, () => wanted().length > 0)
      : client.applyTo(() => wanted().flatMap(({ outlet }) => outlet.id ?? []), settings));
    return { sent, applied };
  }

  /** The device has answered: what each outlet then reports, and what it was asked. */
  async #applied(batch: readonly Due[], settings: Settings, applied: Applied): Promise<void> {
    const { seen } = this.#options;
    const refused = applied.refusal !== undefined;
    const followed = batch.filter(
      ({ outlet }) => refused || follows(outlet.readingIn(applied).sysinfo, settings),
    );
    const expected = new Map<Outlet, ExpectedChange>();
    for (const { outlet, sending } of followed) {
      const { relay } = outlet.readingIn(applied).sysinfo;
      if (relay !== undefined && relay === settings.relay)
        expected.set(outlet, { relay, origin: sending.origin });
    }
    if (followed.length > 0) seen(applied, expected);
    for (const due of batch) {
      if (followed.includes(due))
        await this.#confirmed(due, expected.get(due.outlet)?.relay, applied.refusal?.message);
      else this.#lagged(due, settings, applied);
    }
  }

  /** The outlet reports at least what was asked of its relay; `refusal` is why it did not do the rest. */
  async #confirmed(
    { outlet, sending: { id, forMs } }: Due,
    relay: boolean | undefined,
    refusal: string | undefined,
  ): Promise<void> {
    const { log } = this.#options;
    const { cause } = outlet;
    const settle = outlet.confirm(id, relay, refusal);
    if (id === CORRECTION && relay !== undefined)
      log.info({ plug: outlet.path, relay: relay ? 'ON' : 'OFF', cause }, 'switched by the bridge itself');
    const counts = relay !== undefined && forMs > 0;
    settle(counts ? await this.#startCountdown(outlet, forMs, !relay) : undefined);
  }

  #lagged({ outlet, sending: { id } }: Due, settings: Settings, applied: Applied): void {
    const instead = insteadOf(settings, outlet.readingIn(applied));
    outlet.lagged(id, instead, (lags) => this.#retryAfterLag(id, lags));
  }

  /** Has the plug's own countdown switch back too, should bridge or Wi-Fi be gone by then; whether it took that on. */
  async #startCountdown(outlet: Outlet, forMs: number, relay: boolean): Promise<boolean> {
    const seconds = Math.ceil(forMs / 1000);
    const failure = await this.#try(this.#options.client.startCountdown(seconds, relay, outlet.id));
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
  #notDone(batch: readonly Due[], error: PlugError | undefined): void {
    if (error === undefined) return;
    const { reason, message } = error;
    if (reason !== 'plug-error') this.#options.failed(error);
    for (const { outlet, sending } of batch) {
      const { id } = sending;
      const retry = (attempts: number) => this.#retryAt(id, attempts);
      if (reason === 'plug-error') outlet.refused(id, { outcome: 'failed', reason: message }, retry);
      else if (reason === 'unsupported') outlet.refused(id, { outcome: 'refused', reason: message }, retry);
      else if (reason !== 'stopping') outlet.undelivered(id, reason, retry);
    }
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

/** Something newer took over before it was sent. */
function notSent({ outlet, sending }: Due): void {
  outlet.undelivered(sending.id, 'busy', () => 0);
}

/** What the plug reports in place of what was set. */
function insteadOf({ relay, led, light }: Settings, { sysinfo }: Observation): string {
  if (relay !== undefined && sysinfo.relay === undefined) return 'does not report its relay';
  if (relay !== undefined && sysinfo.relay !== relay) return `still reports ${relay ? 'OFF' : 'ON'}`;
  if (light !== undefined && !hasLight(sysinfo.light, light))
    return 'still reports another brightness or colour';
  return led !== undefined && sysinfo.led === undefined
    ? 'does not report its LED'
    : 'still reports its old LED setting';
}
