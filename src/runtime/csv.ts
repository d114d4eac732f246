type Cell = string | number | null;

/** Rows as CSV with a head (RFC 4180); what is not known is empty. Spreadsheets take no cell for a formula. */
export function csv(head: readonly string[], rows: Iterable<readonly Cell[]>): string {
  return [head, ...rows].map((row) => `${row.map(cellText).join(',')}\r\n`).join('');
}

function cellText(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
