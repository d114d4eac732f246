import type { Clock, Timer } from '../runtime/clock.ts';

/**
 * Between two steps. Home Assistant carries each out in its own time, entity by entity, and drops parts of a device
 * message that arrives meanwhile.
 */
const STEP_MS = 1000;

export interface MigrationOptions {
  readonly clock: Clock;
  readonly send: (topic: string, payload: string) => void;
}

interface Migrating {
  readonly topics: readonly string[];
  announce: () => void;
  /** Whether the former announcements are withdrawn already. */
  isWithdrawn: boolean;
  dueAt: number;
}

/**
 * Takes devices from one form of announcement to the other without a loss of ids. Home Assistant is asked to let go of
 * the former announcements, they are withdrawn, and only then the new one is made: the other way round it would
 * complain about two that conflict.
 */
export class Migration {
  readonly #options: MigrationOptions;
  readonly #timer: Timer;
  readonly #devices = new Map<string, Migrating>();

  constructor(options: MigrationOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#advance());
  }

  /** Begins with a device that is announced on `topics`; calls `announce` when it may be announced anew. */
  begin(id: string, topics: readonly string[], announce: () => void): void {
    for (const topic of topics) this.#options.send(topic, '{"migrate_discovery":true}');
    const dueAt = this.#options.clock.now() + STEP_MS;
    this.#devices.set(id, { topics, announce, isWithdrawn: false, dueAt });
    if (this.#devices.size === 1) this.#timer.set(STEP_MS);
  }

  /** Calls `announce` at the end instead of what was to be called; false if the device is not on its way. */
  replace(id: string, announce: () => void): boolean {
    const device = this.#devices.get(id);
    if (device !== undefined) device.announce = announce;
    return device !== undefined;
  }

  /** Forgets what is under way: it begins again once the broker has said what it retains. */
  clear(): void {
    this.#devices.clear();
    this.#timer.clear();
  }

  #advance(): void {
    const now = this.#options.clock.now();
    for (const [id, device] of this.#devices) {
      if (device.dueAt > now) continue;
      if (device.isWithdrawn) {
        this.#devices.delete(id);
        device.announce();
        continue;
      }
      for (const topic of device.topics) this.#options.send(topic, '');
      device.isWithdrawn = true;
      device.dueAt = now + STEP_MS;
    }
    const next = Math.min(...[...this.#devices.values()].map(({ dueAt }) => dueAt));
    if (Number.isFinite(next)) this.#timer.set(next - now);
  }
}
