import { isUtf8 } from 'node:buffer';
import type { Command } from 'commander';
import { ProtocolError } from '../errors.ts';
import { printable, printableJson } from '../printable.ts';
import { readHex } from '../protocol/hex.ts';
import { type Finding, inspect, wholeFrame } from '../protocol/inspect.ts';
import { examples } from './arguments.ts';
import { bounded } from './input.ts';
import type { Shell } from './shell.ts';

interface DecodeOptions {
  readonly json?: true;
}

/** Adds the verb that reads bytes as a plug reads them, and says what is wrong with them. */
export function addDecodeVerb(program: Command, shell: Shell): void {
  program
    .command('decode')
    .description(
      'show the JSON in bytes of the protocol: hexadecimal in any form, dumps of Wireshark, tcpdump, xxd or hexdump, or the bytes themselves on standard input. What was found is said on standard error.',
    )
    .argument('[hex...]', 'the bytes; left out: they are read from standard input')
    .option('--json', 'print an object for each thing found, for scripts')
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt decode 0000001dd0f281f88bff9af7d5ef94b6d1b4c09fec95e68fe187e8caf08bf68bf6',
        'xxd reply.bin | hs110-mqtt decode',
        'nc -w 2 192.168.1.145 9999 < question.bin | hs110-mqtt decode --json',
      ),
    )
    .action((hex: string[], options: DecodeOptions) => decode(shell, hex, options));
}

async function decode(shell: Shell, hex: readonly string[], { json }: DecodeOptions): Promise<void> {
  const report = new Report(shell, json === true);
  if (hex.length > 0) report.add(inspect(readHex(hex.join(' '))));
  else await decodeInput(shell, report);
  report.end();
}

/** Prints whole frames as they come: a plug may keep the connection for hours after its answer. */
async function decodeInput(shell: Shell, report: Report): Promise<void> {
  if (shell.input.isTerminal) shell.printError('Paste the bytes, then press Ctrl-D on a line of its own.');
  let pending = Buffer.alloc(0);
  for await (const chunk of bounded(shell.input)) {
    pending = Buffer.concat([pending, chunk]);
    for (let end = wholeFrame(pending); end !== undefined; end = wholeFrame(pending)) {
      report.add(inspect(pending.subarray(0, end)));
      pending = pending.subarray(end);
    }
  }
  report.add(inspect(isText(pending) && !report.hasBytes ? readHex(pending.toString('utf8')) : pending));
}

/** Whether this is pasted text: encrypted JSON is never text, and a frame begins with a zero byte. */
function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !/(?![\t\n\f\r])\p{Cc}/u.test(bytes.toString('utf8'));
}

class Report {
  readonly #shell: Shell;
  readonly #json: boolean;
  #bytes = 0;
  #messages = 0;

  constructor(shell: Shell, json: boolean) {
    this.#shell = shell;
    this.#json = json;
  }

  get hasBytes(): boolean {
    return this.#bytes > 0;
  }

  /** Prints what was found in the bytes that follow those before. */
  add(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const from = this.#bytes + finding.at;
      if (finding.message !== undefined) this.#messages++;
      if (this.#json) this.#shell.print(printableJson({ ...finding, at: from }));
      else this.#printText(finding, from);
    }
    this.#bytes += findings.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Throws ProtocolError if nothing could be read. */
  end(): void {
    if (this.#messages > 0) return;
    throw new ProtocolError(`there is no whole message in these ${this.#bytes} bytes`);
  }

  #printText({ says, text, message }: Finding, from: number): void {
    const { print, printError } = this.#shell;
    printError(printable(from === 0 ? says : `From byte ${from}: ${says}`));
    if (message !== undefined) print(printableJson(message, 2));
    else if (text !== undefined) printError(`It reads: ${printable(text)}`);
  }
}
