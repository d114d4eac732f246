import type { LightSetting } from '../protocol/light.ts';
import type { Settlement } from './command.ts';
import { type Correction, commanded, correct, corrected, type Target } from './correction.ts';
import type { Origin } from './plug-state.ts';
import type { Policy } from './policy.ts';
import { afterLag, LOCKED, outlived, overlap, SUPERSEDED, type Wish } from './wish.ts';

/*
 * What one outlet should be, and what is to be sent to it next. Pure: every function makes the next `Desired` from
 * the last; times are those of `clock.now()`. For the relay, each of these goes before all below it:
 *
 * | what          | comes from                     | while something above it waits     | ends when                        |
 * | ------------- | ------------------------------ | ---------------------------------- | -------------------------------- |
 * | the lock      | the configuration              |                                    | never: it refuses every command  |
 * | a wish        | a user's command, newest first | the older one is superseded        | confirmed, refused, expired      |
 * | the timer     | a confirmed command with `for` | it is kept, and fires afterwards   | fired, or a command confirmed    |
 * | a restoration | a power cut                    | it is kept, and is sent afterwards | reported, or a command confirmed |
 * | enforcement   | a button or app                | as a restoration                   | as a restoration                 |
 *
 * Restoration and enforcement leave a running timer alone.
 */

/** Everything that is wanted of one outlet. The same object as long as nothing changes. */
export interface Desired extends Target {
  /** Oldest first. */
  readonly wishes: readonly Wish[];
  /** The `id` of what is being sent. */
  readonly inFlight: number | null;
}

/** The `id` of a correction; those of wishes are larger. */
export const CORRECTION = 0;

/** Something to send: a wish, or a correction. */
export interface Sending {
  readonly id: number;
  readonly relay: Wish['relay'];
  readonly led: boolean | undefined;
  readonly light: LightSetting | undefined;
  readonly forMs: number;
  readonly origin: Origin;
}

/** A wish that has ended. */
export interface Settled {
  readonly id: number;
  readonly settlement: Settlement;
}

/** The next state, and the wishes that ended with it. */
export interface Step {
  readonly desired: Desired;
  readonly settled: readonly Settled[];
}

/** When the next attempt is made, after so many that failed. */
export type Retry = (attempts: number) => number;

/** Of an outlet nothing is wanted yet. */
export const NOTHING: Desired = {
  relay: null,
  timer: null,
  disarm: false,
  correction: null,
  putBack: [],
  wishes: [],
  inFlight: null,
};

const NEVER = Number.POSITIVE_INFINITY;

/** Whether nothing waits to be sent or to end: then time alone changes nothing. */
export function isIdle({ wishes, correction, timer }: Desired): boolean {
  return wishes.length === 0 && correction === null && timer === null;
}

/** Takes a wish; it supersedes those not in flight that it overlaps with. */
export function want(desired: Desired, wish: Wish, { locked }: Policy): Step {
  if (locked && wish.relay !== undefined) return { desired, settled: [{ id: wish.id, settlement: LOCKED }] };
  const waiting = desired.wishes.filter(({ id }) => id !== desired.inFlight);
  const gone = new Set(waiting.filter((older) => overlap(older, wish)));
  const wishes = [...desired.wishes.filter((older) => !gone.has(older)), wish];
  // A user has spoken: what happened at the plug before no longer counts.
  const putBack = wish.relay === undefined ? desired.putBack : [];
  return {
    desired: { ...desired, wishes, putBack },
    settled: [...gone].map(({ id }) => ({ id, settlement: SUPERSEDED })),
  };
}

/** The outlet is locked from now on: whatever waits to switch it ends, but for what is in flight. */
export function locked(desired: Desired): Step {
  const over = desired.wishes.filter(({ id, relay }) => relay !== undefined && id !== desired.inFlight);
  const { correction, timer } = desired;
  if (over.length === 0 && timer === null) return only(desired);
  return {
    desired: {
      ...desired,
      wishes: desired.wishes.filter((wish) => !over.includes(wish)),
      timer: null,
      disarm: desired.disarm || timer?.armed === true,
      correction: correction?.cause === 'timer' ? null : correction,
    },
    settled: over.map(({ id }) => ({ id, settlement: LOCKED })),
  };
}

/** It is the wish's turn among the outlets of its place. */
export function release(desired: Desired, id: number): Desired {
  return withWish(desired, id, (wish) => ({ ...wish, held: false }));
}

/** Ends the wishes whose time is over, for that `reason`, and turns a timer that is due into a correction. */
export function advance(desired: Desired, now: number, { locked }: Policy, reason: string): Step {
  if (isIdle(desired)) return only(desired);
  const { timer, wishes } = desired;
  const over = wishes.filter(({ id, until }) => until <= now && id !== desired.inFlight);
  const settled = over.map((wish) => ({ id: wish.id, settlement: outlived(wish, reason) }));
  const next =
    over.length === 0 ? desired : { ...desired, wishes: wishes.filter((wish) => !over.includes(wish)) };
  if (timer === null) return { desired: next, settled };
  if (locked) return { desired: { ...next, timer: null }, settled };
  return { desired: timer.at <= now ? correct(next, 'timer', timer.relay, timer.at) : next, settled };
}

/** What is to be sent now: the oldest wish that may be, else a correction. */
export function ready(desired: Desired, now: number): Sending | undefined {
  if (isIdle(desired)) return undefined;
  const wish = desired.wishes.find(({ held, retryAt, until }) => !held && retryAt <= now && until > now);
  if (wish !== undefined) return wish;
  const { correction } = desired;
  if (correction === null || correctionAt(desired) > now) return undefined;
  const relay = correction.relay ? 'on' : 'off';
  return { id: CORRECTION, relay, led: undefined, light: undefined, forMs: 0, origin: 'bridge' };
}

/** When there is something to be sent next; infinite for never. */
export function nextAt(desired: Desired): number {
  if (isIdle(desired)) return NEVER;
  const { wishes, correction, timer } = desired;
  const timerAt = correction?.cause === 'timer' ? NEVER : (timer?.at ?? NEVER);
  let at = Math.min(timerAt, correctionAt(desired));
  for (const { held, retryAt } of wishes) if (!held) at = Math.min(at, retryAt);
  return at;
}

/** When the next wish that waits has outlived its time; infinite for never. */
export function expiresAt({ wishes, inFlight }: Desired): number {
  let at = NEVER;
  for (const { id, until } of wishes) if (id !== inFlight) at = Math.min(at, until);
  return at;
}

/** Whether what is in flight is still to be carried out: nothing newer took over, and its time is not over. */
export function isWanted(desired: Desired, id: number, now: number): boolean {
  if (id === CORRECTION) return desired.correction !== null && !concernsRelay(desired);
  const wish = desired.wishes.find((one) => one.id === id);
  return wish !== undefined && wish.until > now && !isSuperseded(desired, wish);
}

/** Something is being sent; `id` is that of {@link ready}, or null once it is over. */
export function sending(desired: Desired, id: number | null): Desired {
  return { ...desired, inFlight: id };
}

/** A toggle was decided by what the plug says. */
export function decided(desired: Desired, id: number, relay: 'on' | 'off'): Desired {
  return withWish(desired, id, (wish) => ({ ...wish, relay }));
}

/** The plug reported what was sent, `relay` included; with `refusal` it refused the rest of it. */
export function confirmed(
  desired: Desired,
  id: number,
  { relay, refusal, now }: { relay: boolean | undefined; refusal: string | undefined; now: number },
): Step {
  const wish = desired.wishes.find((one) => one.id === id);
  if (wish === undefined) return only(relay === undefined ? desired : corrected(desired, relay, now));
  const next = relay === undefined ? desired : commanded(desired, relay, wish.forMs, now);
  return settle(
    next,
    wish,
    refusal === undefined ? { outcome: 'confirmed' } : { outcome: 'failed', reason: refusal },
  );
}

/** The plug refused what was sent. That ends a wish; a correction is tried again. */
export function refused(desired: Desired, id: number, settlement: Settlement, retry: Retry): Step {
  const wish = desired.wishes.find((one) => one.id === id);
  return wish === undefined ? only(correctLater(desired, retry)) : settle(desired, wish, settlement);
}

/** What was sent did not get through. */
export function undelivered(desired: Desired, id: number, reason: string, retry: Retry): Step {
  const wish = desired.wishes.find((one) => one.id === id);
  if (wish === undefined) return only(correctLater(desired, retry));
  if (isSuperseded(desired, wish)) return settle(desired, wish, SUPERSEDED);
  if (wish.once) return settle(desired, wish, { outcome: 'failed', reason });
  const attempts = wish.attempts + 1;
  return only(withWish(desired, id, (one) => ({ ...one, attempts, retryAt: retry(attempts) })));
}

/** The plug accepted what was sent, but reports something else, or nothing: `instead` says what. */
export function lagged(desired: Desired, id: number, instead: string, retry: Retry): Step {
  const wish = desired.wishes.find((one) => one.id === id);
  if (wish === undefined) return only(correctLater(desired, retry, 'lags'));
  if (isSuperseded(desired, wish)) return settle(desired, wish, SUPERSEDED);
  const late = { ...wish, lags: wish.lags + 1, instead, retryAt: retry(wish.lags + 1) };
  const end = afterLag(late);
  return end === undefined ? only(withWish(desired, id, () => late)) : settle(desired, wish, end);
}

/** The plug answers again: what waited for that need not wait any longer. */
export function retryNow(desired: Desired): Desired {
  if (isIdle(desired)) return desired;
  const { wishes, correction } = desired;
  const isAwaiting = ({ attempts, lags, retryAt }: Wish | Correction) =>
    attempts > 0 && lags === 0 && retryAt > 0;
  const retries = wishes.some(isAwaiting) || (correction !== null && isAwaiting(correction));
  if (!retries) return desired;
  return {
    ...desired,
    wishes: wishes.map((wish) => (isAwaiting(wish) ? { ...wish, retryAt: 0 } : wish)),
    correction: correction !== null && isAwaiting(correction) ? { ...correction, retryAt: 0 } : correction,
  };
}

/** Whether the plug took on the countdown of the running timer. A lost answer does not mean that it did not. */
export function armed(desired: Desired, isArmed: boolean): Desired {
  return desired.timer === null ? desired : { ...desired, timer: { ...desired.timer, armed: isArmed } };
}

/** The countdown was taken off the plug. */
export function disarmed(desired: Desired): Desired {
  return { ...desired, disarm: false };
}

/** What was stored of the outlet has been found; what was wanted since goes before it. */
export function recalled(desired: Desired, stored: Pick<Desired, 'relay' | 'timer' | 'disarm'>): Desired {
  return {
    ...desired,
    relay: desired.relay ?? stored.relay,
    timer: desired.timer ?? stored.timer,
    disarm: desired.disarm || stored.disarm,
  };
}

/** Ends all wishes alike, but for the one in flight if `spareInFlight`. */
export function settleAll(desired: Desired, settlement: Settlement, spareInFlight: boolean): Step {
  const isSpared = ({ id }: Wish) => spareInFlight && id === desired.inFlight;
  const settled = desired.wishes.filter((wish) => !isSpared(wish)).map(({ id }) => ({ id, settlement }));
  return { desired: { ...desired, wishes: desired.wishes.filter(isSpared) }, settled };
}

function only(desired: Desired): Step {
  return { desired, settled: [] };
}

function settle(desired: Desired, wish: Wish, settlement: Settlement): Step {
  const wishes = desired.wishes.filter(({ id }) => id !== wish.id);
  return { desired: { ...desired, wishes }, settled: [{ id: wish.id, settlement }] };
}

function withWish(desired: Desired, id: number, change: (wish: Wish) => Wish): Desired {
  return { ...desired, wishes: desired.wishes.map((wish) => (wish.id === id ? change(wish) : wish)) };
}

function concernsRelay({ wishes }: Desired): boolean {
  return wishes.some(({ relay }) => relay !== undefined);
}

function correctionAt(desired: Desired): number {
  const { correction } = desired;
  if (correction === null || concernsRelay(desired)) return NEVER;
  return Math.max(correction.notBefore, correction.retryAt);
}

function isSuperseded({ wishes }: Desired, wish: Wish): boolean {
  return wishes.some((later) => later.id > wish.id && overlap(later, wish));
}

/** The correction did not get through, or the plug lagged: it is tried again. */
function correctLater(desired: Desired, retry: Retry, counter: 'attempts' | 'lags' = 'attempts'): Desired {
  const { correction } = desired;
  if (correction === null) return desired;
  const times = correction[counter] + 1;
  return { ...desired, correction: { ...correction, [counter]: times, retryAt: retry(times) } };
}
