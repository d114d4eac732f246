import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDatagram, encodeFrame } from '../../src/protocol/frame.ts';
import { FakeShell, type FakeShellOptions } from '../support/fake-shell.ts';

const OFF = '{"system":{"set_relay_state":{"state":0}}}';
const OFF_HEX =
  '00 00 00 2A D0 F2 81 F8 8B FF 9A F7 D5 EF 94 B6 C5 A0 D4 8B F9 9C F0 91 E8 B7 C4 B0 D1 A5 C0 E2 D8 A3 81 F2 86 E7 93 F6 D4 EE DE A3 DE A3';

async function run(argv: readonly string[], options: FakeShellOptions = {}) {
  const shell = new FakeShell(options);
  const code = await shell.run(...argv);
  return { code, output: shell.output, errors: shell.errors, written: Buffer.concat(shell.written) };
}

describe('the verb encode', () => {
  it('prints the whole frame, its length in front', async () => {
    expect(await run(['encode', OFF])).toMatchObject({ code: 0, output: OFF_HEX, errors: '' });
  });

  it('prints the body alone for UDP', async () => {
    expect((await run(['encode', '--udp', OFF])).output).toBe(OFF_HEX.slice(12));
  });

  it('writes the bytes themselves for a pipe', async () => {
    const { output, written } = await run(['encode', '--raw', OFF]);
    expect(output).toBe('');
    expect(written).toEqual(encodeFrame(OFF));
    expect((await run(['encode', '--raw', '--udp', OFF])).written).toEqual(encodeDatagram(OFF));
  });

  it('prints an object for scripts', async () => {
    const { output } = await run(['encode', '--json', OFF]);
    expect(JSON.parse(output)).toEqual({ bytes: 46, hex: encodeFrame(OFF).toString('hex') });
  });

  it('counts bytes, not characters', async () => {
    expect((await run(['encode', '{"a":"ü😀"}'])).output).toMatch(/^00 00 00 0E /);
  });

  it('reads the question from standard input where none is given', async () => {
    expect(
      (await run(['encode'], { piped: ['{"system":', `{"set_relay_state":{"state":0}}}\n`] })).output,
    ).toBe(OFF_HEX);
  });

  it.each([
    ['{system:{}}', 'what is to be encoded is not JSON'],
    ['', 'what is to be encoded is not JSON'],
    ['NaN', 'what is to be encoded is not JSON'],
    ['[1,2]', 'a question is a JSON object, such as {"system":{"get_sysinfo":{}}}'],
    ['null', 'a question is a JSON object'],
  ])('refuses %j', async (json, message) => {
    const { code, output, errors } = await run(['encode', json]);
    expect(errors).toContain(`hs110-mqtt: ${message}`);
    expect([code, output]).toEqual([2, '']);
  });
});

describe('the verb decode', () => {
  it('prints the JSON, and says beside it what was found', async () => {
    const { code, output, errors } = await run(['decode', ...OFF_HEX.split(' ')]);
    expect(output).toBe(JSON.stringify(JSON.parse(OFF), null, 2));
    expect(errors).toBe('TCP frame: the length says 42');
    expect(code).toBe(0);
  });

  it('says where each of several messages begins, and what follows them', async () => {
    const { code, errors } = await run(['decode', OFF_HEX, OFF_HEX, '0D 0A']);
    expect(errors).toBe(`TCP frame: the length says 42
From byte 46: TCP frame: the length says 42
From byte 92: the length says 42, got 44; what follows is 2 bytes that begin no message: 0D 0A`);
    expect(code).toBe(0);
  });

  it('shows what there is of a frame cut short, and fails', async () => {
    const { code, output, errors } = await run(['decode', OFF_HEX.slice(0, 59)]);
    expect(errors).toBe(`TCP frame cut short: the length says 42, got 16
It reads: {"system":{"set_
hs110-mqtt: there is no whole message in these 20 bytes`);
    expect([code, output]).toEqual([1, '']);
  });

  it('prints an object for each thing found, for scripts', async () => {
    const { output } = await run(['decode', '--json', OFF_HEX, 'ff']);
    expect(output.split('\n').map((line) => JSON.parse(line))).toMatchObject([
      { kind: 'frame', at: 0, bytes: 46, message: JSON.parse(OFF), text: OFF },
      { kind: 'stray', at: 46, bytes: 1 },
    ]);
  });

  it.each<[string, (string | Uint8Array)[]]>([
    ['bytes', [encodeFrame(OFF)]],
    ['bytes of a datagram', [encodeDatagram(OFF)]],
    ['bytes one by one', [...encodeFrame(OFF)].map((byte) => Uint8Array.of(byte))],
    ['hexadecimal', [OFF_HEX]],
    ['hexadecimal in lines', [`${OFF_HEX.slice(0, 48)}\n`, `${OFF_HEX.slice(48)}\n`]],
    ['a dump', ['00000000: 0000 0002 d0ad                           ......\n']],
  ])('reads %s from standard input', async (_, piped) => {
    const { code, errors } = await run(['decode'], { piped });
    expect(code).toBe(0);
    expect(errors).toMatch(/^(TCP frame: the length says (42|2)|message of 42 bytes without a length.*)$/);
  });

  it('tells a frame as soon as it is whole, and what is wrong with the rest at the end', async () => {
    const shell = new FakeShell();
    const told: string[] = [];
    const running = Object.assign(shell, {
      input: {
        ...shell.input,
        async *chunks() {
          yield encodeFrame(OFF).subarray(0, 10);
          told.push(shell.output);
          yield Buffer.concat([encodeFrame(OFF).subarray(10), Buffer.of(0, 0)]);
          told.push(shell.output);
        },
      },
    }).run('decode');
    expect(await running).toBe(0);
    expect(told.map((text) => text.length > 0)).toEqual([false, true]);
    expect(shell.errors).toContain('From byte 46: 2 bytes that begin no message: 00 00');
  });

  it.each([
    [['decode', 'xyz'], '"xyz" is not hexadecimal'],
    [['decode', '000'], '"000" has an odd number of digits: a byte has two'],
    [['decode', OFF], 'this is JSON already, not what travels to a plug: `encode` turns it into that'],
    [['decode', ''], 'there is nothing to decode'],
  ])('explains garbage: %j', async (argv, message) => {
    expect(await run(argv)).toMatchObject({ code: 1, output: '', errors: `hs110-mqtt: ${message}` });
  });

  it('says that there is nothing on an empty standard input', async () => {
    expect(await run(['decode'])).toMatchObject({
      code: 1,
      errors: 'hs110-mqtt: there is nothing to decode',
    });
  });

  it('does not read without end', async () => {
    const { code, errors } = await run(['decode'], { piped: [Buffer.alloc(1024 * 1024), Buffer.alloc(1)] });
    expect(errors).toBe('hs110-mqtt: there are more than 1048576 bytes to read');
    expect(code).toBe(1);
  });

  it('tells a person at a terminal what to do', async () => {
    expect((await run(['decode'], { typed: [] })).errors).toContain('Paste the bytes, then press Ctrl-D');
  });

  it('shows text in a message without letting a terminal act upon it', async () => {
    const frame = encodeFrame('{"alias":"\\u001b[2J"}').toString('hex');
    expect((await run(['decode', frame])).output).toContain('"\\u001b[2J"');
    const { errors } = await run(['decode', encodeFrame('\u001b[2J').toString('hex')]);
    expect(errors).toContain('It reads: \\u001b[2J');
  });

  it('ends with an explanation or with JSON, whatever it is given', async () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    const scraps = fc.constantFrom('00', '0x2a', '\\x00', '00000000:', '{', '[', '"', '|', 'D0F2', '\n', '…');
    const piped = fc.array(fc.oneof(bytes, fc.string({ unit: 'binary' }), scraps), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(piped, fc.boolean(), async (chunks, asArguments) => {
        const words = chunks.filter((chunk): chunk is string => typeof chunk === 'string');
        const { code, errors } = asArguments
          ? await run(['decode', '--', ...words], { piped: chunks })
          : await run(['decode'], { piped: chunks });
        expect(errors).not.toMatch(/(?!\n)\p{Cc}/u);
        if (code !== 0)
          expect(errors).toMatch(
            /(^|\n)hs110-mqtt: (there (is|are) |this is JSON|the dump|".*(hexadecimal|two)$)/,
          );
      }),
      { numRuns: 500 },
    );
  });

  it('gives back what encode made of any JSON object', async () => {
    const object = fc.dictionary(
      fc.string({ unit: 'binary' }),
      fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(object, fc.boolean(), async (value, udp) => {
        const json = JSON.stringify(value);
        const { output: hex } = await run(['encode', ...(udp ? ['--udp'] : []), '--', json]);
        const { output } = await run(['decode', hex]);
        expect(JSON.parse(output)).toEqual(JSON.parse(json));
      }),
      { numRuns: 200 },
    );
  });
});
