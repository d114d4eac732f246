import { encryptInPlace } from '../protocol/cipher.ts';
import { encodeFrame, HEADER_BYTES } from '../protocol/frame.ts';

/** How a simulated plug misbehaves on the wire. */
export type Fault =
  | { readonly kind: 'none' }
  /** Accepts and reads, never answers. */
  | { readonly kind: 'silence' }
  /** Knows nothing of the connections made before, as after a restart that closed none of them; new ones work. */
  | { readonly kind: 'half-open' }
  | { readonly kind: 'delay'; readonly ms: number; readonly jitterMs?: number }
  /** Serves one connection after the other: a new one waits until those before it are closed. */
  | { readonly kind: 'one-connection' }
  /** Turns to a new connection only after a while. */
  | { readonly kind: 'slow-accept'; readonly ms: number }
  | { readonly kind: 'reset-at-accept' }
  | { readonly kind: 'reset-mid-reply' }
  | { readonly kind: 'close-mid-reply' }
  /** Closes without a word once it is asked. */
  | { readonly kind: 'close' }
  | { readonly kind: 'trickle'; readonly ms: number }
  | { readonly kind: 'split' }
  | { readonly kind: 'two-frames' }
  /** Puts another length before the body, then closes if asked to. */
  | { readonly kind: 'length'; readonly length: number; readonly close?: boolean }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'invalid-json' }
  | { readonly kind: 'not-an-object' }
  | { readonly kind: 'invalid-utf8' }
  | { readonly kind: 'other-answer' }
  | { readonly kind: 'surplus' }
  | { readonly kind: 'http' };

/** One step of sending a reply: bytes after a wait, or the end of the connection. */
export type Step = { readonly send: Buffer; readonly afterMs?: number } | { readonly end: 'close' | 'reset' };

/** How a plug with this fault sends `reply`; no steps is silence. `random` decides jitter and garbage. */
export function script(fault: Fault, reply: string, random: () => number): readonly Step[] {
  const frame = encodeFrame(reply);
  switch (fault.kind) {
    case 'none':
    case 'half-open':
    case 'one-connection':
    case 'slow-accept':
      return [{ send: frame }];
    case 'silence':
      return [];
    case 'delay':
      return [{ send: frame, afterMs: fault.ms + (fault.jitterMs ?? 0) * random() }];
    case 'reset-at-accept':
      return [{ end: 'reset' }];
    case 'reset-mid-reply':
      return [{ send: half(frame) }, { end: 'reset' }];
    case 'close-mid-reply':
      return [{ send: half(frame) }, { end: 'close' }];
    case 'close':
      return [{ end: 'close' }];
    case 'trickle':
      return bytewise(frame, fault.ms);
    case 'split':
      return bytewise(frame, 0);
    case 'two-frames':
      return [{ send: Buffer.concat([frame, encodeFrame('{"system":{"get_sysinfo":{"relay_state":1}}}')]) }];
    case 'length':
      return wrongLength(frame, fault.length, fault.close ?? false);
    case 'garbage':
      return [{ send: Buffer.from(Array.from({ length: 256 }, () => Math.floor(random() * 256))) }];
    case 'invalid-json':
      return [{ send: encodeFrame(reply.slice(0, -4)) }];
    case 'not-an-object':
      return [{ send: encodeFrame('[1,2,3]') }];
    case 'invalid-utf8':
      return [{ send: invalidText(reply) }];
    case 'other-answer':
      return [{ send: encodeFrame('{"schedule":{"get_next_action":{"type":-1,"err_code":0}}}') }];
    case 'surplus':
      return [{ send: encodeFrame(`${reply}}}\r\n\r\n`) }];
    case 'http':
      return [
        { send: Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n') },
        { end: 'close' },
      ];
  }
}

function half(frame: Buffer): Buffer {
  return frame.subarray(0, Math.ceil(frame.length / 2));
}

function bytewise(frame: Buffer, afterMs: number): Step[] {
  return Array.from(frame, (_, index) => ({ send: frame.subarray(index, index + 1), afterMs }));
}

function wrongLength(frame: Buffer, length: number, close: boolean): Step[] {
  const wrong = Buffer.from(frame);
  wrong.writeUInt32BE(length);
  return [{ send: wrong }, ...(close ? [{ end: 'close' } as const] : [])];
}

/** A well-formed frame whose text has a byte in it that UTF-8 never has. */
function invalidText(reply: string): Buffer {
  const body = Buffer.from(reply);
  body[body.length >> 1] = 0xff;
  encryptInPlace(body);
  const length = Buffer.alloc(HEADER_BYTES);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}
