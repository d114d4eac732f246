import type { PlugError, Reason } from '../errors.ts';
import { backoff } from '../runtime/backoff.ts';

/** When a plug counts as offline, and how often it is tried then. */
export interface OfflineSettings {
  readonly intervalMs: number;
  /** Exchanges that fail in a row before the plug counts as offline. */
  readonly offlineAfter: number;
  /** The longest wait between polls of a plug that is offline. */
  readonly backoffMaxMs: number;
}

/** Reasons that a single failure proves. */
const CERTAIN: ReadonlySet<Reason> = new Set([
  'wrong-plug',
  'newer-firmware',
  'login-refused',
  'not-found',
  'unsupported',
]);

/** Counts the failures of one plug in a row: says when it is offline, and when to poll it next. */
export class OfflineDetector {
  #settings: OfflineSettings;
  readonly #random: () => number;
  #fails = 0;
  /** How often the plug was waited for since it counts as offline. */
  #waits = 0;
  /** Why the last exchange failed. */
  reason: Reason = 'timeout';
  /** The plug was found, but speaks what this program does not: that is why it fails. */
  hasNewerFirmware = false;

  constructor(settings: OfflineSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
  }

  /** From now on it goes by those settings. */
  configure(settings: OfflineSettings): void {
    this.#settings = settings;
  }

  /** Whether the last exchange went well. */
  get isFine(): boolean {
    return this.#fails === 0;
  }

  /** An exchange went well. */
  succeeded(): void {
    this.#fails = 0;
    this.#waits = 0;
    this.hasNewerFirmware = false;
  }

  /**
   * An exchange failed. Says how long to wait for the next poll, and whether the plug is to count as offline:
   * after several failures, but at once if it was not online before or there is no doubt about the reason.
   */
  failed(error: PlugError, wasOnline: boolean): { waitMs: number; gone: boolean } {
    const { intervalMs, offlineAfter, backoffMaxMs } = this.#settings;
    this.#fails++;
    this.reason = this.hasNewerFirmware && error.reason !== 'wrong-plug' ? 'newer-firmware' : error.reason;
    const certain = !wasOnline || CERTAIN.has(this.reason);
    if (!certain && this.#fails < offlineAfter) return { waitMs: intervalMs, gone: false };
    return {
      waitMs: backoff(this.#waits++, intervalMs, Math.max(intervalMs, backoffMaxMs), this.#random),
      gone: true,
    };
  }
}
