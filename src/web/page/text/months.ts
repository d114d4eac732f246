/** The month so many after that one: `2026-01` is one after `2025-12`. */
export function monthAfter(month: string, count: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const months = year * 12 + number - 1 + count;
  const digits = String((months % 12) + 1);
  return `${Math.floor(months / 12)}-${digits.length === 1 ? `0${digits}` : digits}`;
}
