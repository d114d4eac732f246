import type { Clock } from '../runtime/clock.ts';
import { type Memory, outletKey } from './memory.ts';
import type { Outlet } from './outlet.ts';

/** Tells the outlets of the device with that MAC what is remembered of them. */
export function recall(
  outlets: readonly Outlet[],
  mac: string,
  { memory, clock }: { readonly memory: Memory; readonly clock: Clock },
): void {
  for (const outlet of outlets) {
    const key = outletKey(mac, outlet.id);
    const stored = memory.outlet(key, outlet.path);
    if (stored !== undefined) outlet.recall(stored);
    const meter = memory.meter(key);
    if (meter !== undefined) outlet.meter.recall(meter, { now: clock.now(), date: clock.date() });
  }
}
