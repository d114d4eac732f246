import type { PlugState } from '../bridge/plug-state.ts';
import type { Clock, Timer } from '../runtime/clock.ts';

/** The statistics of a plug follow its first answer: it is not reported for so long at most. */
const LONGEST_MS = 500;

/**
 * Holds the first report of a plug back until the energy of the day and the month has been read, so that it is
 * complete: they would be unknown for a moment at each start.
 */
export class FirstReports {
  readonly #clock: Clock;
  readonly #timer: Timer;
  /** Until when plugs are held back, in the order in which they are let go. */
  readonly #until = new Map<string, number>();
  #isArmed = false;

  /** Calls `due` with each plug that has been held back for long enough. */
  constructor(clock: Clock, due: (path: string) => void) {
    this.#clock = clock;
    this.#timer = clock.timer(() => {
      this.#isArmed = false;
      const now = clock.now();
      for (const [path, until] of this.#until) if (until <= now) due(path);
      this.#arm();
    });
  }

  /** Whether a plug of which nothing has been reported is to be held back for now. */
  holds(plug: PlugState): boolean {
    if (isComplete(plug)) return false;
    const now = this.#clock.now();
    const until = this.#until.get(plug.path) ?? now + LONGEST_MS;
    this.#until.set(plug.path, until);
    this.#arm();
    return until > now;
  }

  /** Does not hold back, or no longer, a plug of which nothing has been reported. */
  release(path: string): void {
    this.#until.set(path, 0);
  }

  /** The plug has been reported, or is no more. */
  forget(path: string): void {
    this.#until.delete(path);
  }

  stop(): void {
    this.#timer.clear();
  }

  #arm(): void {
    if (this.#isArmed) return;
    const now = this.#clock.now();
    for (const until of this.#until.values()) {
      if (until <= now) continue;
      this.#isArmed = true;
      this.#timer.set(until - now);
      return;
    }
  }
}

/** Whether nothing more is about to be known: it is away, has no meter, or its statistics have been read. */
function isComplete({ availability, info, energyToday, cloud, clock }: PlugState): boolean {
  return (
    availability !== 'online' ||
    info?.hasMeter !== true ||
    energyToday !== null ||
    cloud !== null ||
    clock !== null
  );
}
