import { type Clock, sleep } from '../../src/runtime/clock.ts';

/** Looks every 10 ms whether it holds; resolves to whether it did in time. */
export async function waitFor(clock: Clock, holds: () => boolean, withinMs: number): Promise<boolean> {
  for (const end = clock.now() + withinMs; clock.now() < end; await sleep(clock, 10))
    if (holds()) return true;
  return holds();
}
