import type { Logger } from 'pino';
import { PlugError } from '../errors.ts';
import type { PlugClient } from '../plug/plug-client.ts';
import type { Statistics } from '../plug/statistics.ts';
import type { PlugTime } from '../protocol/replies.ts';
import { indexOfZone, localTime, secondsAhead, zoneOfIndex } from '../protocol/time-zones.ts';
import type { Clock } from '../runtime/clock.ts';

/** How a plug's clock stands: within the tolerance, beyond it, or not set since the plug booted. */
export type ClockState = 'right' | 'wrong' | 'unset';

/** What to do about plugs whose clock is wrong. */
export interface ClockSyncSettings {
  /** Set a clock that is wrong. */
  readonly enabled: boolean;
  /** How far a clock may be off. */
  readonly toleranceMs: number;
  /** The zone of the site, as `Europe/Berlin`; `undefined` leaves each plug in its own. */
  readonly timeZone?: string | undefined;
}

export interface ClockSyncOptions {
  /** What the plug is called in the log. */
  readonly path: () => string;
  readonly client: PlugClient;
  readonly clockSync: ClockSyncSettings;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Watches one plug's clock: its statistics of day and month depend on it, and an isolated plug has no time server. */
export class ClockSync {
  readonly #options: ClockSyncOptions;
  #last: ClockState | undefined;
  /** The plug refused or ignored the time it was set to: it is not set again until its clock was right. */
  #cannotBeSet = false;

  constructor(options: ClockSyncOptions) {
    this.#options = options;
  }

  /**
   * Says how the plug's clock stands in the zone of the site, else in its own; `null` if it did not say. Sets it if
   * it is wrong and that is wanted; rejects with a PlugError if the plug is lost over it.
   */
  async check({ time, clockSet, zone }: Statistics): Promise<ClockState | null> {
    const timeZone = this.#options.clockSync.timeZone ?? (zone === undefined ? undefined : zoneOfIndex(zone));
    if (time === undefined) return null;
    if (timeZone === undefined) return clockSet === false ? 'unset' : null;
    const aheadS = this.#aheadS(time, timeZone);
    const state = clockSet === false ? 'unset' : this.#isRight(aheadS) ? 'right' : 'wrong';
    this.#report(state, aheadS);
    if (state === 'right') this.#cannotBeSet = false;
    else if (this.#options.clockSync.enabled && !this.#cannotBeSet) return this.#set(state, timeZone, zone);
    return state;
  }

  #aheadS(time: PlugTime, timeZone: string): number {
    return Math.round(secondsAhead(time, timeZone, this.#options.clock.date()));
  }

  #isRight(aheadS: number): boolean {
    return Math.abs(aheadS) * 1000 <= this.#options.clockSync.toleranceMs;
  }

  #report(state: ClockState, aheadS: number): void {
    const { path, log, clockSync } = this.#options;
    if (state === this.#last) return;
    const cure = clockSync.enabled ? 'it is set' : 'set clock.sync: true, or give it a time server';
    if (state === 'unset')
      log.warn({ plug: path(), cure }, "the plug's clock is not set: it books no energy by day and month");
    else if (state === 'wrong') log.warn({ plug: path(), aheadS, cure }, "the plug's clock is wrong");
    else if (this.#last !== undefined) log.info({ plug: path() }, "the plug's clock is right again");
    this.#last = state;
  }

  /** Sets the clock, in the plug's zone of that index if it knows none with the same time; says how it then stands. */
  async #set(state: ClockState, timeZone: string, zone: number | undefined): Promise<ClockState> {
    const { client, clock } = this.#options;
    const index = indexOfZone(timeZone, clock.date()) ?? zone;
    if (index === undefined) return this.#giveUp(state, `the plug has no zone like ${timeZone}`);
    try {
      const shown = await client.setTime(localTime(timeZone, clock.date()), index);
      const aheadS = this.#aheadS(shown, timeZone);
      if (!this.#isRight(aheadS))
        return this.#giveUp(state, 'it took the time, and shows its own all the same');
    } catch (error) {
      if (!(error instanceof PlugError) || error.reason !== 'plug-error') throw error;
      return this.#giveUp(state, error.message);
    }
    this.#report('right', 0);
    return 'right';
  }

  #giveUp(state: ClockState, detail: string): ClockState {
    const { path, log } = this.#options;
    this.#cannotBeSet = true;
    const cure = 'hardware 1 takes its time from time servers only: let it reach one';
    log.warn({ plug: path(), detail, cure }, "the plug's clock cannot be set");
    return state;
  }
}
