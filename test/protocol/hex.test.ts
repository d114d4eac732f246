import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { readHex } from '../../src/protocol/hex.ts';
import { thrownBy } from '../support/thrown.ts';

/** 53 bytes: three full lines of a dump and five bytes, with text of more than one byte a character in it. */
const FRAME = encodeFrame('{"system":{"set_dev_alias":{"alias":"Ö😀 x"}}}');

const FORMS: { readonly [form: string]: string } = {
  'pairs with blanks': `00 00 00 31 D0 F2 81 F8 8B FF 9A F7 D5 EF 94 B6 C5 A0 D4 8B EF 8A FC A3 C2 AE C7 A6
    D5 F7 CD B6 94 F5 99 F0 91 E2 C0 FA D8 1B 8D 7D E2 7A FA DA A2 80 FD 80 FD`,
  'digits without blanks': FRAME.toString('hex'),
  'digits in groups': FRAME.toString('hex').replaceAll(/.{8}/g, '$& '),
  'pairs with colons': FRAME.toString('hex').replaceAll(/..(?=.)/g, '$&:'),
  'bytes without leading zeros': [...FRAME].map((byte) => byte.toString(16)).join(' '),
  '0x and commas': [...FRAME].map((byte) => `0x${byte.toString(16)}`).join(','),
  'one number with 0x': `0x${FRAME.toString('hex')}`,
  'an array in C, as xxd -i prints it': `unsigned char reply[] = {
  ${[...FRAME].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(', ')} };
unsigned int reply_len = 53;`,
  'an array in C, as Wireshark copies it': `/* Frame (53 bytes) */
static const unsigned char pkt1[53] = {
${[...FRAME].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(', ')} /* ...1.... */
};`,
  'a literal of Python': `b'\\x00\\x00\\x001${[...FRAME.subarray(4)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`,
  'escapes over several lines': `"\\x00\\x00\\x00\\x31" \\
"${[...FRAME.subarray(4)].map((byte) => `\\x${byte.toString(16)}`).join('')}"`,
  'a buffer of Node': `<Buffer ${FRAME.toString('hex').replaceAll(/..(?=.)/g, '$& ')}>`,
  'a buffer of Node as JSON': JSON.stringify(FRAME),
  'a list of decimals': JSON.stringify([...FRAME]),
  xxd: `00000000: 0000 0031 d0f2 81f8 8bff 9af7 d5ef 94b6  ...1............
00000010: c5a0 d48b ef8a fca3 c2ae c7a6 d5f7 cdb6  ................
00000020: 94f5 99f0 91e2 c0fa d81b 8d7d e27a fada  ...........}.z..
00000030: a280 fd80 fd                             .....`,
  'xxd -c 32': `00000000: 0000 0031 d0f2 81f8 8bff 9af7 d5ef 94b6 c5a0 d48b ef8a fca3 c2ae c7a6 d5f7 cdb6  ...1............................
00000020: 94f5 99f0 91e2 c0fa d81b 8d7d e27a fada a280 fd80 fd                             ...........}.z.......`,
  'hexdump -C': `00000000  00 00 00 31 d0 f2 81 f8  8b ff 9a f7 d5 ef 94 b6  |...1............|
00000010  c5 a0 d4 8b ef 8a fc a3  c2 ae c7 a6 d5 f7 cd b6  |................|
00000020  94 f5 99 f0 91 e2 c0 fa  d8 1b 8d 7d e2 7a fa da  |...........}.z..|
00000030  a2 80 fd 80 fd                                    |.....|
00000035`,
  'hexdump in words': `0000000 0000 3100 f2d0 f881 ff8b f79a efd5 b694
0000010 a0c5 8bd4 8aef a3fc aec2 a6c7 f7d5 b6cd
0000020 f594 f099 e291 fac0 1bd8 7d8d 7ae2 dafa
0000030 80a2 80fd 00fd
0000035`,
  'od -A x -t x1z': `000000 00 00 00 31 d0 f2 81 f8 8b ff 9a f7 d5 ef 94 b6  >...1............<
000010 c5 a0 d4 8b ef 8a fc a3 c2 ae c7 a6 d5 f7 cd b6  >................<
000020 94 f5 99 f0 91 e2 c0 fa d8 1b 8d 7d e2 7a fa da  >...........}.z..<
000030 a2 80 fd 80 fd                                   >.....<
000035`,
  'od -t x1 with octal offsets': `0000000 00 00 00 31 d0 f2 81 f8 8b ff 9a f7 d5 ef 94 b6
0000020 c5 a0 d4 8b ef 8a fc a3 c2 ae c7 a6 d5 f7 cd b6
0000040 94 f5 99 f0 91 e2 c0 fa d8 1b 8d 7d e2 7a fa da
0000060 a2 80 fd 80 fd
0000065`,
  'tcpdump -x': `\t0x0000:  0000 0031 d0f2 81f8 8bff 9af7 d5ef 94b6
\t0x0010:  c5a0 d48b ef8a fca3 c2ae c7a6 d5f7 cdb6
\t0x0020:  94f5 99f0 91e2 c0fa d81b 8d7d e27a fada
\t0x0030:  a280 fd80 fd`,
  'the follow view of tshark': `===================================================================
Follow: tcp,hex
Node 0: 192.168.1.10:51000
Node 1: 192.168.1.145:9999
00000000  00 00 00 31 d0 f2 81 f8  8b ff 9a f7 d5 ef 94 b6  ...1.... ........
00000010  c5 a0 d4 8b ef 8a fc a3  c2 ae c7 a6 d5 f7 cd b6  ........ ........
00000020  94 f5 99 f0 91 e2 c0 fa  d8 1b 8d 7d e2 7a fa da  ........ ...}.z..
00000030  a2 80 fd 80 fd                                    .....
===================================================================`,
  'a dump whose text column looks like digits': `0000  00 00 00 31 d0 f2 81 f8 8b ff 9a f7 d5 ef 94 b6   00 11 22 33 44 5
0010  c5 a0 d4 8b ef 8a fc a3 c2 ae c7 a6 d5 f7 cd b6   abcdabcd abcdabc
0020  94 f5 99 f0 91 e2 c0 fa d8 1b 8d 7d e2 7a fa da   de ad be ef dead
0030  a2 80 fd 80 fd                                    be ef`,
};

describe('bytes as people paste them', () => {
  it.each(Object.entries(FORMS))('are read from %s', (_, text) => {
    expect(readHex(text).toString('hex')).toBe(FRAME.toString('hex'));
  });

  it('may end in dots where somebody has cut them', () => {
    expect(readHex('00 00 00 2A D0 F2 …')).toEqual(Buffer.from('0000002ad0f2', 'hex'));
    expect(readHex('0000002ad0f2...')).toEqual(Buffer.from('0000002ad0f2', 'hex'));
    expect(readHex('<Buffer 00 00 00 2a d0 ... 41 more bytes>')).toEqual(Buffer.from('0000002ad0', 'hex'));
  });

  it('may be one line of a dump', () => {
    expect(readHex('0000  00 00 00 2a d0 f2   ...*..')).toEqual(Buffer.from('0000002ad0f2', 'hex'));
  });

  it('begin with the length where the length is written in one piece', () => {
    expect(readHex('0000002a d0 f2')).toEqual(Buffer.from('0000002ad0f2', 'hex'));
  });

  it.each([
    ['', 'there is nothing to decode'],
    [' \n ', 'there is nothing to decode'],
    ['…', 'there is nothing to decode'],
    ['00 00 zz 2A', '"zz" is not hexadecimal'],
    ['0x00, 42', '"42" is not hexadecimal'],
    ['000 2A', '"000" has an odd number of digits: a byte has two'],
    ['hello', '"hello" is not hexadecimal'],
    [`x${'y'.repeat(99)}`, `"x${'y'.repeat(23)}"… is not hexadecimal`],
    ['{"system":{}}', 'this is JSON already, not what travels to a plug: `encode` turns it into that'],
    [
      '00000000  d0 f2 81 f8 8b ff 9a f7  d0 f2 81 f8 8b ff 9a f7  |................|\n*\n00000030',
      'the dump leaves out repeated lines (`*`): make it with `hexdump -vC`',
    ],
  ])('are refused with a reason: %j', (text, message) => {
    const error = thrownBy(() => readHex(text));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toHaveProperty('message', message);
  });

  it('are read, or refused with the one error there is for that, whatever the text', () => {
    const scraps = fc.constantFrom(
      '00',
      '0x',
      '\\x',
      ':',
      '  ',
      '\n',
      '0000',
      '|',
      '"',
      "'",
      '{',
      '*',
      '…',
      'f',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(scraps, fc.string())).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          expect(readHex(given)).toBeInstanceOf(Buffer);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('come back from every form in which they can be written', () => {
    const written = fc.constantFrom<(bytes: Buffer) => string>(
      (bytes) => bytes.toString('hex'),
      (bytes) => [...bytes].map((byte) => byte.toString(16)).join(' '),
      (bytes) => [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(', '),
      (bytes) => `b'${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}'`,
      (bytes) => JSON.stringify(bytes),
      dumped,
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), written, (array, write) => {
        const bytes = Buffer.from(array);
        expect(readHex(write(bytes)).toString('hex')).toBe(bytes.toString('hex'));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('text that was made to take long', () => {
  const MEGABYTE = 1024 * 1024;
  const filled = (before: string, piece: string, after = '') =>
    `${before}${piece.repeat(Math.ceil(MEGABYTE / piece.length))}${after}`;

  // Each took minutes, or for ever, while regular expressions went back over it.
  it.each([
    ['dots', filled('ff ', '.', 'x')],
    ['dots apart', filled('ff ', ' ..', 'x')],
    ['blanks', filled('ff', ' ', 'x')],
    ['more and more bytes', filled('ff', '1 more bytes ', 'x')],
    ['more digits', filled('ff ', '1', ' more byte')],
    ['quotes that are not closed', filled('\\x00"', '\\"')],
    ['quotes of both kinds', filled('\\x00', '\\"\\\'')],
    ['comments that are not closed', filled('0x00', ' /*')],
    ['comments that open and close', filled('0x00', ' /*/')],
    ['arrays that are not closed', filled('0x00', ' ={')],
    ['assignments', filled('0x00', ' =')],
    ['lists that are not closed', filled('', '"data":[')],
    ['types', filled('', '"type" ')],
    ['offsets', filled('', '00000000 ')],
    ['lines of offsets', filled('', '00000000  00\n')],
    ['a dump of blanks', filled('00000000', ' ')],
    ['digits', filled('', '0')],
    ['separators', filled('', ',')],
  ])('does not: %s', (_, text) => {
    const began = performance.now();
    try {
      expect(readHex(text)).toBeInstanceOf(Buffer);
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError);
    }
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

/** As `hexdump -C` prints it. */
function dumped(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const line = [...bytes.subarray(at, at + 16)];
    const pairs = line.map((byte, index) => `${index === 8 ? ' ' : ''}${byte.toString(16).padStart(2, '0')}`);
    const text = line.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${pairs.join(' ').padEnd(48)}  |${text}|`);
  }
  return `${lines.join('\n')}\n${bytes.length.toString(16).padStart(8, '0')}`;
}
