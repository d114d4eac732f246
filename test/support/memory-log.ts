import { type Logger, pino } from 'pino';

/** One line of the log, as written. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** A log that is kept in memory, for tests that read it. */
export function memoryLog(level = 'debug'): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino({ level, base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

export const quietLog: Logger = pino({ level: 'silent' });
