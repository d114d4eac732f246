/**
 * The wait before attempt number `attempt` (0 is the first repetition): `baseMs`, doubled each time, at most
 * `maxMs`, less up to a quarter by chance so that what failed together does not return together.
 */
export function backoff(attempt: number, baseMs: number, maxMs: number, random: () => number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(full * (1 - random() / 4));
}
