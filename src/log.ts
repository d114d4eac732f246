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

/** The log of the whole program, a line at a time to `print`: for people, or one JSON object a line. */
export async function createLog(
  { level, format }: LogOptions,
  print: (line: string) => void,
): Promise<Logger> {
  const options = { level, base: null, redact: REDACT };
  if (format === 'json') return pino(options, { write: (line) => print(line.trimEnd()) });
  const { prettyFactory } = await import('pino-pretty');
  const prettify = prettyFactory({ translateTime: 'SYS:HH:MM:ss', colorize: true });
  return pino(options, { write: (line) => print(prettify(line).trimEnd()) });
}
