import { type Logger, pino } from 'pino';
import { REDACTIONS, redactValue } from './redaction.ts';

export interface LogOptions {
  readonly level: string;
  readonly format: 'pretty' | 'json';
}

/** What must never stand in a log, should it ever come near one, at the top of a line or one level down. */
const REDACT = {
  paths: [...REDACTIONS.keys()].flatMap((key) => [key, `*.${key}`]),
  censor: (value: unknown, path: string[]) => redactValue(path.at(-1) ?? '', value),
};

/** The log of the whole program, to standard error: for people on a terminal, else one JSON object a line. */
export async function createLog({ level, format }: LogOptions): Promise<Logger> {
  const options = { level, base: null, redact: REDACT };
  const stderr = { dest: 2, sync: true };
  if (format === 'json') return pino(options, pino.destination(stderr));
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss', colorize: true }));
}
