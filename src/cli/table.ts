import { printable } from '../printable.ts';

/** Sets rows under their heads, columns aligned by their widest cell; made safe for a terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))));
  return lines.map((line) =>
    line
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  );
}

/** Characters as people count them; emoji and accents that consist of several code points are one. */
function widthOf(text: string): number {
  return [...GRAPHEMES.segment(text)].length;
}

const GRAPHEMES = new Intl.Segmenter();
