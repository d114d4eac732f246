import type { AdjustableLevel, LogLevel } from '../../src/runtime/log-level.ts';

/** The level of a log that there is not. */
export function fakeLevel(): AdjustableLevel {
  let level: LogLevel = 'info';
  return {
    get level() {
      return level;
    },
    set(to) {
      level = to;
    },
    onChange: () => {},
  };
}
