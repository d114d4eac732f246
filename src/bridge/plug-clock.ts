import type { Logger } from 'pino';
import { PlugError } from '../errors.ts';
import type { PlugClient } from '../plug/plug-client.ts';
import type { Survey } from '../plug/survey.ts';
import type { PlugTime } from '../protocol/replies.ts';
import { secondsAhead } from '../protocol/time-zones.ts';
import type { Clock } from '../runtime/clock.ts';

/** How a plug's clock stands: within the tolerance, beyond it, or not set since the plug booted. */
export type ClockState = 'right' | 'wrong' | 'unset';

/** What to do about plugs whose clock is wrong. */
export interface ClockKeeping {
  /** Set a clock that is wrong. */
  readonly keep: boolean;
  /** How far a clock may be off. */
  readonly toleranceMs: number;
}

export interface PlugClockOptions {
  readonly path: string;
  readonly client: PlugClient;
  readonly clockKeeping: ClockKeeping;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Watches one plug's clock: its statistics of day and month depend on it, and an isolated plug has no time server. */
export class PlugClock {
  readonly #options: PlugClockOptions;
  #last: ClockState | undefined;

  constructor(options: PlugClockOptions) {
    this.#options = options;
  }

  /**
   * Says how the plug's clock stands, `null` if it did not say. Sets it if it is wrong and that is wanted;
   * rejects with a PlugError if the plug is lost over it.
   */
  async check({ time, clockSet, zone }: Survey): Promise<ClockState | null> {
    if (time === undefined) return null;
    const { clock, clockKeeping } = this.#options;
    const aheadS = Math.round(secondsAhead(time, localTime(clock.date())));
    const off = Math.abs(aheadS) * 1000 > clockKeeping.toleranceMs;
    const state = clockSet === false ? 'unset' : off ? 'wrong' : 'right';
    this.#report(state, aheadS);
    if (state !== 'right' && clockKeeping.keep && zone !== undefined) await this.#set(zone);
    return state;
  }

  #report(state: ClockState, aheadS: number): void {
    const { path, log, clockKeeping } = this.#options;
    if (state === this.#last) return;
    const cure = clockKeeping.keep ? 'it is set' : 'set clock.sync: true, or give it a time server';
    if (state === 'unset')
      log.warn({ plug: path, cure }, "the plug's clock is not set: it books no energy by day and month");
    else if (state === 'wrong') log.warn({ plug: path, aheadS, cure }, "the plug's clock is wrong");
    else if (this.#last !== undefined) log.info({ plug: path }, "the plug's clock is right again");
    this.#last = state;
  }

  async #set(zone: number): Promise<void> {
    const { path, client, clock, log } = this.#options;
    try {
      await client.setTime(localTime(clock.date()), zone);
    } catch (error) {
      if (!(error instanceof PlugError) || error.reason !== 'plug-error') throw error;
      log.info({ plug: path, detail: error.message }, "the plug's clock cannot be set");
    }
  }
}

/** The time that a clock on this machine's wall shows. */
function localTime(ms: number): PlugTime {
  const date = new Date(ms);
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
  };
}
