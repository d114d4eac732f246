import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import {
  decodeBody,
  encodeDatagram,
  encodeFrame,
  FrameDecoder,
  HEADER_BYTES,
  MAX_BODY_BYTES,
} from '../../src/protocol/frame.ts';
import { VECTORS } from '../support/fixtures.ts';
import { thrownBy } from '../support/thrown.ts';

/** Reads `chunks` as they would arrive from a socket: each in memory that is overwritten afterwards. */
function decode(chunks: Iterable<Uint8Array>, decoder = new FrameDecoder()): string[] {
  const texts: string[] = [];
  for (const chunk of chunks) {
    const shared = Buffer.from(chunk);
    for (const body of decoder.push(shared)) texts.push(decodeBody(body));
    shared.fill(0x55);
  }
  return texts;
}

/** Cuts `bytes` at the given places, wherever those lie. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32BE(length);
  return bytes;
}

const TEXT = '{"system":{"set_dev_alias":{"alias":"Größe 漢 🏮"}}}';
const FRAME = encodeFrame(TEXT);

describe('a frame', () => {
  it.each(VECTORS)('of $name is written as other programs write it, on UDP and on TCP', (vector) => {
    expect(encodeDatagram(vector.plain).toString('hex')).toBe(vector.body);
    expect(encodeFrame(vector.plain).toString('hex')).toBe(vector.length + vector.body);
  });

  it.each(VECTORS)('of $name is read from UDP and from TCP', (vector) => {
    expect(decodeBody(Buffer.from(vector.body, 'hex'))).toBe(vector.plain);
    expect(decode([Buffer.from(vector.length + vector.body, 'hex')])).toEqual([vector.plain]);
  });

  it('counts bytes, not characters', () => {
    expect(encodeFrame('漢').readUInt32BE()).toBe(3);
  });

  it.each([
    ['a stray byte', [0x7b, 0xff, 0x7d]],
    ['half a character', [0x7b, 0xe6, 0xbc]],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
  ])('with %s is refused as no UTF-8', (_, plain) => {
    const body = Buffer.from(plain);
    // The cipher is its own affair: what counts here is the plain text that comes out.
    for (let i = 0, key = 171; i < body.length; i++) {
      key ^= body[i] ?? 0;
      body[i] = key;
    }
    expect(() => decodeBody(body)).toThrow(ProtocolError);
  });
});

describe('the frame decoder', () => {
  it('reads a frame cut at any one place, also inside a character', () => {
    for (let at = 0; at <= FRAME.length; at++) expect(decode(cutAt(FRAME, [at]))).toEqual([TEXT]);
  });

  it('reads a frame byte by byte', () => {
    const decoder = new FrameDecoder();
    const bytes = Array.from(FRAME, (byte) => Uint8Array.of(byte));
    expect(decode(bytes, decoder)).toEqual([TEXT]);
    expect(decoder.pending).toBe(0);
  });

  it('reads several frames of one chunk in order', () => {
    const texts = ['{"a":1}', TEXT, '{"b":2}'];
    expect(decode([Buffer.concat(texts.map(encodeFrame))])).toEqual(texts);
  });

  it('reads two frames wherever two cuts fall', () => {
    const bytes = Buffer.concat([encodeFrame('{"a":1}'), encodeFrame('{"é":2}')]);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        expect(decode(cutAt(bytes, [first, second]))).toEqual(['{"a":1}', '{"é":2}']);
      }
    }
  });

  it('holds trailing bytes back as the beginning of another frame', () => {
    const decoder = new FrameDecoder();
    expect(decode([Buffer.concat([FRAME, Buffer.from([0, 0])])], decoder)).toEqual([TEXT]);
    expect(decoder.pending).toBe(2);
    expect(decoder.end()).toBeUndefined();
    expect(decoder.pending).toBe(0);
  });

  it('forgets what it holds when it is reset', () => {
    const decoder = new FrameDecoder();
    expect(decode([FRAME.subarray(0, 9)], decoder)).toEqual([]);
    expect(decoder.pending).toBe(9);
    decoder.reset();
    expect(decode([FRAME], decoder)).toEqual([TEXT]);
  });

  it('gives nothing out for a frame that the end of the connection cut short', () => {
    const decoder = new FrameDecoder();
    decode([FRAME.subarray(0, -1)], decoder);
    expect(decoder.end()).toBeUndefined();
  });
});

describe('a length of 0', () => {
  const bytes = Buffer.concat([header(0), encodeDatagram(TEXT)]);

  it('lets the body last until the connection ends, wherever it was cut', () => {
    for (let at = 0; at <= bytes.length; at++) {
      const decoder = new FrameDecoder();
      expect(decode(cutAt(bytes, [at]), decoder)).toEqual([]);
      expect(decodeBody(decoder.end() ?? Buffer.alloc(0))).toBe(TEXT);
      expect(decoder.pending).toBe(0);
    }
  });

  it('with no body behind it is no answer', () => {
    const decoder = new FrameDecoder();
    expect(decode([header(0)], decoder)).toEqual([]);
    expect(decoder.end()).toBeUndefined();
  });

  it('may follow a whole frame in the same chunk', () => {
    const decoder = new FrameDecoder();
    expect(decode([Buffer.concat([encodeFrame('{"a":1}'), bytes])], decoder)).toEqual(['{"a":1}']);
    expect(decodeBody(decoder.end() ?? Buffer.alloc(0))).toBe(TEXT);
  });

  it.each([
    ['in one chunk', [MAX_BODY_BYTES + 1 + HEADER_BYTES]],
    ['in two chunks', [HEADER_BYTES + 1, MAX_BODY_BYTES]],
    ['behind a header that was cut', [2, MAX_BODY_BYTES + 3]],
  ])('is refused once its body exceeds the bound %s', (_, sizes) => {
    const decoder = new FrameDecoder();
    const chunks = sizes.map((size) => Buffer.alloc(size));
    const last = chunks.pop() ?? Buffer.alloc(0);
    for (const chunk of chunks) decoder.push(chunk);
    expect(() => decoder.push(last)).toThrow(ProtocolError);
    expect(decoder.pending).toBeLessThanOrEqual(HEADER_BYTES + MAX_BODY_BYTES);
  });

  it('takes a body that just fits the bound', () => {
    const decoder = new FrameDecoder();
    decoder.push(Buffer.alloc(HEADER_BYTES + MAX_BODY_BYTES));
    expect(decoder.end()).toHaveLength(MAX_BODY_BYTES);
  });
});

describe('a length above the bound', () => {
  it.each([MAX_BODY_BYTES + 1, 0x7fff_ffff, 0xffff_ffff])(
    'of %d is refused as soon as it is read',
    (length) => {
      const whole = thrownBy(() => new FrameDecoder().push(header(length)));
      expect(whole).toBeInstanceOf(ProtocolError);
      expect(String(whole)).toContain(`claims ${length} bytes`);
      const cut = new FrameDecoder();
      cut.push(header(length).subarray(0, 3));
      expect(() => cut.push(header(length).subarray(3))).toThrow(ProtocolError);
    },
  );

  it('is not what a length at the bound is', () => {
    const body = 'x'.repeat(MAX_BODY_BYTES);
    expect(decode([encodeFrame(body)])).toEqual([body]);
  });
});

describe('whatever arrives', () => {
  const chunkings = fc.array(fc.nat(), { maxLength: 12 });

  it('any JSON comes out as it went in, however the stream was cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.json({ stringUnit: 'grapheme' }), { maxLength: 4 }),
        chunkings,
        (texts, cuts) => {
          const decoder = new FrameDecoder();
          expect(decode(cutAt(Buffer.concat(texts.map(encodeFrame)), cuts), decoder)).toEqual(texts);
          expect(decoder.pending).toBe(0);
        },
      ),
    );
  });

  it('random bytes throw nothing but ProtocolError and are never held beyond the bound', () => {
    const size = fc.oneof(fc.nat(12), fc.nat(3 * MAX_BODY_BYTES));
    const chunk = fc.tuple(fc.uint8Array({ maxLength: 40 }), size, fc.nat(255));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
        const decoder = new FrameDecoder();
        try {
          for (const [bytes, more, fill] of chunks) {
            const bodies = decoder.push(Buffer.concat([bytes, Buffer.alloc(more, fill)]));
            expect(decoder.pending).toBeLessThanOrEqual(HEADER_BYTES + MAX_BODY_BYTES);
            for (const body of bodies) {
              expect(body.length).toBeLessThanOrEqual(MAX_BODY_BYTES);
              decodeBody(body);
            }
          }
          decoder.end();
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
        expect(decoder.pending).toBeLessThanOrEqual(HEADER_BYTES + MAX_BODY_BYTES);
      }),
      { numRuns: 300 },
    );
  });

  it('small random frames are cut and refused the same way in every chunking', () => {
    const run = (chunks: Iterable<Uint8Array>): unknown => {
      const decoder = new FrameDecoder();
      const bodies: string[] = [];
      try {
        for (const chunk of chunks)
          bodies.push(...decoder.push(Buffer.from(chunk)).map((b) => b.toString('hex')));
        return [bodies, decoder.end()?.toString('hex')];
      } catch (error) {
        return error instanceof ProtocolError ? 'refused' : error;
      }
    };
    const small = fc.tuple(fc.nat(6), fc.uint8Array({ maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(small, { maxLength: 8 }), chunkings, (frames, cuts) => {
        const bytes = Buffer.concat(frames.flatMap(([length, body]) => [header(length), body]));
        expect(run(cutAt(bytes, cuts))).toEqual(run([bytes]));
      }),
      { numRuns: 1000 },
    );
  });
});
