import type { Logger } from 'pino';
import type { Reason } from '../errors.ts';
import { whyUnsupported } from '../plug/answers.ts';
import type { Observation } from '../plug/plug-client.ts';
import type { Month, Statistics } from '../plug/statistics.ts';
import { isSwitchedAsOne } from '../protocol/replies.ts';
import type { Clock } from '../runtime/clock.ts';
import { isEventful } from './adaptive-interval.ts';
import type { ClockState } from './clock-sync.ts';
import type { Settlement } from './command.ts';
import { MOST_PUT_BACK } from './correction.ts';
import { CORRECTION, type Sending } from './desired.ts';
import { type Answer, Outlet, type OutletSpec } from './outlet.ts';
import type { PlugState } from './plug-state.ts';

/** How wishes end for a plug that turns out to be a strip. */
export const WAS_STRIP: Settlement = {
  outcome: 'failed',
  reason: 'it turned out to be a strip, a place whose outlets are the plugs: send it again',
};

/** What may be sent to an outlet. */
export interface Due {
  readonly outlet: Outlet;
  readonly sending: Sending;
}

/** What outlets need from the loop of their device. */
export interface OutletsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly changed: (after: PlugState, before: PlugState, asked: boolean) => void;
  readonly remember: (outlet: Outlet) => void;
  /** Something happened to one of them: what follows is of interest. */
  readonly eventful: () => void;
}

/** The outlets of one device, which share its address and answer together. */
export class Outlets {
  readonly all: readonly Outlet[];
  readonly #log: Logger;

  constructor(specs: readonly OutletSpec[], options: OutletsOptions) {
    this.#log = options.log;
    this.all = specs.map((spec) => outletWith(spec, options));
  }

  /** From now on they have those paths and policies, in the same order. */
  configure(specs: readonly OutletSpec[]): void {
    specs.forEach((spec, index) => {
      this.all[index]?.configure(spec);
    });
  }

  /** What may be sent now: the oldest wish of any outlet, else a correction. */
  next(now: number): Due | undefined {
    let next: Due | undefined;
    for (const outlet of this.all) {
      const sending = outlet.ready(now);
      if (sending !== undefined && (next === undefined || goesBefore(sending, next.sending)))
        next = { outlet, sending };
    }
    return next;
  }

  /** What may be sent to other outlets along with that, because it is the same; a toggle is each one's own. */
  alike({ outlet, sending: { relay, led, light } }: Due, now: number): Due[] {
    if (this.all.length === 1 || relay === 'toggle' || light !== undefined) return [];
    return this.all.flatMap((other) => {
      const sending = other === outlet ? undefined : other.ready(now);
      const isSame =
        sending !== undefined &&
        sending.relay === relay &&
        sending.led === led &&
        sending.light === undefined;
      return isSame ? [{ outlet: other, sending }] : [];
    });
  }

  /** Whether the device that answers is what these are the outlets of. */
  fit({ sysinfo: { kind } }: Observation): boolean {
    return this.all[0]?.id === null ? isSwitchedAsOne(kind) : kind === 'strip';
  }

  /** When there is something to be sent next; infinite for never. */
  get nextAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const outlet of this.all) at = Math.min(at, outlet.nextAt);
    return at;
  }

  /** Settles the wishes whose time is over, for that `reason`; returns when the next one's will be. */
  advance(now: number, reason: string): number {
    let at = Number.POSITIVE_INFINITY;
    for (const outlet of this.all) {
      outlet.advance(now, reason);
      at = Math.min(at, outlet.expiresAt);
    }
    return at;
  }

  /** One for which the plug's own countdown must be taken off it. */
  get toDisarm(): Outlet | undefined {
    return this.all.find(({ mustDisarm }) => mustDisarm);
  }

  /** The device has answered. */
  observe(seen: Observation, answer: Answer): void {
    for (const outlet of this.all) {
      outlet.retryNow();
      const before = outlet.putBack;
      const { lamp } = outlet.state;
      outlet.observe(outlet.readingIn(seen), answer);
      if (outlet.state.lamp !== lamp) this.#logLamp(outlet.state);
      if (outlet.putBack === MOST_PUT_BACK && before < MOST_PUT_BACK)
        this.#log.warn({ plug: outlet.path }, 'switched at the plug again and again; left alone after this');
    }
  }

  #logLamp({ path, lamp, power }: PlugState): void {
    if (lamp === null) return;
    if (lamp === 'ok') this.#log.info({ plug: path, power }, 'the lamp is as it should be');
    else this.#log.warn({ plug: path, lamp, power }, 'the lamp is not as it should be');
  }

  /** A strip answers whose outlets cannot be told apart, or no plug at all: what it reports is not that of one outlet, and it takes no command. */
  observeUnsupported(seen: Observation): void {
    const { kind, model } = seen.sysinfo;
    const [first] = this.all;
    if (first !== undefined && first.state.problem !== 'unsupported')
      this.#log.warn(
        { plug: first.path, model, reason: whyUnsupported(kind) },
        'this device is neither read nor switched',
      );
    for (const outlet of this.all) {
      outlet.observeUnsupported(seen);
      outlet.settleAll({ outcome: 'refused', reason: whyUnsupported(kind) }, true);
    }
  }

  /** The month since which the plug's statistics are wanted, if it may be another than this one. */
  get wantsMonthsSince(): Month | undefined {
    let since: number | undefined;
    for (const { meter } of this.all) since = meter.wantsDaysSince ?? since;
    // A day earlier: the plug may be in any time zone.
    const date = since === undefined ? undefined : new Date(since - DAY_MS);
    return date && { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1 };
  }

  /** What changes slowly was read. */
  observeStatistics(seen: Statistics, clock: ClockState | null): void {
    for (const outlet of this.all)
      outlet.observeStatistics(
        outlet.id === null ? seen : { ...seen, ...seen.outlets?.get(outlet.id) },
        clock,
      );
  }

  /** The device may be reached again. */
  retryNow(): void {
    for (const outlet of this.all) outlet.retryNow();
  }

  /** The device is offline, or cannot be used. */
  goOffline(problem: Reason): void {
    for (const outlet of this.all) outlet.goOffline(problem);
  }

  /** Ends all wishes alike, but for the one in flight if `spareInFlight`. */
  settleAll(settlement: Settlement, spareInFlight: boolean): void {
    for (const outlet of this.all) outlet.settleAll(settlement, spareInFlight);
  }
}

function outletWith(spec: OutletSpec, { clock, changed, remember, eventful }: OutletsOptions): Outlet {
  const outlet: Outlet = new Outlet({
    ...spec,
    clock,
    changed: (after, before, asked) => {
      if (isEventful(before, after)) eventful();
      changed(after, before, asked);
    },
    remember: () => remember(outlet),
  });
  return outlet;
}

const DAY_MS = 86_400_000;

/** Whether what is sent goes before something else: older wishes first, corrections last. */
function goesBefore({ id }: Sending, other: Sending): boolean {
  return id !== CORRECTION && (other.id === CORRECTION || id < other.id);
}
