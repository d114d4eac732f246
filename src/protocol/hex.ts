import { ProtocolError } from '../errors.ts';
import { FULL_LINE, readDumpEnd, readDumpLine } from './hex-dump.ts';

/**
 * Reads the bytes that a text stands for, in any form in which people paste them: hexadecimal with or without
 * blanks, `0x` and commas, `\x` escapes, a list of decimals, or the dump of Wireshark, tshark, xxd, hexdump, od
 * or tcpdump with its offsets and text column. Throws ProtocolError that names what is not hexadecimal.
 */
export function readHex(text: string): Buffer {
  if (text.trim() === '') throw new ProtocolError('there is nothing to decode');
  refuseJson(text);
  const digits =
    readDump(text) ?? readEscapes(text) ?? readPrefixed(text) ?? readDecimals(text) ?? readDigits(text);
  return Buffer.from(digits, 'hex');
}

function refuseJson(text: string): void {
  if (!/^\s*\{\s*["}]/.test(text) || /"type"\s*:\s*"Buffer"/.test(text)) return;
  throw new ProtocolError('this is JSON already, not what travels to a plug: `encode` turns it into that');
}

/** The lines of a dump with offsets in front; `undefined` if it is none. */
function readDump(text: string): string | undefined {
  const lines = text.split(/\r?\n|\r/).filter((line) => line.trim() !== '');
  const dumped = lines.flatMap((line) => readDumpLine(line) ?? []);
  const [first] = dumped;
  if (first === undefined || (dumped.length === 1 && first.offset !== 0 && !first.marked)) return undefined;
  if (lines.some((line) => line.trim() === '*'))
    throw new ProtocolError('the dump leaves out repeated lines (`*`): make it with `hexdump -vC`');
  const offsets = [
    ...dumped.map(({ offset }) => offset),
    ...lines.flatMap((line) => readDumpEnd(line) ?? []),
  ];
  let digits = '';
  let width = FULL_LINE;
  for (const [index, line] of dumped.entries()) {
    const bytes = (offsets[index + 1] ?? 0) - line.offset;
    if (bytes > 0) width = bytes;
    digits += line.digits(width);
  }
  return digits;
}

const NAMED_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['a', 7],
  ['b', 8],
  ['v', 11],
  ['f', 12],
  ['e', 27],
]);

/** Text of a program: `b'\x00\x00\x00*\xd0'`, several literals in a row too. */
function readEscapes(text: string): string | undefined {
  if (!/\\x[0-9a-f]/i.test(text)) return undefined;
  const literals = quotedIn(text);
  const inside = literals.length === 0 ? text.trim() : literals.join('');
  const parts = inside.matchAll(/\\x([0-9a-f]{1,2})|\\([0-7]{1,3})|\\\r?\n|\\(.)|(.)/gis);
  const bytes = [...parts].flatMap(([, hex, octal, escaped, plain]) => {
    if (hex !== undefined) return Number.parseInt(hex, 16);
    if (octal !== undefined) return Number.parseInt(octal, 8) & 0xff;
    if (escaped !== undefined) return NAMED_ESCAPES.get(escaped) ?? [...Buffer.from(escaped, 'utf8')];
    return plain === undefined ? [] : [...Buffer.from(plain, 'utf8')];
  });
  return Buffer.from(bytes).toString('hex');
}

/** What stands between quotes. A quote that is not closed has no partner further on either: each character is read once. */
function quotedIn(text: string): string[] {
  const literals: string[] = [];
  const unclosed = new Set<string>();
  for (let at = 0; at < text.length; at++) {
    const quote = text[at] ?? '';
    if ((quote !== '"' && quote !== "'") || unclosed.has(quote)) continue;
    const end = closingQuote(text, at + 1, quote);
    if (end === undefined) unclosed.add(quote);
    else {
      literals.push(text.slice(at + 1, end));
      at = end;
    }
  }
  return literals;
}

function closingQuote(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === quote) return at;
    if (text[at] === '\\') at++;
  }
  return undefined;
}

/** `0x00,0x2a`, also as an array in C with its declaration and comments. */
function readPrefixed(text: string): string | undefined {
  if (!/\b0x[0-9a-f]/i.test(text)) return undefined;
  const code = withoutComments(text);
  const arrays = arraysIn(code);
  return joined(
    (arrays.length === 0 ? code : arrays.join(' ')).split(/[\s,;{}()[\]]+/),
    (token) => /^0x([0-9a-f]+)$/i.exec(token)?.[1],
  );
}

function withoutComments(code: string): string {
  const kept: string[] = [];
  const lastEnd = code.lastIndexOf('*/');
  let at = 0;
  for (const { 0: opening, index } of code.matchAll(/\/\*|\/\//g)) {
    // What is not closed is no comment.
    if (index < at || (opening === '/*' && lastEnd < index + 2)) continue;
    const end = code.indexOf(opening === '/*' ? '*/' : '\n', index + 2);
    kept.push(code.slice(at, index));
    at = end < 0 ? code.length : end + (opening === '/*' ? 2 : 0);
  }
  return [...kept, code.slice(at)].join(' ');
}

/** What stands between the braces of arrays in C. */
function arraysIn(code: string): string[] {
  const arrays: string[] = [];
  let at = 0;
  for (const { 0: opening, index } of code.matchAll(/=\s*\{/g)) {
    if (index < at) continue;
    const end = code.indexOf('}', index);
    if (end < 0) break;
    arrays.push(code.slice(index + opening.length, end));
    at = end;
  }
  return arrays;
}

/** A list of decimals, as a buffer prints as JSON; only where it cannot be hexadecimal. */
function readDecimals(text: string): string | undefined {
  const list = dataIn(text) ?? text;
  const tokens = list.split(/[\s,[\]]+/).filter((token) => token !== '');
  const decimal = tokens.every((token) => /^(?:0|[1-9]\d{0,2})$/.test(token) && Number(token) <= 255);
  if (!decimal || (list === text && !tokens.some((token) => token.length === 3))) return undefined;
  return Buffer.from(tokens.map(Number)).toString('hex');
}

/** The list in a buffer that was printed as JSON. */
function dataIn(text: string): string | undefined {
  const opening = /"data"\s*:\s*\[/.exec(text);
  if (opening === null) return undefined;
  const from = opening.index + opening[0].length;
  const end = text.indexOf(']', from);
  return end < 0 ? undefined : text.slice(from, end);
}

/** Hexadecimal digits, a byte or several at a time, with whatever people put between them. */
function readDigits(text: string): string {
  const bare = withoutEnding(text.replace(/^\s*<Buffer\s/, ''));
  return joined(bare.split(/[\s,;:|_-]+/), (token) => /^[0-9a-f]+$/i.exec(token)?.[0]);
}

const MORE_BYTES = ' more bytes';

/** Leaves out what is printed for bytes that are not shown: `…`, `...`, `>`, `50 more bytes`. */
function withoutEnding(text: string): string {
  let end = text.length;
  for (let cut = endingBefore(text, end); cut > 0; cut = endingBefore(text, end)) end -= cut;
  return text.slice(0, end);
}

/** How many characters in front of `end` stand for bytes that are not shown. */
function endingBefore(text: string, end: number): number {
  if (text.endsWith(MORE_BYTES, end)) {
    const digits = countBack(text, end - MORE_BYTES.length, /\d/);
    return digits === 0 ? 0 : digits + MORE_BYTES.length;
  }
  const dots = countBack(text, end, /\./);
  return dots >= 2 ? dots : countBack(text, end, /[\s…>]/);
}

/** How many characters in a row in front of `end` are of a kind. */
function countBack(text: string, end: number, kind: RegExp): number {
  let at = end;
  while (at > 0 && kind.test(text[at - 1] ?? '')) at--;
  return end - at;
}

function joined(tokens: readonly string[], digitsOf: (token: string) => string | undefined): string {
  let all = '';
  for (const token of tokens) {
    if (token === '') continue;
    const digits = digitsOf(token);
    if (digits === undefined) throw new ProtocolError(`${shown(token)} is not hexadecimal`);
    if (digits.length > 1 && digits.length % 2 === 1)
      throw new ProtocolError(`${shown(token)} has an odd number of digits: a byte has two`);
    all += digits.length === 1 ? `0${digits}` : digits;
  }
  if (all === '') throw new ProtocolError('there is nothing to decode');
  return all;
}

function shown(token: string): string {
  return token.length > 24 ? `${JSON.stringify(token.slice(0, 24))}…` : JSON.stringify(token);
}
