import { isUtf8 } from 'node:buffer';
import { PlugError } from '../errors.ts';
import { decryptInPlace } from './cipher.ts';
import { HEADER_BYTES, MAX_BODY_BYTES } from './frame.ts';
import { type JsonObject, nestsDeeper, objectEnd, parseObject } from './json.ts';

/** Something found in a row of bytes, in the words of this protocol. */
export interface Finding {
  readonly kind: 'frame' | 'datagram' | 'plain' | 'stray';
  /** Where it begins, and of how many bytes it is. */
  readonly at: number;
  readonly bytes: number;
  /** What it is and what is wrong with it, for a person. */
  readonly says: string;
  /** What it reads decrypted, as far as it goes; not for bytes that belong to no message. */
  readonly text: string | undefined;
  /** The JSON object in it, where there is a whole one. */
  readonly message: JsonObject | undefined;
}

/** Deeper JSON than this no plug sends; it cannot be printed either. */
const DEEPEST = 100;

/** `{` as the first byte of a message, encrypted. */
const ENCRYPTED_BRACE = 0xd0;

/** What may follow an opening brace, encrypted: `"`, `}`, blank, line feed, carriage return. */
const AFTER_BRACE: ReadonlySet<number> = new Set([0xf2, 0xad, 0xf0, 0xda, 0xdd]);

const PLAIN_BRACE = 0x7b;

/** Says what a row of bytes is made of, from its first byte to its last. Never throws. */
export function inspect(bytes: Buffer): Finding[] {
  const findings: Finding[] = [];
  for (let at = 0; at < bytes.length; ) {
    const found = message(bytes, at) ?? stray(bytes, at, findings.at(-1));
    findings.push(found);
    at += found.bytes;
  }
  return findings;
}

/** Bytes of the whole and readable frame that `bytes` begin with; `undefined` unless there is one. */
export function wholeFrame(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const end = HEADER_BYTES + bytes.readUInt32BE();
  if (end > bytes.length || end > HEADER_BYTES + MAX_BODY_BYTES) return undefined;
  return read(bytes.subarray(HEADER_BYTES, end)).message === undefined ? undefined : end;
}

function message(bytes: Buffer, at: number): Finding | undefined {
  const rest = bytes.subarray(at, at + HEADER_BYTES + MAX_BODY_BYTES);
  if (rest[HEADER_BYTES] === ENCRYPTED_BRACE && lengthOf(rest) !== undefined) return frame(rest, at);
  if (rest[0] === ENCRYPTED_BRACE) return datagram(rest, at);
  if (isPlain(rest)) return plain(rest, at, 0);
  if (at > 0) return undefined;
  if (isPlain(rest.subarray(HEADER_BYTES)) && lengthOf(rest) !== undefined)
    return plain(rest, at, HEADER_BYTES);
  // With the right length it is a frame, whatever it holds.
  return rest.length > HEADER_BYTES && rest.readUInt32BE() === rest.length - HEADER_BYTES
    ? frame(rest, at)
    : undefined;
}

/** The length in front of a body, if it may be one; written backwards it counts as one too. */
function lengthOf(rest: Buffer): { length: number; backwards: boolean } | undefined {
  if (rest.readUInt32BE() <= MAX_BODY_BYTES) return { length: rest.readUInt32BE(), backwards: false };
  return rest.readUInt32LE() <= MAX_BODY_BYTES ? { length: rest.readUInt32LE(), backwards: true } : undefined;
}

function frame(rest: Buffer, at: number): Finding {
  const { length, backwards } = lengthOf(rest) ?? { length: 0, backwards: false };
  const after = rest.subarray(HEADER_BYTES);
  const body = after.subarray(0, length === 0 ? undefined : length);
  const contents = read(body);
  const found = (bytes: number, says: string, { text, message }: Contents): Finding => ({
    kind: 'frame',
    at,
    bytes: HEADER_BYTES + bytes,
    says: backwards
      ? `${says}; the length is written backwards (little-endian), a plug reads it as ${rest.readUInt32BE()}`
      : says,
    text,
    message,
  });

  if (length === 0) {
    const whole = firstObject(after);
    const says = `TCP frame whose length is 0: its body ends where the connection ends (old firmware)`;
    return found(whole.bytes, whole.problem === '' ? says : `${says}; ${whole.problem}`, whole);
  }
  if (contents.problem === '') {
    if (body.length === length) return found(length, `TCP frame: the length says ${length}`, contents);
    const own = length === rest.length ? ': it seems to count its own 4 bytes' : '';
    return found(
      body.length,
      `TCP frame with a wrong length: it says ${length}, got ${body.length}${own}; a plug waits for the rest`,
      contents,
    );
  }
  const longer = at === 0 ? firstObject(after) : undefined;
  if (longer?.problem === '' && longer.bytes > length) {
    const says = `TCP frame with a wrong length: it says ${length}, but its JSON is of ${longer.bytes} bytes`;
    return found(longer.bytes, says, longer);
  }
  if (body.length < length)
    return found(body.length, `TCP frame cut short: the length says ${length}, got ${body.length}`, contents);
  return found(length, `TCP frame: the length says ${length}; ${contents.problem}`, contents);
}

function datagram(rest: Buffer, at: number): Finding {
  const { bytes, text, message, problem } = firstObject(rest);
  const says = `message of ${bytes} bytes without a length: a UDP datagram, or a TCP frame without its head`;
  return { kind: 'datagram', at, bytes, says: problem === '' ? says : `${says}; ${problem}`, text, message };
}

/** Whether these bytes are JSON as it is, `{"` or `{}`. */
function isPlain(bytes: Buffer): boolean {
  return bytes[0] === PLAIN_BRACE && (bytes[1] === 0x22 || bytes[1] === 0x7d);
}

function plain(rest: Buffer, at: number, headerBytes: number): Finding {
  const contents = readText(rest.subarray(headerBytes));
  const says = `plain JSON that is not encrypted${headerBytes > 0 ? ', behind a length' : ''}: a plug does not understand it`;
  return {
    kind: 'plain',
    at,
    bytes: rest.length,
    says: contents.problem === '' ? says : `${says}; ${contents.problem}`,
    text: contents.text,
    message: contents.message,
  };
}

/** Bytes up to the next message, or to the end. */
function stray(bytes: Buffer, at: number, before: Finding | undefined): Finding {
  let end = at + 1;
  while (end < bytes.length && !beginsMessage(bytes, end)) end++;
  const found = bytes.subarray(at, end);
  const shown = `${hexOf(found.subarray(0, 16))}${found.length > 16 ? ' …' : ''}`;
  return {
    kind: 'stray',
    at,
    bytes: found.length,
    says: explainStray(found, shown, before),
    text: undefined,
    message: undefined,
  };
}

function explainStray(found: Buffer, shown: string, before: Finding | undefined): string {
  if (/^(HTTP\/|GET |POST )/.test(found.toString('latin1', 0, 8)))
    return `${found.length} bytes of HTTP: they come from a web server, not a plug on port 9999`;
  if (before === undefined) return `${found.length} bytes that begin no message: ${shown}`;
  const from =
    before.kind === 'frame'
      ? `the length says ${before.bytes - HEADER_BYTES}, got ${before.bytes - HEADER_BYTES + found.length}; `
      : '';
  return `${from}what follows is ${found.length} bytes that begin no message: ${shown}`;
}

function beginsMessage(bytes: Buffer, at: number): boolean {
  const isBody = (start: number) =>
    bytes[start] === ENCRYPTED_BRACE && AFTER_BRACE.has(bytes[start + 1] ?? -1);
  if (isBody(at)) return true;
  return isBody(at + HEADER_BYTES) && bytes.readUInt32BE(at) <= MAX_BODY_BYTES;
}

interface Contents {
  readonly text: string;
  readonly message: JsonObject | undefined;
  /** What is wrong, in half a sentence; empty if nothing is. */
  readonly problem: string;
}

function read(body: Buffer): Contents {
  const decrypted = Buffer.from(body);
  decryptInPlace(decrypted);
  return readText(decrypted);
}

/** The object that encrypted bytes begin with, whatever comes after it; all of them if it does not end. */
function firstObject(bytes: Buffer): Contents & { readonly bytes: number } {
  // Looked for in ever more of the bytes, so that many small messages in a row are not all decrypted each time.
  for (let most = 256; ; most *= 8) {
    const decrypted = Buffer.from(bytes.subarray(0, most));
    decryptInPlace(decrypted);
    // As Latin 1 every byte is a character, and no byte within a character of UTF-8 looks like a brace.
    const end = objectEnd(decrypted.toString('latin1'));
    if (end !== undefined || decrypted.length === bytes.length) {
      const taken = end ?? bytes.length;
      return { ...readText(decrypted.subarray(0, taken)), bytes: taken };
    }
  }
}

function readText(body: Buffer): Contents {
  const text = body.toString('utf8');
  if (!isUtf8(body)) return { text, message: undefined, problem: 'what it holds is not UTF-8 text' };
  try {
    const message = parseObject(text);
    if (!nestsDeeper(message, DEEPEST)) return { text, message, problem: '' };
    return { text, message: undefined, problem: `its JSON is nested more than ${DEEPEST} levels deep` };
  } catch (error) {
    if (!(error instanceof PlugError)) throw error;
    return { text, message: undefined, problem: 'what it holds is not one whole JSON object' };
  }
}

function hexOf(bytes: Buffer): string {
  return (bytes.toString('hex').toUpperCase().match(/../g) ?? []).join(' ');
}
