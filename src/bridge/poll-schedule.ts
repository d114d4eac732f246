import { AdaptiveInterval, type IntervalSettings } from './adaptive-interval.ts';

/** How often a device is asked; milliseconds. */
export interface ScheduleSettings extends IntervalSettings {
  /** How often its statistics, clock and cloud are read. */
  readonly statisticsMs: number;
}

/** Nothing is sent for so long after an exchange that failed: plugs need a pause after a time-out. */
const PAUSE_MS = 1000;

/** Devices that are polled first within this time are few enough for their statistics to be read at once. */
const SMALL_SITE_MS = 500;

const NEVER = Number.POSITIVE_INFINITY;

/** When one device is asked next. Times are those of `clock.now()`. */
export class PollSchedule {
  #settings: ScheduleSettings;
  readonly #interval: AdaptiveInterval;
  /** When the next poll is due. */
  pollAt = NEVER;
  /** When the statistics are to be read next. */
  statisticsAt = NEVER;
  /** Nothing is sent before. */
  pauseUntil = 0;

  constructor(settings: ScheduleSettings) {
    this.#settings = settings;
    this.#interval = new AdaptiveInterval(settings);
  }

  /** From now on it goes by those settings; what is due later than they say comes sooner. */
  configure(settings: ScheduleSettings, now: number): void {
    this.#settings = settings;
    this.#interval.configure(settings);
    this.pollBy(now + this.#interval.intervalAt(now));
    this.statisticsAt = Math.min(this.statisticsAt, now + settings.statisticsMs);
  }

  /** Begins: the first poll after `phaseMs`, the statistics after it; on a large site after those of other devices. */
  start(now: number, phaseMs: number): void {
    this.pollAt = now + phaseMs;
    this.statisticsAt = this.pollAt + (phaseMs < SMALL_SITE_MS ? 0 : 10 * phaseMs);
  }

  /** The device was polled. The grid of polls stays where it is; what was missed is not made up for. */
  polled(now: number): void {
    const intervalMs = this.#interval.intervalAt(now);
    const late = now - this.pollAt;
    if (late >= 0) this.pollAt += (1 + Math.floor(late / intervalMs)) * intervalMs;
  }

  statisticsRead(now: number): void {
    this.statisticsAt = now + this.#settings.statisticsMs;
  }

  /** Something has happened to the device: it is polled fast for a while. */
  boost(now: number): void {
    this.pollBy(this.#interval.boost(now));
  }

  /** The next poll is due then at the latest. */
  pollBy(at: number): void {
    this.pollAt = Math.min(this.pollAt, at);
  }

  /** An exchange failed; the next poll is due in `waitMs`. */
  failed(now: number, waitMs: number): void {
    this.pauseUntil = now + Math.min(PAUSE_MS, waitMs);
    this.pollAt = now + waitMs;
  }
}
