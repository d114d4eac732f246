/**
 * What a terminal acts upon or does not show: control and format characters, line and paragraph separators, halves
 * of surrogate pairs. The two joiners, of which emoji and some scripts are made, stay.
 */
const UNPRINTABLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

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

/** Characters beyond the basic plane consist of two units, as in JSON. */
function unicodeEscaped(char: string): string {
  return char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
