/** How much is logged, from all to nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level of the log, which may be another from one moment to the next. */
export interface AdjustableLevel {
  readonly level: LogLevel;
  set(level: LogLevel): void;
  /** Calls `listener` whenever it is another. */
  onChange(listener: (level: LogLevel) => void): void;
}
