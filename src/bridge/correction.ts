import type { Policy } from './policy.ts';

/** The end of a command with `for`. Times are those of `clock.now()`. */
export interface Timer {
  /** What the relay is to be then. */
  readonly relay: boolean;
  readonly at: number;
  /** Whether the plug's own countdown may do the same. */
  readonly armed: boolean;
}

/** Causes of a correction, the strongest first. */
const CAUSES = ['timer', 'restore', 'enforce'] as const;

/** A relay change that the bridge makes by itself. */
export interface Correction {
  readonly cause: (typeof CAUSES)[number];
  readonly relay: boolean;
  /** How long a change made at the plug may stand. */
  readonly notBefore: number;
  /** Not to be sent before this time, after an attempt that failed. */
  readonly retryAt: number;
  readonly attempts: number;
  readonly lags: number;
}

/** What the relay should be, beyond the commands of the moment. The same object as long as nothing changes. */
export interface Target {
  /** As last commanded, or as last seen where that is not enforced. */
  readonly relay: boolean | null;
  readonly timer: Timer | null;
  /** The plug's own countdown is armed for what no longer holds. */
  readonly disarm: boolean;
  readonly correction: Correction | null;
  /** When changes made at the plug were put back lately. */
  readonly putBack: readonly number[];
}

/** What is known when the plug reports its relay; `powerCut` if it had no power since its last report. */
export interface Report {
  readonly policy: Policy;
  readonly powerCut: boolean;
  readonly now: number;
}

/** The plug counts whole seconds by a clock of its own: its countdown may be this early. */
const COUNTDOWN_EARLY_MS = 10_000;

/** An outlet that is put back more often than this within {@link FLAP_MS} is left alone. */
export const MOST_PUT_BACK = 5;
export const FLAP_MS = 600_000;

/** Sets a correction, unless a stronger one or the same is under way. */
export function correct<T extends Target>(
  target: T,
  cause: Correction['cause'],
  relay: boolean,
  notBefore: number,
): T {
  const { correction } = target;
  if (correction !== null && CAUSES.indexOf(correction.cause) <= CAUSES.indexOf(cause)) return target;
  return { ...target, correction: { cause, relay, notBefore, retryAt: 0, attempts: 0, lags: 0 } };
}

/** A user's command switched the relay, for so long if `forMs` is not 0: it ends all that was wanted before. */
export function commanded<T extends Target>(target: T, relay: boolean, forMs: number, now: number): T {
  if (forMs > 0) {
    const timer = { relay: !relay, at: now + forMs, armed: true };
    return { ...target, relay, correction: null, disarm: false, timer };
  }
  const disarm = target.disarm || target.timer?.armed === true;
  return { ...target, relay, correction: null, disarm, timer: null };
}

/** The relay was switched for a correction; only that of the timer ends the timer. */
export function corrected<T extends Target>(target: T, relay: boolean, now: number): T {
  const { correction } = target;
  // It was sent for another correction, before a stronger one took its place.
  if (correction?.relay !== relay) return target;
  return correction.cause === 'timer'
    ? commanded(target, relay, 0, now)
    : { ...target, relay, correction: null };
}

/** The plug reports its relay, which the bridge did not set just now. */
export function reported<T extends Target>(target: T, relay: boolean, report: Report): T {
  const { timer } = target;
  const { policy, powerCut, now } = report;
  if (timer !== null && relay === timer.relay && now >= timer.at - COUNTDOWN_EARLY_MS)
    return elapsed(target, timer);
  if (powerCut) return restored(target, relay, report);
  if (policy.enforce && target.relay !== null) return enforced(target, relay, report);
  if (target.correction?.cause === 'restore' && relay !== target.relay) return target;
  return noted(target, relay);
}

/** Whether the outlet is left as it was switched at the plug, since it was put back too often. */
export function isFlapping(
  { relay: wanted, correction }: Target,
  relay: boolean | null,
  { enforce }: Policy,
): boolean {
  return enforce && relay !== null && wanted !== null && relay !== wanted && correction === null;
}

/** The timer is over: by the plug's own countdown most likely, which is taken off it in case it was not. */
function elapsed<T extends Target>(target: T, { relay, armed }: Timer): T {
  const correction = target.correction?.cause === 'timer' ? null : target.correction;
  return { ...target, relay, timer: null, disarm: target.disarm || armed, correction };
}

function restored<T extends Target>(target: T, relay: boolean, report: Report): T {
  const { policy, now } = report;
  // The plug's own countdown did not survive the power cut.
  const after = target.timer === null ? target : { ...target, timer: { ...target.timer, armed: false } };
  if (policy.restore === 'keep') return policy.enforce ? enforced(after, relay, report) : noted(after, relay);
  const wanted = policy.restore === 'last' ? target.relay : policy.restore === 'on';
  if (wanted === null || wanted === relay) return noted(after, relay);
  return correct({ ...after, relay: wanted }, 'restore', wanted, now);
}

function enforced<T extends Target>(target: T, relay: boolean, { policy, now }: Report): T {
  const { correction } = target;
  if (relay === target.relay || target.relay === null) {
    const isOver = correction !== null && correction.cause !== 'timer';
    return isOver ? { ...target, correction: null } : target;
  }
  if (correction !== null) return target;
  const putBack = target.putBack.filter((at) => at > now - FLAP_MS);
  if (putBack.length >= MOST_PUT_BACK) return target;
  const noticed = { ...target, putBack: [...putBack, now] };
  return correct(noticed, 'enforce', target.relay, now + policy.enforceAfterMs);
}

/** The relay is left as it is reported: as it was switched at the plug, or as it should be. */
function noted<T extends Target>(target: T, relay: boolean): T {
  const { timer, correction } = target;
  const isUndone = timer !== null && relay === timer.relay;
  const isDone = correction !== null && correction.relay === relay;
  if (relay === target.relay && !isUndone && !isDone) return target;
  return {
    ...target,
    relay,
    timer: isUndone ? null : timer,
    disarm: target.disarm || (isUndone && timer.armed),
    correction: isUndone || isDone ? null : correction,
  };
}
