import type { Command } from 'commander';
import { CommandError, messageOf } from '../errors.ts';
import { printableJson } from '../printable.ts';
import { encodeDatagram, encodeFrame } from '../protocol/frame.ts';
import { isObject } from '../protocol/json.ts';
import { examples } from './arguments.ts';
import { readAll } from './input.ts';
import type { Shell } from './shell.ts';

interface EncodeOptions {
  readonly udp?: true;
  readonly raw?: true;
  readonly json?: true;
}

/** Adds the verb that shows how a question looks on the wire. */
export function addEncodeVerb(program: Command, shell: Shell): void {
  program
    .command('encode')
    .description('turn JSON into the bytes that a plug understands, printed as hexadecimal')
    .argument('[json]', 'the question; left out: it is read from standard input')
    .option('--udp', 'for UDP: without the length in front')
    .option('--raw', 'print the bytes themselves, for a pipe')
    .option('--json', 'print an object with hex and bytes, for scripts')
    .addHelpText(
      'after',
      examples(
        `hs110-mqtt encode '{"system":{"get_sysinfo":{}}}'`,
        `hs110-mqtt encode --raw '{"system":{"set_relay_state":{"state":0}}}' | nc -w 2 192.168.1.145 9999 | hs110-mqtt decode`,
      ),
    )
    .action((json: string | undefined, options: EncodeOptions) => encode(shell, json, options));
}

async function encode(
  shell: Shell,
  given: string | undefined,
  { udp, raw, json }: EncodeOptions,
): Promise<void> {
  const text = given ?? (await readAll(shell.input)).toString('utf8').trim();
  checkQuestion(text);
  const bytes = udp ? encodeDatagram(text) : encodeFrame(text);
  if (raw) shell.write(bytes);
  else if (json) shell.print(printableJson({ bytes: bytes.length, hex: bytes.toString('hex') }));
  else shell.print(hexPairs(bytes));
}

/** A plug does not answer what is no JSON object, so a slip of the pen is caught here. Throws CommandError. */
function checkQuestion(text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CommandError('not-json', `what is to be encoded is not JSON: ${messageOf(cause)}`, { cause });
  }
  if (!isObject(value))
    throw new CommandError('not-json', 'a question is a JSON object, such as {"system":{"get_sysinfo":{}}}');
}

function hexPairs(bytes: Buffer): string {
  return (bytes.toString('hex').toUpperCase().match(/../g) ?? []).join(' ');
}
