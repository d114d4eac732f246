import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDatagram, encodeFrame } from '../../src/protocol/frame.ts';
import { inspect, wholeFrame } from '../../src/protocol/inspect.ts';

const QUESTION = '{"system":{"set_relay_state":{"state":0}}}';
const ANSWER = '{"system":{"set_relay_state":{"err_code":0}}}';

/** What was found, without what a person does not read. */
function said(bytes: Buffer): string[] {
  return inspect(bytes).map(({ says }) => says);
}

function withLength(length: number, text: string): Buffer {
  const frame = encodeFrame(text);
  frame.writeUInt32BE(length);
  return frame;
}

describe('bytes looked into', () => {
  it('are a frame, with its length and its JSON', () => {
    expect(inspect(encodeFrame(QUESTION))).toEqual([
      {
        kind: 'frame',
        at: 0,
        bytes: 46,
        says: 'TCP frame: the length says 42',
        text: QUESTION,
        message: JSON.parse(QUESTION),
      },
    ]);
  });

  it('are a datagram without a length', () => {
    const [found, ...more] = inspect(encodeDatagram(QUESTION));
    expect(more).toEqual([]);
    expect(found).toMatchObject({ kind: 'datagram', bytes: 42, text: QUESTION });
    expect(found?.says).toBe(
      'message of 42 bytes without a length: a UDP datagram, or a TCP frame without its head',
    );
  });

  it('are several frames in a row', () => {
    const found = inspect(Buffer.concat([encodeFrame(QUESTION), encodeFrame(ANSWER), encodeFrame('{}')]));
    expect(found.map(({ at, text }) => [at, text])).toEqual([
      [0, QUESTION],
      [46, ANSWER],
      [95, '{}'],
    ]);
  });

  it('are several datagrams in a row, each ending with its JSON', () => {
    const found = inspect(Buffer.concat([encodeDatagram(QUESTION), encodeDatagram('{"a":"}"}')]));
    expect(found.map(({ kind, text }) => [kind, text])).toEqual([
      ['datagram', QUESTION],
      ['datagram', '{"a":"}"}'],
    ]);
  });

  it('say what follows a frame that is shorter than what came', () => {
    const bytes = Buffer.concat([encodeFrame(QUESTION), Buffer.from('0d0a0d0a0d0a0d', 'hex')]);
    expect(said(bytes)).toEqual([
      'TCP frame: the length says 42',
      'the length says 42, got 49; what follows is 7 bytes that begin no message: 0D 0A 0D 0A 0D 0A 0D',
    ]);
  });

  it('are a frame cut short, read as far as it goes', () => {
    const [found] = inspect(encodeFrame(QUESTION).subarray(0, 20));
    expect(found).toMatchObject({ kind: 'frame', bytes: 20, text: '{"system":{"set_', message: undefined });
    expect(found?.says).toBe('TCP frame cut short: the length says 42, got 16');
  });

  it.each([
    [30, 'TCP frame with a wrong length: it says 30, but its JSON is of 42 bytes'],
    [
      46,
      'TCP frame with a wrong length: it says 46, got 42: it seems to count its own 4 bytes; a plug waits for the rest',
    ],
    [50, 'TCP frame with a wrong length: it says 50, got 42; a plug waits for the rest'],
    [0, 'TCP frame whose length is 0: its body ends where the connection ends (old firmware)'],
    [
      0x2a000000,
      'TCP frame: the length says 42; the length is written backwards (little-endian), a plug reads it as 704643072',
    ],
  ])('are a frame whose length of %i is wrong, and read all the same', (length, says) => {
    const found = inspect(withLength(length, QUESTION));
    expect(found.map((one) => one.says)).toEqual([says]);
    expect(found[0]?.message).toEqual(JSON.parse(QUESTION));
  });

  it('are JSON that nobody has encrypted', () => {
    const says = 'plain JSON that is not encrypted: a plug does not understand it';
    expect(inspect(Buffer.from(QUESTION))).toMatchObject([{ kind: 'plain', says, text: QUESTION }]);
    expect(said(Buffer.concat([Buffer.from([0, 0, 0, 42]), Buffer.from(QUESTION)]))).toEqual([
      'plain JSON that is not encrypted, behind a length: a plug does not understand it',
    ]);
  });

  it('are found behind the heads of a captured packet', () => {
    const heads = Buffer.alloc(54, 0x45);
    const found = inspect(Buffer.concat([heads, encodeFrame(ANSWER)]));
    expect(found.map(({ kind, at, text }) => [kind, at, text])).toEqual([
      ['stray', 0, undefined],
      ['frame', 54, ANSWER],
    ]);
    expect(found[0]?.says).toContain('54 bytes that begin no message: 45 45');
  });

  it('are the answer of a web server', () => {
    expect(said(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))).toEqual([
      '28 bytes of HTTP: they come from a web server, not a plug on port 9999',
    ]);
  });

  it.each([
    ['[1,2,3]', 'TCP frame: the length says 7; what it holds is not one whole JSON object'],
    ['NaN', 'TCP frame: the length says 3; what it holds is not one whole JSON object'],
    [
      `{"a":${'['.repeat(200)}${']'.repeat(200)}}`,
      'TCP frame: the length says 406; its JSON is nested more than 100 levels deep',
    ],
    ['{"a":NaN}', 'TCP frame: the length says 9; what it holds is not one whole JSON object'],
  ])('hold no JSON object: %s', (text, says) => {
    expect(inspect(encodeFrame(text))).toMatchObject([{ says, message: undefined }]);
  });

  it('hold text that is not UTF-8', () => {
    const frame = encodeFrame(QUESTION);
    frame[20] = (frame[20] ?? 0) ^ 0x80;
    expect(said(frame)).toEqual(['TCP frame: the length says 42; what it holds is not UTF-8 text']);
  });

  it('are accounted for to the last, whatever they are', () => {
    const message = fc.json().chain((json) => fc.constantFrom(encodeFrame(json), encodeDatagram(json)));
    const piece = fc.oneof(
      message,
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    );
    const anything = fc.array(piece, { maxLength: 6 }).map((pieces) => Buffer.concat(pieces));
    fc.assert(
      fc.property(anything, fc.nat(), (bytes, cut) => {
        const given = bytes.subarray(0, cut % (bytes.length + 1));
        let at = 0;
        for (const found of inspect(given)) {
          expect(found.at).toBe(at);
          at += found.bytes;
        }
        expect(at).toBe(given.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('give back any JSON object that was put into a frame or a datagram', () => {
    const object = fc.dictionary(
      fc.string({ unit: 'binary' }),
      fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
    );
    fc.assert(
      fc.property(object, fc.boolean(), (value, udp) => {
        const text = JSON.stringify(value);
        const found = inspect(udp ? encodeDatagram(text) : encodeFrame(text));
        expect(found).toHaveLength(1);
        expect(found[0]?.message).toEqual(JSON.parse(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('do not take long, however many small messages there are in them', () => {
    const many = Buffer.alloc(256 * 1024, encodeDatagram('{}'));
    const began = performance.now();
    expect(inspect(many)).toHaveLength(128 * 1024);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('a whole frame at the beginning', () => {
  it('is there once its last byte is', () => {
    const frame = encodeFrame(QUESTION);
    expect(wholeFrame(frame.subarray(0, 45))).toBeUndefined();
    expect(wholeFrame(frame)).toBe(46);
    expect(wholeFrame(Buffer.concat([frame, frame]))).toBe(46);
  });

  it('is not there where the length is wrong or there is no JSON', () => {
    expect(wholeFrame(withLength(30, QUESTION))).toBeUndefined();
    expect(wholeFrame(withLength(0xffffffff, QUESTION))).toBeUndefined();
    expect(wholeFrame(Buffer.alloc(0))).toBeUndefined();
  });
});
