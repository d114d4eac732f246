import { InvalidArgumentError } from 'commander';
import { endpoint } from '../config/types.ts';
import type { Address } from '../plug/transport.ts';
import { parseDuration } from '../runtime/duration.ts';

const plugEndpoint = endpoint(9999);

/** Reads `host` or `host:port` of a plug; the port is 9999 if it is left out. */
export function plugAddress(text: string): Address {
  const address = plugEndpoint.read(text);
  if (address !== undefined && address.port > 0) return address;
  throw new InvalidArgumentError(`It must be ${plugEndpoint.expects}.`);
}

/** Reads a duration with its unit, or a number of seconds, into milliseconds. */
export function seconds(leastMs: number, mostMs: number): (text: string) => number {
  return (text) => {
    const ms = parseDuration(/^[\d.]+$/.test(text.trim()) ? `${text}s` : text);
    if (ms !== undefined && ms >= leastMs && ms <= mostMs) return ms;
    throw new InvalidArgumentError(
      `It must be a duration such as 5s or 500ms, from ${leastMs} ms to ${mostMs / 1000} s.`,
    );
  };
}

/** Reads a whole number within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** The part of a verb's help that shows how it is used. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}
