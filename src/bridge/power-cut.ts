import type { PlugState } from './plug-state.ts';

/** kWh by which a meter may seem to fall without having started anew. */
const ROUNDING = 0.002;

/**
 * Plugs do not report a power cut. It shows after an absence in a relay that is another or has been on for a shorter
 * time than before (`lastRelay` is that of an earlier run), or in a meter that started anew along with the on-time or
 * after a failed exchange (`interrupted`). A meter that starts anew alone has been reset by a client.
 */
export function hadPowerCut(
  before: PlugState,
  after: PlugState,
  { lastRelay, interrupted }: { lastRelay: boolean | null; interrupted: boolean },
): boolean {
  const restarted = before.onSince !== null && before.onSince !== after.onSince;
  const meterFell =
    before.energyBoot !== null &&
    after.energyBoot !== null &&
    after.energyBoot < before.energyBoot - ROUNDING;
  if (meterFell && (restarted || interrupted)) return true;
  if (before.availability === 'online') return false;
  const was = before.relay ?? lastRelay;
  return was !== null && (was !== after.relay || restarted);
}
