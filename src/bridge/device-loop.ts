import { PlugError } from '../errors.ts';
import type { Observation, PlugClient } from '../plug/plug-client.ts';
import type { Address } from '../plug/transport.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { ClockSync } from './clock-sync.ts';
import { Delivery } from './delivery.ts';
import { type DeviceSettings, type LoopOptions, outletsOf, type PollSettings } from './device-spec.ts';
import { Failures } from './failures.ts';
import { OfflineDetector } from './offline-detector.ts';
import type { Answer, Outlet, WishListener } from './outlet.ts';
import { type Due, Outlets, WAS_STRIP } from './outlets.ts';
import type { PlugState } from './plug-state.ts';
import { PollSchedule } from './poll-schedule.ts';
import { QueryQueue } from './query-queue.ts';
import type { Wish } from './wish.ts';

const NEWER_FIRMWARE =
  'newer firmware of the plug speaks neither of the protocols of Kasa plugs, but that of Tapo devices';

/** How long an exchange in flight may take to end when the bridge stops. */
const STOP_GRACE_MS = 1000;

/** After a command the meter is read again this soon: the power has then settled. */
const SETTLED_MS = 1000;

/**
 * Everything that happens to one device, one exchange at a time: commands first, then the poll that is due, then
 * the statistics. Nothing is queued but what is still wanted.
 */
export class DeviceLoop {
  readonly client: PlugClient;
  #outlets: Outlets;
  readonly #options: LoopOptions;
  readonly #clock: Clock;
  readonly #timer: Timer;
  /** Fires though an exchange may be in flight: a wish that waits for its end must not outlive its time. */
  readonly #expiry: Timer;
  readonly #queries: QueryQueue;
  readonly #detector: OfflineDetector;
  readonly #failures: Failures;
  readonly #schedule: PollSchedule;
  readonly #clockSync: ClockSync;
  readonly #delivery: Delivery;
  #poll: PollSettings;
  /** How its outlets are to be if it turns out to be a strip; the path of the first is that of the device. */
  #specs: Pick<DeviceSettings, 'outlets' | 'configured'>;
  #asked = false;
  #running = false;
  #identified = false;
  /** A countdown could not be taken off the plug; tried again after its next answer. */
  #disarmFailed = false;
  #turning: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    const { clock, outletIds = [] } = options;
    this.client = options.client;
    this.#options = options;
    this.#clock = clock;
    this.#poll = options.poll;
    this.#specs = options;
    const path = () => this.path;
    this.#outlets = this.#outletsWith(outletIds);
    this.#timer = clock.timer(() => this.wake());
    this.#expiry = clock.timer(() => this.#expire(clock.now()));
    this.#queries = new QueryQueue(path);
    this.#clockSync = new ClockSync({ ...options, path });
    this.#detector = new OfflineDetector(options.poll, options.random);
    this.#failures = new Failures(path, options.log);
    this.#schedule = new PollSchedule(options.poll);
    this.#delivery = new Delivery({
      ...options,
      backoffMaxMs: () => this.#poll.backoffMaxMs,
      seen: (seen, expected) => {
        const now = clock.now();
        this.#seen(seen, { now, asked: false, interrupted: !this.#detector.isFine, expected });
        this.#schedule.pollBy(now + SETTLED_MS);
      },
      exchanged: (began, error) => this.#exchanged(began, error),
      failed: (error) => this.#failed(error),
    });
  }

  get outlets(): readonly Outlet[] {
    return this.#outlets.all;
  }

  /** Where it is in the tree: the path of its outlet, or that of a strip, which is a place. */
  get path(): string {
    return this.#specs.outlets[0]?.path ?? '';
  }

  /** The ids of its outlets if it is a strip, in their order. */
  get outletIds(): readonly string[] {
    return this.outlets.flatMap(({ id }) => id ?? []);
  }

  /** The state of its first outlet, which shares with the others whether the device answers. */
  get state(): PlugState | undefined {
    return this.outlets[0]?.state;
  }

  get isOffline(): boolean {
    return this.state?.availability === 'offline';
  }

  /** Emits, once, which device it is, before anything that it reports. */
  identify(): void {
    const { mac } = this.client;
    if (this.#identified || mac === undefined) return;
    this.#identified = true;
    this.#options.identified(mac);
  }

  /** From now on it is polled so, and its outlets have those paths and policies; all else stays as it is. */
  configure(settings: DeviceSettings): void {
    const { timeoutMs, poll } = settings;
    this.client.timeoutMs = timeoutMs;
    this.#specs = settings;
    this.#poll = poll;
    this.#detector.configure(poll);
    this.#schedule.configure(poll, this.#clock.now());
    this.#outlets.configure(outletsOf(settings, this.outletIds));
    if (this.#turning === undefined) this.#plan();
  }

  /** Begins to poll, the first time after `phaseMs`, but within the interval. */
  start(phaseMs: number): void {
    this.#running = true;
    this.#schedule.start(this.#clock.now(), phaseMs % this.#poll.intervalMs);
    this.#plan();
  }

  /** Ends polling and fails what is wanted for that reason; an exchange in flight has a moment to end well. */
  async stop(reason: string): Promise<void> {
    this.#running = false;
    this.#timer.clear();
    this.#expiry.clear();
    this.#outlets.settleAll({ outcome: 'failed', reason }, true);
    if (this.#turning !== undefined) {
      const grace = this.#clock.timer(() => this.client.close());
      grace.set(STOP_GRACE_MS);
      await this.#turning;
      grace.clear();
    }
    this.#outlets.settleAll({ outcome: 'failed', reason }, false);
    this.#queries.end(new PlugError('stopping', `${this.path} is no longer asked: ${reason}`));
    this.client.close();
  }

  /** Takes a wish of one of its outlets; {@link wake} has it sent, once it is committed. */
  submit(outlet: Outlet, wish: Wish, listener: WishListener): void {
    outlet.submit(wish, listener);
    this.#schedule.boost(this.#clock.now());
  }

  /** Does at once what is due. */
  wake(): void {
    if (this.#turning !== undefined) this.#expire(this.#clock.now());
    if (this.#turning !== undefined || !this.#running) return;
    this.#timer.clear();
    this.#turning = this.#turn().finally(() => {
      this.#turning = undefined;
      this.#plan();
    });
  }

  /** Reads the device as soon as it is free, and publishes its state even if it is the same. */
  refresh(): void {
    this.#asked = true;
    this.wake();
  }

  /** Asks it, or an outlet of a strip, something else between commands and polls, for up to `timeoutMs`. Rejects with a PlugError. */
  ask(query: Query, timeoutMs?: number, outlet: string | null = null): Promise<JsonObject> {
    const answer = this.#queries.add(query, timeoutMs, outlet);
    this.wake();
    return answer;
  }

  /** The device has been found at an address: it is asked there, at once. */
  moveTo(address: Address, mac: string): void {
    this.client.moveTo(address, mac);
    this.#schedule.pauseUntil = 0;
    this.#schedule.pollBy(this.#clock.now());
    this.#outlets.retryNow();
    this.wake();
  }

  /** The device has been found, but speaks what this program does not: says so instead of how it fails. */
  foundNewerFirmware(): void {
    this.#detector.hasNewerFirmware = true;
    if (this.state?.availability !== 'online') this.#failed(new PlugError('newer-firmware', NEWER_FIRMWARE));
  }

  /** Never asks the device again, for that reason. */
  async retire(reason: PlugError): Promise<void> {
    this.#outlets.goOffline(reason.reason);
    await this.stop(reason.message);
  }

  #outletsWith(ids: readonly string[]): Outlets {
    return new Outlets(outletsOf(this.#specs, ids), {
      ...this.#options,
      eventful: () => this.#schedule.boost(this.#clock.now()),
    });
  }

  /** Does the one most urgent thing. Whatever goes wrong with the device is dealt with in here. */
  async #turn(): Promise<void> {
    try {
      const now = this.#clock.now();
      this.#expire(now);
      if (this.#schedule.pauseUntil > now) return;
      const next = this.#outlets.next(now);
      if (next !== undefined) await this.#deliver(next);
      else if (!this.#queries.isEmpty) await this.#queries.sendNext(this.client);
      else if (this.#asked || this.#schedule.pollAt <= now) await this.#pollNow(now);
      else if (this.#disarming !== undefined)
        this.#disarmFailed = !(await this.#delivery.disarm(this.#disarming));
      else if (this.#schedule.statisticsAt <= now) await this.#readStatistics();
    } catch (error) {
      this.#failed(this.#failures.of(error));
    }
  }

  /** A place hands the outlets of a strip their wishes one after the other: what is the same is sent together. */
  async #deliver(next: Due): Promise<void> {
    if (this.outlets.length > 1) await new Promise<void>((resolve) => this.#clock.soon(resolve));
    await this.#delivery.attempt([next, ...this.#outlets.alike(next, this.#clock.now())]);
  }

  /** Settles the wishes whose time is over, and waits for the next one's. */
  #expire(now: number): void {
    const next = this.#outlets.advance(now, this.#whyNotYet);
    if (Number.isFinite(next)) this.#expiry.set(next - now);
    else this.#expiry.clear();
  }

  /** Why a wish has not been carried out so far. */
  get #whyNotYet(): string {
    if (!this.#detector.isFine) return this.#detector.reason;
    return this.client.address === undefined ? 'not-found' : 'busy';
  }

  /** Arms the timer for whatever comes next, or begins it if it is due already. */
  #plan(): void {
    if (!this.#running) return;
    const now = this.#clock.now();
    this.#expire(now);
    const busy = this.#asked || this.#disarming !== undefined || !this.#queries.isEmpty;
    const { pollAt, statisticsAt, pauseUntil } = this.#schedule;
    const at = busy ? now : Math.min(pollAt, statisticsAt, this.#outlets.nextAt);
    const delay = Math.max(at, pauseUntil) - now;
    if (delay <= 0) this.wake();
    else this.#timer.set(delay);
  }

  get #disarming(): Outlet | undefined {
    if (this.#disarmFailed || !this.#detector.isFine) return undefined;
    return this.#outlets.toDisarm;
  }

  async #pollNow(began: number): Promise<void> {
    const asked = this.#asked;
    this.#asked = false;
    try {
      const seen = await this.client.read();
      const now = this.#clock.now();
      this.#seen(seen, { now, asked, interrupted: !this.#detector.isFine, expected: undefined });
      this.#exchanged(began, undefined);
      this.#schedule.polled(now);
    } catch (error) {
      const failure = this.#exchanged(began, error);
      if (failure !== undefined) this.#failed(failure);
    }
  }

  async #readStatistics(): Promise<void> {
    this.#schedule.statisticsRead(this.#clock.now());
    if (this.state?.availability !== 'online') return;
    try {
      const seen = await this.client.readStatistics(this.#outlets.wantsMonthsSince);
      this.#outlets.observeStatistics(seen, await this.#clockSync.check(seen));
    } catch (error) {
      // The next poll shows whether the plug is gone.
      const { message } = this.#failures.of(error);
      this.#options.log.debug({ plug: this.path, detail: message }, 'statistics not read');
    }
  }

  #seen(seen: Observation, answer: Answer): void {
    this.identify();
    if (this.state?.problem === 'duplicate') return;
    if (!this.#outlets.fit(seen) && !this.#becomesStrip(seen)) {
      this.#unsupported(seen);
      return;
    }
    if (this.state?.availability === 'offline')
      this.#options.log.info({ plug: this.path, was: this.state.problem }, 'plug is back');
    this.#detector.succeeded();
    this.#schedule.pauseUntil = 0;
    this.#disarmFailed = false;
    this.#failures.clear();
    this.#outlets.observe(seen, answer);
  }

  /** Whether it is a strip that was not known to be one, and now has its outlets. */
  #becomesStrip({ sysinfo: { kind, outlets } }: Observation): boolean {
    if (kind !== 'strip' || outlets.length === 0 || this.outletIds.length > 0) return false;
    const ids = outlets.map(({ id }) => id);
    const former = this.#outlets;
    former.settleAll(WAS_STRIP, false);
    this.#outlets = this.#outletsWith(ids);
    this.#options.log.info(
      { plug: this.path, outlets: ids.length },
      'it is a strip: each outlet has its path',
    );
    this.#options.becameStrip(former.all, ids);
    return true;
  }

  /** No plug answers, or a strip whose outlets cannot be told apart: said once, polled rarely, never switched. */
  #unsupported(seen: Observation): void {
    const { intervalMs, backoffMaxMs } = this.#poll;
    this.#schedule.failed(this.#clock.now(), Math.max(intervalMs, backoffMaxMs));
    this.#outlets.observeUnsupported(seen);
  }

  #failed(error: PlugError): void {
    if (!this.#running) return;
    const { state } = this;
    const { waitMs, gone } = this.#detector.failed(error, state?.availability === 'online');
    const { reason } = this.#detector;
    this.#schedule.failed(this.#clock.now(), waitMs);
    if (!gone || (state?.availability === 'offline' && state.problem === reason)) return;
    this.client.forget();
    this.#options.log.warn({ plug: this.path, reason, detail: error.message }, 'plug is offline');
    this.#outlets.goOffline(reason);
  }

  #exchanged(began: number, error: unknown): PlugError | undefined {
    const failure = error === undefined ? undefined : this.#failures.of(error);
    this.#options.exchanged(began, failure);
    return failure;
  }
}
