/*
 * The lifetime counter of one outlet, made of the plug's own counter, which starts anew whenever the plug boots. Pure:
 * energy is in thousandths of a Wh, as whole numbers that add up exactly; times are milliseconds of `clock.now()`.
 */

/** What an outlet used in all, and what that is counted on from. */
export interface LifetimeEnergy {
  /** It never falls, unless it is set. */
  readonly lifetime: number;
  /** What the plug's own counter showed when it was last believed; `null` if that is not known: the next reading says. */
  readonly total: number | null;
  /** Since when the plug's counter has shown `total`. */
  readonly since: number;
  /** When it was last read. */
  readonly at: number;
  /** It comes from an earlier run: how long ago that was is told by the wall clock only, which may be wrong. */
  readonly recalled: boolean;
  /** A reading that does not follow from the last one: the next shows whether it was a mistake. */
  readonly suspect: { readonly total: number; readonly at: number } | null;
  /** How often the plug's counter was found to have started anew. */
  readonly restarts: number;
  /** Readings that turned out to be mistakes. */
  readonly glitches: number;
}

/** W; the ratings of these plugs end at 16 A and 250 V. */
export const MOST_WATTS = 5000;

/** Counters are rounded, and some fall by a digit now and then: by less than this nothing is meant. */
export const ROUNDING = 2000;

/** A plug may bring its counter up to date only so often. */
const UPDATE_MS = 600_000;

/** After a restart of the machine a wall clock may not tell how long it was off: a plug may have counted for so long. */
const LONGEST_ABSENCE_MS = 31 * 86_400_000;

const MS_PER_HOUR = 3_600_000;

/** The counter of an outlet that has never been read: what the plug shows first is what it has used so far. */
export function firstSeen(total: number, at: number): LifetimeEnergy {
  return begun(total, total, at);
}

/** The counter of an outlet that has none of its own: it begins at 0. */
export function uncounted(at: number): LifetimeEnergy {
  return begun(0, null, at);
}

function begun(lifetime: number, total: number | null, at: number): LifetimeEnergy {
  return { lifetime, total, since: at, at, recalled: false, suspect: null, restarts: 0, glitches: 0 };
}

/** The counter as an earlier run left it `agoMs` ago. */
export function recalled(
  { lifetime, total }: Pick<LifetimeEnergy, 'lifetime' | 'total'>,
  now: number,
  agoMs: number,
): LifetimeEnergy {
  return { ...begun(lifetime, total, now - Math.max(0, agoMs)), recalled: true };
}

/**
 * The counter after the plug showed `total`. A reading that does not follow from the last one is believed once a second
 * follows from it: the plug's counter has then started anew, and what it used unseen before that stays unknown.
 */
export function count(energy: LifetimeEnergy, total: number, at: number): LifetimeEnergy {
  const { suspect } = energy;
  if (energy.total === null) return taken(energy, total, at, 0);
  const used = total - energy.total;
  if (isPossible(used, at - energy.since, at - energy.at))
    return taken(energy, Math.max(total, energy.total), at, Math.max(0, used));
  if (suspect === null || !isPossible(total - suspect.total, at - suspect.at, 0))
    return { ...energy, suspect: { total, at }, glitches: energy.glitches + (suspect === null ? 0 : 1) };
  const restarts = energy.restarts + 1;
  return {
    ...taken({ ...energy, suspect: null }, total, at, usedSince(energy, suspect.total, total, at)),
    restarts,
  };
}

/** The counter set to what another meter shows; it goes on from there. */
export function setTo(energy: LifetimeEnergy, lifetime: number): LifetimeEnergy {
  return { ...energy, lifetime };
}

/** The most that can be used in so many milliseconds. */
export function mostIn(ms: number): number {
  return (MOST_WATTS * 1000 * ms) / MS_PER_HOUR;
}

/** What is known to be used when a second reading confirms that the plug's counter goes on from somewhere else. */
function usedSince(energy: LifetimeEnergy, first: number, second: number, at: number): number {
  const rose = second - (energy.total ?? second);
  if (rose > 0)
    return energy.recalled && rose <= mostIn(LONGEST_ABSENCE_MS) ? rose : Math.max(0, second - first);
  // It began at 0, if it can have come that far since the last reading.
  return second <= mostIn(at - energy.at) + ROUNDING ? second : Math.max(0, second - first);
}

/** Whether a counter can have changed by `used` if it has shown the same for `sameMs` and was read `readMs` ago. */
function isPossible(used: number, sameMs: number, readMs: number): boolean {
  return used >= -ROUNDING && used <= mostIn(Math.min(sameMs, readMs + UPDATE_MS)) + ROUNDING;
}

function taken(energy: LifetimeEnergy, total: number, at: number, used: number): LifetimeEnergy {
  const { suspect } = energy;
  return {
    lifetime: energy.lifetime + used,
    total,
    since: total === energy.total ? energy.since : at,
    at,
    recalled: false,
    suspect: null,
    restarts: energy.restarts,
    glitches: energy.glitches + (suspect === null ? 0 : 1),
  };
}
