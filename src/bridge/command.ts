import type { Origin } from './model.ts';

/** What a user wants of a plug or a place. Durations are milliseconds. */
export interface Command {
  readonly relay?: 'on' | 'off' | 'toggle' | undefined;
  readonly led?: boolean | undefined;
  /** The relay is switched back after this time. */
  readonly forMs?: number | undefined;
  /** How long to try while the plug is away; 0 tries once. Left out: the configured time. */
  readonly ttlMs?: number | undefined;
  /** The sender's own name for the command, echoed in the receipt. */
  readonly id: string | null;
  readonly origin: Origin;
  /** Where the sender wants its receipt besides the usual place (MQTT 5), with its correlation data in base64. */
  readonly replyTo?: { readonly topic: string; readonly correlation: string | null } | undefined;
  /** How it was delivered, where it may be delivered again: the same command then has the same number and `dup`. */
  readonly delivery?: { readonly packetId: number; readonly dup: boolean } | undefined;
}

/** How one plug's part of a command ended; `reason` says why it was not confirmed. */
export type Settlement =
  /** `countdown`: whether the plug's own countdown will switch back as well; only where it was to. */
  | { readonly outcome: 'confirmed'; readonly countdown?: boolean }
  | { readonly outcome: 'failed' | 'superseded' | 'expired' | 'refused'; readonly reason: string };

export type Outcome = Settlement['outcome'] | 'partial';

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
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly confirmed: number;
  readonly total: number;
  readonly missing: readonly Missing[];
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
    outcome: settlement.outcome,
    ...(confirmed ? {} : { reason: settlement.reason }),
    confirmed: confirmed ? 1 : 0,
    total: 1,
    missing: confirmed ? [] : [{ path, reason: settlement.reason }],
    ...countdown([settlement]),
    ms,
  };
}

/** The receipt for a place: `confirmed` only if every member confirmed, else every other one is named. */
export function placeReceipt(
  path: string,
  command: Command,
  members: ReadonlyMap<string, Settlement>,
  ms: number,
): Receipt {
  const missing: Missing[] = [];
  const outcomes = new Set<Settlement['outcome']>();
  for (const [member, settlement] of members) {
    outcomes.add(settlement.outcome);
    if (settlement.outcome !== 'confirmed') missing.push({ path: member, reason: settlement.reason });
  }
  const [only] = outcomes;
  const outcome = outcomes.size === 1 && only !== undefined ? only : 'partial';
  const total = members.size;
  return {
    ...head(path, command),
    outcome,
    ...(outcome === 'confirmed' ? {} : { reason: `${missing.length} of ${total} did not confirm` }),
    confirmed: total - missing.length,
    total,
    missing,
    ...countdown(members.values()),
    ms,
  };
}

/** The receipt for a command that never reached a plug. */
export function unattempted(
  path: string,
  command: Pick<Command, 'id' | 'relay' | 'led' | 'replyTo'>,
  outcome: 'refused' | 'failed' | 'expired',
  reason: string,
): Receipt {
  return { ...head(path, command), outcome, reason, confirmed: 0, total: 0, missing: [], ms: 0 };
}

function head(
  target: string,
  { id, relay, led, replyTo }: Pick<Command, 'id' | 'relay' | 'led' | 'replyTo'>,
) {
  return { id, target, relay, led, replyTo };
}

function countdown(settlements: Iterable<Settlement>): { countdown?: boolean } {
  const told = [...settlements].flatMap((one) =>
    'countdown' in one && one.countdown !== undefined ? [one.countdown] : [],
  );
  return told.length === 0 ? {} : { countdown: told.every(Boolean) };
}
