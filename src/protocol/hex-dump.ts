/** One line of a hex dump: where it says its bytes are, and those bytes. */
export interface DumpLine {
  readonly offset: number;
  /** Whether the offset cannot be taken for bytes: it is marked by a colon. */
  readonly marked: boolean;
  /** The digits of its first `most` bytes at most; what stands in the text column is left out. */
  digits(most: number): string;
}

/** Bytes in a full line of all these dumps. */
export const FULL_LINE = 16;

const HALF_LINE_DIGITS = 16;

/** Reads a line as Wireshark, tshark, tcpdump, xxd, hexdump and od print it; `undefined` if it is not like that. */
export function readDumpLine(line: string): DumpLine | undefined {
  const [, prefix = '', offset = '', colon = '', rest = ''] =
    /^\s*(0x)?([0-9a-f]{4,16})(:)?\s+(\S.*)$/i.exec(line) ?? [];
  const [token = ''] = rest.split(/\s/, 1);
  // hexdump without -C prints words of two bytes, the lower byte first, after an offset of seven digits.
  const isWords = colon === '' && offset.length === 7 && /^[0-9a-f]{4}$/i.test(token);
  const isBytes = colon === '' ? /^[0-9a-f]{2}$/i.test(token) : /^(?:[0-9a-f]{2})+$/i.test(token);
  if (rest === '' || !(isWords || isBytes) || (prefix !== '' && colon === '')) return undefined;
  return {
    offset: Number.parseInt(offset, 16),
    marked: colon !== '',
    digits: (most) =>
      isWords ? swapped(digitsOf(rest, 2 * most + 2)).slice(0, 2 * most) : digitsOf(rest, 2 * most),
  };
}

/** The offset in a line that holds nothing else: hexdump and od end with how many bytes there were. */
export function readDumpEnd(line: string): number | undefined {
  return /^\s*[0-9a-f]{6,8}\s*$/i.test(line) ? Number.parseInt(line, 16) : undefined;
}

/** Digits from the left up to the text column, which begins after a gap or with what are no digits. */
function digitsOf(rest: string, most: number): string {
  let digits = '';
  for (const [, gap = '', token = ''] of rest.matchAll(/(\s*)(\S+)/g)) {
    const isHex = /^(?:[0-9a-f]{2})+$/i.test(token) && digits.length + token.length <= most;
    // Many dumps have a gap in the middle of a line.
    const isGap =
      digits !== '' && gap.length > 1 && !(gap.length === 2 && digits.length === HALF_LINE_DIGITS);
    if (!isHex || isGap) break;
    digits += token;
  }
  return digits;
}

function swapped(digits: string): string {
  return digits.replaceAll(/(..)(..)/g, '$2$1');
}
