import { isUtf8 } from 'node:buffer';
import { ProtocolError } from '../errors.ts';
import { decryptInPlace, encryptInPlace } from './cipher.ts';

/** Bytes of the big-endian length that precedes a message on TCP; it counts bytes of UTF-8, not characters. */
export const HEADER_BYTES = 4;

/** No plug sends more than a few kB; what claims to be longer than this is not a plug's. */
export const MAX_BODY_BYTES = 64 * 1024;

/** Encrypts `text` as one UDP datagram: the body alone, without a length. */
export function encodeDatagram(text: string): Buffer {
  const body = Buffer.from(text, 'utf8');
  encryptInPlace(body);
  return body;
}

/** Encrypts `text` as one TCP frame: length, then body. */
export function encodeFrame(text: string): Buffer {
  const body = encodeDatagram(text);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, HEADER_BYTES);
  return frame;
}

/** Decrypts one body and reads it as UTF-8; `body` is overwritten. Throws ProtocolError on invalid UTF-8. */
export function decodeBody(body: Buffer): string {
  decryptInPlace(body);
  if (!isUtf8(body)) throw new ProtocolError(`the answer of ${body.length} bytes is not UTF-8 text`);
  return body.toString('utf8');
}

/**
 * Cuts a TCP stream into bodies, whatever the segments it arrives in. A length of 0 means that the body ends
 * where the connection ends (seen on old firmware). What is handed out may share memory with the chunk pushed.
 */
export class FrameDecoder {
  /** Header and body so far of a frame that began in an earlier chunk. */
  #partial: Buffer | undefined;
  #filled = 0;

  /** Bytes held back because their frame is not complete. */
  get pending(): number {
    return this.#filled;
  }

  /** Takes the next bytes and returns the bodies completed by them. Throws ProtocolError on an absurd length. */
  push(chunk: Buffer): Buffer[] {
    const bodies: Buffer[] = [];
    let rest = chunk;
    if (this.#partial !== undefined) rest = this.#continue(rest, bodies);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + bodyLength(rest);
      if (end === HEADER_BYTES || rest.length < end) break;
      bodies.push(rest.subarray(HEADER_BYTES, end));
      rest = rest.subarray(end);
    }
    if (rest.length > 0) this.#hold(rest);
    return bodies;
  }

  /** The connection has ended: returns the body that was to last until then (length 0), if there is one. */
  end(): Buffer | undefined {
    const held = this.#partial?.subarray(0, this.#filled);
    this.reset();
    if (held === undefined || held.length <= HEADER_BYTES || held.readUInt32BE() !== 0) return undefined;
    return held.subarray(HEADER_BYTES);
  }

  /** Forgets what is held back. */
  reset(): void {
    this.#partial = undefined;
    this.#filled = 0;
  }

  /** Feeds a frame begun earlier; returns what follows it. */
  #continue(chunk: Buffer, bodies: Buffer[]): Buffer {
    let rest = chunk;
    if (this.#filled < HEADER_BYTES) rest = this.#fill(rest, HEADER_BYTES);
    if (this.#partial === undefined || this.#filled < HEADER_BYTES) return rest;
    const length = bodyLength(this.#partial);
    if (length === 0) {
      this.#untilEnd(rest);
      return rest.subarray(rest.length);
    }
    rest = this.#fill(rest, HEADER_BYTES + length);
    if (this.#filled === HEADER_BYTES + length) {
      bodies.push(this.#partial.subarray(HEADER_BYTES, this.#filled));
      this.reset();
    }
    return rest;
  }

  #fill(chunk: Buffer, upTo: number): Buffer {
    const part = chunk.subarray(0, upTo - this.#filled);
    this.#append(part, upTo);
    return chunk.subarray(part.length);
  }

  #hold(rest: Buffer): void {
    if (rest.length > HEADER_BYTES + MAX_BODY_BYTES) throw tooLong(rest.length);
    const length = rest.length < HEADER_BYTES ? 0 : bodyLength(rest);
    this.#append(rest, HEADER_BYTES + length);
  }

  #untilEnd(chunk: Buffer): void {
    if (this.#filled + chunk.length > HEADER_BYTES + MAX_BODY_BYTES)
      throw tooLong(this.#filled + chunk.length);
    this.#append(chunk, this.#filled + chunk.length);
  }

  /** Copies `part` behind what is held, in a buffer with room for `capacity` bytes or more. */
  #append(part: Buffer, capacity: number): void {
    let held = this.#partial;
    if (held === undefined || held.length < Math.max(capacity, this.#filled + part.length)) {
      const grown = Buffer.allocUnsafe(Math.max(capacity, this.#filled + part.length, 2 * this.#filled));
      held?.copy(grown, 0, 0, this.#filled);
      held = grown;
    }
    part.copy(held, this.#filled);
    this.#partial = held;
    this.#filled += part.length;
  }
}

/** The length at the head of `bytes`. Throws ProtocolError where no plug would send that much. */
function bodyLength(bytes: Buffer): number {
  const length = bytes.readUInt32BE();
  if (length > MAX_BODY_BYTES) throw tooLong(length);
  return length;
}

function tooLong(length: number): ProtocolError {
  return new ProtocolError(
    `the answer claims ${length} bytes; a plug sends at most ${MAX_BODY_BYTES}: this is not the plug's protocol`,
  );
}
