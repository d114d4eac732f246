/**
 * What a terminal acts upon instead of showing it: control characters of ASCII and Latin 1, line and paragraph
 * separators, and marks that turn the direction of writing.
 */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text from outside made safe for a terminal, on one line: what would act upon it is shown as an escape. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escaped);
}

/** As {@link printable}, but line ends stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON that is safe for a terminal and still the same JSON. `indent` as for JSON.stringify. */
export function printableJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent);
  return text.replaceAll(UNPRINTABLE, (char) => (char === '\n' ? char : unicodeEscaped(char)));
}

function escaped(char: string): string {
  if (char === '\n') return '\\n';
  if (char === '\r') return '\\r';
  return char === '\t' ? '\\t' : unicodeEscaped(char);
}

function unicodeEscaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
