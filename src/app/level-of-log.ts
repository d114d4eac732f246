import type { Logger } from 'pino';
import type { AdjustableLevel, LogLevel } from '../runtime/log-level.ts';

/** The level of the program's log. */
export class LevelOfLog implements AdjustableLevel {
  readonly #log: Logger;
  readonly #listeners: ((level: LogLevel) => void)[] = [];
  #level: LogLevel;

  /** `level` is the one that the log has so far. */
  constructor(log: Logger, level: LogLevel) {
    this.#log = log;
    this.#level = level;
  }

  get level(): LogLevel {
    return this.#level;
  }

  set(level: LogLevel): void {
    if (level === this.#level) return;
    this.#level = level;
    this.#log.level = level;
    this.#log.info({ level }, 'the level of the log was set');
    for (const listener of this.#listeners) listener(level);
  }

  onChange(listener: (level: LogLevel) => void): void {
    this.#listeners.push(listener);
  }
}
