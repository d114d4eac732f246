import { type Logger, pino } from 'pino';
import { printable, printableJson } from './printable.ts';
import { redact } from './redaction.ts';

export interface LogOptions {
  readonly level: string;
  readonly format: 'pretty' | 'json';
}

/** Characters of one text that are shown; some of them were chosen by others. */
const LONGEST_TEXT = 1000;
const LONGEST_STACK = 4000;

/**
 * The log of the whole program, a line at a time to `print`: for people, or one JSON object a line. Whatever is in
 * it, at any depth, is redacted, of bounded length, and free of what would act upon a terminal or forge a line.
 */
export async function createLog(
  { level, format }: LogOptions,
  print: (line: string) => void,
): Promise<Logger> {
  const form = format === 'json' ? printableJson : await prettyForm();
  const write = (json: string) => print(form(tidied(redact(JSON.parse(json)))));
  return pino({ level, base: null }, { write });
}

/** Loaded only where people read the log. */
async function prettyForm(): Promise<(line: unknown) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const prettify = prettyFactory({ translateTime: 'SYS:HH:MM:ss', colorize: true });
  return (line) => prettify(line).trimEnd();
}

function tidied(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return key === 'stack' ? tidiedStack(value) : tidiedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => tidied(item));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [tidiedText(name), tidied(inner, name)]),
  );
}

function tidiedText(text: string): string {
  return printable(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
}

/** Only the lines of its frames are lines: the message in front of them may hold foreign text. */
function tidiedStack(stack: string): string {
  const lines = stack.slice(0, LONGEST_STACK).split(/\n(?= {4}at )/);
  return lines.map(printable).join('\n');
}
