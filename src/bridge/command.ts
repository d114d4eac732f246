import type { LightSetting } from '../protocol/light.ts';
import type { Origin } from './plug-state.ts';

/** Who asks: the way in, and the person where that is known. */
export interface Asker {
  readonly origin: Origin;
  readonly user: string | null;
}

/** What a user wants of a plug or a place. Durations are milliseconds. */
export interface Command extends Asker {
  readonly relay?: 'on' | 'off' | 'toggle' | undefined;
  readonly led?: boolean | undefined;
  /** How a lamp is to be that is switched on. */
  readonly light?: LightSetting | undefined;
  /** The relay is switched back after this time. */
  readonly forMs?: number | undefined;
  /** How long to try while the plug is away; 0 tries once. Left out: the configured time. */
  readonly ttlMs?: number | undefined;
  /** The sender's own name for the command, echoed in the receipt. */
  readonly id: string | null;
  /** Where the sender wants its receipt besides the usual place (MQTT 5), with its correlation data in base64. */
  readonly replyTo?: { readonly topic: string; readonly correlation: string | null } | undefined;
  /** How it was delivered, where it may be delivered again: the same command then has the same number and `dup`. */
  readonly delivery?: { readonly packetId: number; readonly dup: boolean } | undefined;
}

/** How one plug's part of a command ended; `reason` says why it was not confirmed. */
export type Settlement =
  /** `countdown`: whether the plug's own countdown will switch back as well; only where it was to. */
  | { readonly outcome: 'confirmed'; readonly countdown?: boolean }
  | { readonly outcome: 'failed' | 'superseded' | 'expired' | 'refused' | 'locked'; readonly reason: string };

export type Outcome = Exclude<Settlement['outcome'], 'locked'> | 'partial';

/** A plug that did not confirm, and why. */
export interface Missing {
  readonly path: string;
  readonly reason: string;
}

/** The one answer to a command. `target` is the path below the base topic, `''` for the whole site. */
export interface Receipt {
  readonly id: string | null;
  readonly target: string;
  readonly relay: Command['relay'];
  readonly led: boolean | undefined;
  readonly light?: LightSetting | undefined;
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly confirmed: number;
  readonly total: number;
  readonly missing: readonly Missing[];
  /** Plugs of a place that the configuration lets no command switch; only where there are any. */
  readonly locked?: number;
  /** Whether every plug's own countdown will switch back as well; only where they were to. */
  readonly countdown?: boolean;
  readonly ms: number;
  readonly replyTo: Command['replyTo'];
}

/** The receipt for one plug. */
export function plugReceipt(path: string, command: Command, settlement: Settlement, ms: number): Receipt {
  const confirmed = settlement.outcome === 'confirmed';
  return {
    ...head(path, command),
    outcome: outcomeOf(settlement),
    ...(confirmed ? {} : { reason: settlement.reason }),
    confirmed: confirmed ? 1 : 0,
    total: 1,
    missing: confirmed ? [] : [{ path, reason: settlement.reason }],
    ...countdown([settlement]),
    ms,
  };
}

/**
 * The receipt for a place: `confirmed` only if every member did that is not locked, else the others are named. With
 * all of them locked it is `refused`.
 */
export function placeReceipt(
  path: string,
  command: Command,
  members: ReadonlyMap<string, Settlement>,
  ms: number,
): Receipt {
  const missing: Missing[] = [];
  const outcomes = new Set<Outcome>();
  let locked = 0;
  for (const [member, settlement] of members) {
    if (settlement.outcome === 'locked') {
      locked++;
      continue;
    }
    outcomes.add(settlement.outcome);
    if (settlement.outcome !== 'confirmed') missing.push({ path: member, reason: settlement.reason });
  }
  const [only = 'refused'] = outcomes;
  const outcome = outcomes.size > 1 ? 'partial' : only;
  const total = members.size;
  const why =
    locked === total ? 'all of its plugs are locked' : `${missing.length} of ${total} did not confirm`;
  return {
    ...head(path, command),
    outcome,
    ...(outcome === 'confirmed' ? {} : { reason: why }),
    confirmed: total - missing.length - locked,
    total,
    missing,
    ...(locked === 0 ? {} : { locked }),
    ...countdown(members.values()),
    ms,
  };
}

/** A single plug that is locked refuses; only among others does it not count. */
function outcomeOf({ outcome }: Settlement): Outcome {
  return outcome === 'locked' ? 'refused' : outcome;
}

/** The receipt for a command that never reached a plug. */
export function unattempted(
  path: string,
  command: Pick<Command, 'id' | 'relay' | 'led' | 'light' | 'replyTo'>,
  outcome: 'refused' | 'failed' | 'expired',
  reason: string,
): Receipt {
  return { ...head(path, command), outcome, reason, confirmed: 0, total: 0, missing: [], ms: 0 };
}

function head(
  target: string,
  { id, relay, led, light, replyTo }: Pick<Command, 'id' | 'relay' | 'led' | 'light' | 'replyTo'>,
) {
  return { id, target, relay, led, light, replyTo };
}

function countdown(settlements: Iterable<Settlement>): { countdown?: boolean } {
  const told = [...settlements].flatMap((one) =>
    'countdown' in one && one.countdown !== undefined ? [one.countdown] : [],
  );
  return told.length === 0 ? {} : { countdown: told.every(Boolean) };
}
