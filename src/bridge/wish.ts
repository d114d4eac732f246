import type { LightSetting } from '../protocol/light.ts';
import type { Settlement } from './command.ts';
import type { Origin } from './plug-state.ts';

/** One outlet's part of a user's command, until it is settled. Times are those of `clock.now()`. */
export interface Wish {
  /** Rises with each command taken. */
  readonly id: number;
  /** A toggle is decided at the first attempt, by what the plug says then. */
  readonly relay: 'on' | 'off' | 'toggle' | undefined;
  readonly led: boolean | undefined;
  /** How the lamp is to be that is switched on. */
  readonly light: LightSetting | undefined;
  /** Milliseconds after which the relay is switched back; 0 leaves it. */
  readonly forMs: number;
  readonly origin: Origin;
  /** When to give up. */
  readonly until: number;
  /** Give up after the first attempt that fails. */
  readonly once: boolean;
  /** It waits for its turn among the outlets of a place. */
  readonly held: boolean;
  /** Not to be sent before this time, after an attempt that failed. */
  readonly retryAt: number;
  /** Attempts that did not get through. */
  readonly attempts: number;
  /** How often the plug accepted it, yet did not report it. */
  readonly lags: number;
  /** What the plug did instead, when it last accepted it. */
  readonly instead: string | undefined;
}

/** How often a plug may report something else before a wish that is tried once counts as failed. */
const LAGS_FORGIVEN = 3;

export const LOCKED: Settlement = {
  outcome: 'locked',
  reason: 'locked: the configuration lets no command switch this plug',
};

export const SUPERSEDED: Settlement = { outcome: 'superseded', reason: 'a later command took over' };

/** Whether two wishes concern the same thing, so that only the later one can hold. */
export function overlap(one: Wish, other: Wish): boolean {
  return overlapInRelay(one, other) || (one.led !== undefined && other.led !== undefined);
}

/** What sets the brightness switches on as well: one that only switches on takes nothing from it, and the other way round. */
function overlapInRelay(one: Wish, other: Wish): boolean {
  if (one.relay === undefined || other.relay === undefined) return false;
  const areLights = one.relay === 'on' && other.relay === 'on' && (one.light ?? other.light) !== undefined;
  return !areLights || areOfSameLight(one.light, other.light);
}

function areOfSameLight(one: LightSetting = {}, other: LightSetting = {}): boolean {
  return (
    (one.brightness !== undefined && other.brightness !== undefined) ||
    (one.colorTemp !== undefined && other.colorTemp !== undefined)
  );
}

/** How a wish ends that has outlived its time; `reason` says why it could not be carried out. */
export function outlived(wish: Wish, reason: string): Settlement {
  return wish.lags > 0 ? lagging(wish) : { outcome: 'expired', reason };
}

/** How a wish ends that the plug accepted but did not carry out; `undefined` if it is tried again. */
export function afterLag(wish: Wish): Settlement | undefined {
  return wish.once && wish.lags > LAGS_FORGIVEN ? lagging(wish) : undefined;
}

function lagging({ lags, instead = 'does not report it' }: Wish): Settlement {
  return { outcome: 'failed', reason: `the plug accepted the command ${lags} times but ${instead}` };
}
