import type { PlugState } from './model.ts';

/** What the bridge does with a plug of its own accord; milliseconds. */
export interface PlugPolicy {
  /** No command may switch the relay. */
  readonly locked: boolean;
  /** What to do when the plug returns after a power cut. */
  readonly restore: 'keep' | 'last' | 'off' | 'on';
  /** Whether a change made at the plug or with its app is put back. */
  readonly enforce: boolean;
  /** How long such a change may stand. */
  readonly enforceAfterMs: number;
}

/** What must be known of a plug after a restart of the bridge. Times are milliseconds since 1970. */
export interface PlugMemory {
  /** What the relay should be: what was last commanded, or last seen. */
  relay: boolean | null;
  /** The relay goes back to this at that time; `armed` unless it is certain that the plug's own countdown does not do the same. */
  revert: { readonly relay: boolean; readonly at: number; readonly armed: boolean } | null;
}

/** A plug that needs to be put back more often than this within {@link FLAP_MS} is left alone. */
export const MOST_PUT_BACK = 5;
export const FLAP_MS = 600_000;

/** What the relay should be made now that the plug returned from a power cut; `undefined` leaves it as it is. */
export function restoreTo(
  policy: PlugPolicy,
  memory: PlugMemory,
  before: PlugState,
  after: PlugState,
): boolean | undefined {
  if (policy.restore === 'keep' || after.relay === null || !hadPowerCut(memory, before, after))
    return undefined;
  const wanted = policy.restore === 'last' ? memory.relay : policy.restore === 'on';
  return wanted === null || wanted === after.relay ? undefined : wanted;
}

/** Whether the relay is now as somebody at the plug made it, against what it should be. */
export function isTamperedWith(policy: PlugPolicy, memory: PlugMemory, after: PlugState): boolean {
  return policy.enforce && after.relay !== null && memory.relay !== null && after.relay !== memory.relay;
}

/** kWh by which a meter may seem to fall without having started anew. */
const ROUNDING = 0.002;

/**
 * Plugs do not tell of a power cut. It shows in the meter that starts anew, or, after an absence, in a relay
 * that is another or has been on for a shorter time than before.
 */
function hadPowerCut(memory: PlugMemory, before: PlugState, after: PlugState): boolean {
  if (before.energy !== null && after.energy !== null && after.energy < before.energy - ROUNDING) return true;
  if (before.availability === 'online') return false;
  const was = before.relay ?? memory.relay;
  return (
    was !== null && (was !== after.relay || (before.onSince !== null && before.onSince !== after.onSince))
  );
}
