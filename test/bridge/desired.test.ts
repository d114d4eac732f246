import { describe, expect, it } from 'vitest';
import {
  commanded,
  correct,
  FLAP_MS,
  isFlapping,
  MOST_PUT_BACK,
  reported,
} from '../../src/bridge/correction.ts';
import {
  advance,
  armed,
  CORRECTION,
  confirmed,
  type Desired,
  expiresAt,
  isWanted,
  lagged,
  NOTHING,
  nextAt,
  ready,
  recalled,
  refused,
  release,
  retryNow,
  sending,
  settleAll,
  undelivered,
  want,
} from '../../src/bridge/desired.ts';
import type { Policy } from '../../src/bridge/policy.ts';
import { overlap, type Wish } from '../../src/bridge/wish.ts';

const POLICY: Policy = { locked: false, restore: 'keep', enforce: false, enforceAfterMs: 2000 };
const ENFORCE: Policy = { ...POLICY, enforce: true };
const LATER = () => 500;

function wish(id: number, change: Partial<Wish> = {}): Wish {
  return {
    ...{
      id,
      relay: 'on',
      led: undefined,
      light: undefined,
      forMs: 0,
      origin: 'mqtt',
      until: 10_000,
      once: false,
    },
    ...{ held: false, retryAt: 0, attempts: 0, lags: 0, instead: undefined },
    ...change,
  };
}

/** What is wanted once these wishes were taken. */
function wanting(...wishes: readonly Wish[]): Desired {
  return wishes.reduce((desired, one) => want(desired, one, POLICY).desired, NOTHING);
}

/** An outlet that was told to be on for a minute, 60 s from 0. */
const TIMED = commanded(NOTHING, true, 60_000, 0);

const report = (policy: Policy, now: number, powerCut = false) => ({ policy, now, powerCut });

describe('wishes', () => {
  it('for the relay and the LED do not supersede each other, those for the same do', () => {
    const led = wish(1, { relay: undefined, led: true });
    expect(overlap(led, wish(2))).toBe(false);
    expect(overlap(led, wish(2, { relay: undefined, led: false }))).toBe(true);
    expect(want(wanting(led), wish(2), POLICY).settled).toEqual([]);
    expect(want(wanting(wish(1)), wish(2), POLICY).settled).toMatchObject([
      { id: 1, settlement: { outcome: 'superseded' } },
    ]);
  });

  it('does so with lights where it is the same of them, or one is to be off', () => {
    const dim = (id: number, brightness: number) => wish(id, { light: { brightness } });
    expect(overlap(dim(1, 40), wish(2))).toBe(false);
    expect(overlap(wish(1), dim(2, 40))).toBe(false);
    expect(overlap(dim(1, 40), dim(2, 60))).toBe(true);
    expect(overlap(dim(1, 40), wish(2, { light: { colorTemp: 2700 } }))).toBe(false);
    for (const relay of ['off', 'toggle'] as const) {
      expect(overlap(dim(1, 40), wish(2, { relay }))).toBe(true);
      expect(overlap(wish(1, { relay }), dim(2, 40))).toBe(true);
    }
  });

  it('in flight stay until their exchange is over, and are not wanted once a newer one was taken', () => {
    const older = sending(wanting(wish(1)), 1);
    expect(isWanted(older, 1, 0)).toBe(true);
    const both = want(older, wish(2, { relay: 'off' }), POLICY);
    expect(both.settled).toEqual([]);
    expect(isWanted(both.desired, 1, 0)).toBe(false);
    expect(isWanted(both.desired, 2, 0)).toBe(true);
    expect(undelivered(both.desired, 1, 'timeout', LATER).settled).toMatchObject([
      { id: 1, settlement: { outcome: 'superseded' } },
    ]);
    expect(lagged(both.desired, 1, 'still reports OFF', LATER).settled).toMatchObject([
      { id: 1, settlement: { outcome: 'superseded' } },
    ]);
  });

  it('are neither sent nor wanted from the moment at which their time is over', () => {
    const desired = wanting(wish(1, { until: 100 }));
    expect(ready(desired, 99)?.id).toBe(1);
    expect(ready(desired, 100)).toBeUndefined();
    expect(isWanted(desired, 1, 99)).toBe(true);
    expect(isWanted(desired, 1, 100)).toBe(false);
    expect(isWanted(desired, 7, 0)).toBe(false);
    expect(advance(desired, 99, POLICY, 'timeout').settled).toEqual([]);
    expect(advance(desired, 100, POLICY, 'timeout').settled).toMatchObject([
      { id: 1, settlement: { outcome: 'expired', reason: 'timeout' } },
    ]);
    expect(advance(sending(desired, 1), 100, POLICY, 'timeout').settled).toEqual([]);
  });

  it('wait for their retry, each for its own', () => {
    const desired = wanting(wish(1), wish(2, { relay: undefined, led: true }));
    const { desired: failed } = undelivered(desired, 1, 'timeout', LATER);
    expect(ready(failed, 499)?.id).toBe(2);
    expect(ready(failed, 500)?.id).toBe(1);
    expect(ready(retryNow(failed), 0)?.id).toBe(1);
  });

  it('end each for itself where several wait, whichever was sent', () => {
    const both = wanting(wish(1), wish(2, { relay: undefined, led: true }));
    const refusal = { outcome: 'refused', reason: 'err_code -3' } as const;
    const ended = [
      confirmed(both, 2, { relay: true, refusal: undefined, now: 0 }),
      refused(both, 2, refusal, LATER),
      undelivered(
        wanting(wish(1), wish(2, { relay: undefined, led: true, once: true })),
        2,
        'timeout',
        LATER,
      ),
    ];
    for (const { settled, desired } of ended) {
      expect(settled.map(({ id }) => id)).toEqual([2]);
      expect(desired.wishes.map(({ id }) => id)).toEqual([1]);
    }
    const { desired: late } = lagged(both, 2, 'still reports OFF', LATER);
    expect(late.wishes.map(({ id, lags }) => [id, lags])).toEqual([
      [1, 0],
      [2, 1],
    ]);
  });

  it('outlive their time no sooner for one that is in flight', () => {
    const both = wanting(wish(1, { until: 100 }), wish(2, { relay: undefined, led: true, until: 200 }));
    expect(expiresAt(both)).toBe(100);
    expect(expiresAt(sending(both, 1))).toBe(200);
    expect(expiresAt(NOTHING)).toBe(Number.POSITIVE_INFINITY);
  });

  it('end all alike at the end, but for the one in flight where that is spared', () => {
    const both = sending(wanting(wish(1), wish(2, { relay: undefined, led: true })), 1);
    const stopping = { outcome: 'failed', reason: 'stopping' } as const;
    const spared = settleAll(both, stopping, true);
    expect(spared.settled.map(({ id }) => id)).toEqual([2]);
    expect(spared.desired.wishes.map(({ id }) => id)).toEqual([1]);
    const all = settleAll(both, stopping, false);
    expect(all.settled.map(({ id }) => id)).toEqual([1, 2]);
    expect(all.desired.wishes).toEqual([]);
  });

  it('for the LED alone are taken by a locked outlet', () => {
    const led = wish(1, { relay: undefined, led: true });
    const { desired, settled } = want(NOTHING, led, { ...POLICY, locked: true });
    expect(settled).toEqual([]);
    expect(desired.wishes.map(({ id }) => id)).toEqual([1]);
  });

  it('that the plug accepted without following are not hurried by its next answer', () => {
    const { desired } = lagged(wanting(wish(1)), 1, 'still reports OFF', LATER);
    expect(ready(retryNow(desired), 499)).toBeUndefined();
    expect(ready(desired, 500)).toMatchObject({ lags: 1 });
    expect(advance(desired, 10_000, POLICY, 'timeout').settled).toMatchObject([
      {
        settlement: {
          outcome: 'failed',
          reason: 'the plug accepted the command 1 times but still reports OFF',
        },
      },
    ]);
  });
});

describe('the next answer of the plug', () => {
  it('has only those tried at once that did not get through, and leaves the rest of them as it is', () => {
    const led = wish(2, { relay: undefined, led: true, attempts: 3, retryAt: 900 });
    const others = [
      wish(1, { relay: undefined, led: undefined, attempts: 2, lags: 1, retryAt: 800 }),
      wish(3, { attempts: 0, retryAt: 700 }),
    ];
    const [lagging, fresh] = others;
    const desired = { ...NOTHING, wishes: [lagging ?? led, led, fresh ?? led] };
    expect(retryNow(desired).wishes).toEqual([lagging, { ...led, retryAt: 0 }, fresh]);
    expect(retryNow({ ...NOTHING, wishes: others }).wishes).toBe(others);
    const waiting = { ...NOTHING, wishes: [wish(1, { attempts: 2 })] };
    expect(retryNow(waiting)).toBe(waiting);
  });

  it('has a correction tried at once that did not get through, as the same one, though not before its time', () => {
    const enforce = correct({ ...NOTHING, relay: true }, 'enforce', true, 2000);
    const { desired } = undelivered(enforce, CORRECTION, 'timeout', () => 60_000);
    expect(desired.correction).toMatchObject({ attempts: 1, lags: 0, retryAt: 60_000 });
    const retried = retryNow(desired);
    expect(retried).toEqual({ ...enforce, correction: { ...desired.correction, retryAt: 0 } });
    expect(nextAt(retried)).toBe(2000);
    expect(ready(retried, 1999)).toBeUndefined();
    expect(retryNow(enforce)).toBe(enforce);
    const lagging = lagged(desired, CORRECTION, 'still reports OFF', () => 70_000).desired;
    expect(lagging.correction).toMatchObject({ attempts: 1, lags: 1, retryAt: 70_000 });
    expect(retryNow(lagging)).toBe(lagging);
  });
});

describe('the time of the next attempt', () => {
  it('is made of how often the wish was tried, or of how often the plug lagged, each counted alone', () => {
    const times: number[] = [];
    const retry = (attempts: number) => {
      times.push(attempts);
      return attempts * 100;
    };
    let desired = wanting(wish(1));
    desired = undelivered(desired, 1, 'timeout', retry).desired;
    desired = undelivered(desired, 1, 'timeout', retry).desired;
    expect(desired.wishes).toMatchObject([{ attempts: 2, lags: 0, retryAt: 200 }]);
    desired = lagged(desired, 1, 'still reports OFF', retry).desired;
    expect(desired.wishes).toMatchObject([
      { attempts: 2, lags: 1, retryAt: 100, instead: 'still reports OFF' },
    ]);
    desired = lagged(desired, 1, 'still reports OFF', retry).desired;
    expect(times).toEqual([1, 2, 1, 2]);
  });

  it('is that of the earliest of all that is wanted and not held', () => {
    const led = wish(2, { relay: undefined, led: true, retryAt: 300 });
    const desired = wanting(wish(1, { retryAt: 500, held: true }), led);
    expect(nextAt(desired)).toBe(300);
    expect(nextAt(release(desired, 1))).toBe(300);
    expect(nextAt(wanting(wish(1, { held: true })))).toBe(Number.POSITIVE_INFINITY);
    expect(nextAt(NOTHING)).toBe(Number.POSITIVE_INFINITY);
    const firing = advance(TIMED, 60_000, POLICY, 'timeout').desired;
    expect(nextAt(undelivered(firing, CORRECTION, 'timeout', () => 61_000).desired)).toBe(61_000);
  });
});

describe('a newer wish', () => {
  it('takes the place of those that it overlaps with, behind the others and the one in flight', () => {
    const [first, led, both] = [
      wish(1),
      wish(2, { relay: undefined, led: true }),
      wish(3, { relay: 'off', led: false }),
    ];
    const flying = sending(wanting(first, led), 1);
    const { desired, settled } = want(flying, both, POLICY);
    expect(desired.wishes).toEqual([first, both]);
    expect(settled).toMatchObject([{ id: 2, settlement: { outcome: 'superseded' } }]);
    expect(desired.inFlight).toBe(1);
    expect(want(wanting(first), led, POLICY).desired.wishes).toEqual([first, led]);
  });

  it('for the relay of a locked outlet is settled as locked and changes nothing', () => {
    const desired = wanting(wish(1, { relay: undefined, led: true }));
    const step = want(desired, wish(2), { ...POLICY, locked: true });
    expect(step.desired).toBe(desired);
    expect(step.settled).toMatchObject([{ id: 2, settlement: { outcome: 'locked' } }]);
  });
});

describe('a correction', () => {
  it('waits behind every wish for the relay, and not behind one for the LED', () => {
    const enforced = correct({ ...NOTHING, relay: true }, 'enforce', true, 0);
    expect(ready(enforced, 0)).toMatchObject({ id: CORRECTION, relay: 'on', origin: 'bridge' });
    const waiting = want(enforced, wish(1, { held: true }), POLICY).desired;
    expect(ready(waiting, 0)).toBeUndefined();
    expect(isWanted(waiting, CORRECTION, 0)).toBe(false);
    const led = want(enforced, wish(1, { relay: undefined, led: true, held: true }), POLICY).desired;
    expect(ready(led, 0)?.id).toBe(CORRECTION);
    expect(isWanted(led, CORRECTION, 0)).toBe(true);
    expect(isWanted(NOTHING, CORRECTION, 0)).toBe(false);
  });

  it.each(['refused', 'undelivered', 'lagged'] as const)('that is %s is tried again later', (how) => {
    const off = correct(NOTHING, 'restore', false, 0);
    const next = {
      refused: () => refused(off, CORRECTION, { outcome: 'failed', reason: 'no' }, LATER),
      undelivered: () => undelivered(off, CORRECTION, 'timeout', LATER),
      lagged: () => lagged(off, CORRECTION, 'still reports ON', LATER),
    }[how]();
    expect(next.settled).toEqual([]);
    expect(ready(next.desired, 499)).toBeUndefined();
    expect(nextAt(next.desired)).toBe(500);
    expect(ready(next.desired, 500)).toMatchObject({ id: CORRECTION, relay: 'off' });
    expect(ready(retryNow(next.desired), 0)?.id).toBe(how === 'lagged' ? undefined : CORRECTION);
  });

  it('gives way to a stronger cause only: the timer before a restoration before enforcement', () => {
    const enforce = correct(NOTHING, 'enforce', true, 0);
    const restore = correct(enforce, 'restore', false, 0);
    expect(restore.correction).toMatchObject({ cause: 'restore', relay: false });
    expect(correct(restore, 'enforce', true, 0)).toBe(restore);
    expect(correct(restore, 'restore', true, 0)).toBe(restore);
    const timer = correct(restore, 'timer', true, 0);
    expect(timer.correction).toMatchObject({ cause: 'timer', relay: true });
    expect(correct(timer, 'restore', false, 0)).toBe(timer);
  });

  it('ends with its confirmation, and only that of the timer ends the timer', () => {
    const restoring = correct(TIMED, 'restore', true, 0);
    const restored = confirmed(restoring, CORRECTION, { relay: true, refusal: undefined, now: 10 }).desired;
    expect(restored).toMatchObject({ correction: null, relay: true, timer: { relay: false, at: 60_000 } });
    const firing = advance(TIMED, 60_000, POLICY, 'timeout').desired;
    const fired = confirmed(firing, CORRECTION, { relay: false, refusal: undefined, now: 60_010 }).desired;
    expect(fired).toMatchObject({ correction: null, relay: false, timer: null, disarm: true });
    const other = confirmed(restoring, CORRECTION, { relay: false, refusal: undefined, now: 10 }).desired;
    expect(other).toBe(restoring);
  });
});

describe('a timer', () => {
  it('fires at its time, not before, and never supersedes a wish', () => {
    expect(nextAt(TIMED)).toBe(60_000);
    expect(advance(TIMED, 59_999, POLICY, 'timeout').desired).toBe(TIMED);
    const due = advance(TIMED, 60_000, POLICY, 'timeout').desired;
    expect(ready(due, 60_000)).toMatchObject({ id: CORRECTION, relay: 'off' });
    const wished = want(TIMED, wish(1, { until: 90_000, retryAt: 80_000 }), POLICY).desired;
    const waiting = advance(wished, 60_000, POLICY, 'timeout');
    expect(waiting.settled).toEqual([]);
    expect(ready(waiting.desired, 60_000)).toBeUndefined();
    expect(ready(waiting.desired, 80_000)?.id).toBe(1);
  });

  it('does not fire at a locked outlet', () => {
    const { desired } = advance(TIMED, 60_000, { ...POLICY, locked: true }, 'timeout');
    expect(desired).toMatchObject({ timer: null, correction: null });
  });

  it('ends without tampering when the countdown fires a few seconds early, not when a button is pressed long before', () => {
    expect(reported(TIMED, false, report(ENFORCE, 50_000))).toMatchObject({
      relay: false,
      timer: null,
      disarm: true,
      correction: null,
    });
    expect(reported(TIMED, false, report(ENFORCE, 49_999))).toMatchObject({
      relay: true,
      timer: { at: 60_000 },
      correction: { cause: 'enforce', relay: true, notBefore: 51_999 },
    });
  });

  it('is kept by a restoration, which loses the countdown of the plug', () => {
    const after = reported(TIMED, false, report({ ...POLICY, restore: 'last' }, 10_000, true));
    expect(after).toMatchObject({
      relay: true,
      timer: { at: 60_000, armed: false },
      correction: { cause: 'restore', relay: true },
    });
  });

  it('is undone by the button where that is not put back, and its countdown taken off', () => {
    expect(reported(TIMED, false, report(POLICY, 10_000))).toMatchObject({
      relay: false,
      timer: null,
      disarm: true,
    });
  });

  it('remembers whether the plug took on the countdown, also over a restart', () => {
    const unarmed = armed(TIMED, false);
    expect(unarmed.timer?.armed).toBe(false);
    expect(armed(NOTHING, true)).toBe(NOTHING);
    expect(commanded(unarmed, true, 0, 1).disarm).toBe(false);
    expect(commanded(TIMED, true, 0, 1).disarm).toBe(true);
    const { relay, timer } = TIMED;
    expect(recalled(NOTHING, { relay, timer, disarm: true })).toMatchObject({ relay, timer, disarm: true });
    expect(recalled({ ...NOTHING, disarm: true }, { relay: null, timer: null, disarm: false }).disarm).toBe(
      true,
    );
    expect(recalled({ ...NOTHING, relay: false }, { relay: true, timer: null, disarm: false }).relay).toBe(
      false,
    );
  });
});

describe('what is reported', () => {
  it.each([
    ['keep', null],
    ['last', { cause: 'restore', relay: true }],
    ['on', { cause: 'restore', relay: true }],
    ['off', null],
  ] as const)('off after a power cut is left or put right as restore %s says', (restore, correction) => {
    const after = reported({ ...NOTHING, relay: true }, false, report({ ...POLICY, restore }, 10, true));
    if (correction === null) expect(after.correction).toBeNull();
    else expect(after.correction).toMatchObject(correction);
    expect(after.relay).toBe(correction !== null);
  });

  it('ends a correction that it fulfils, enforced or not', () => {
    const target = correct({ ...NOTHING, relay: true }, 'restore', true, 0);
    expect(reported(target, true, report(POLICY, 10)).correction).toBeNull();
    expect(reported(target, true, report(ENFORCE, 10)).correction).toBeNull();
    expect(reported(target, false, report(POLICY, 10))).toBe(target);
    const unchanged = { ...NOTHING, relay: true };
    expect(reported(unchanged, true, report(POLICY, 10))).toBe(unchanged);
  });

  it('after a power cut counts as it is with restore keep, unless changes are put back', () => {
    const off = { ...NOTHING, relay: false };
    const kept = reported(off, true, report(POLICY, 10, true));
    expect(kept).toMatchObject({ relay: true, correction: null });
    const enforced = reported(off, true, report(ENFORCE, 10, true));
    expect(enforced).toMatchObject({ relay: false, correction: { cause: 'enforce', relay: false } });
    expect(reported(enforced, true, report(ENFORCE, 11))).toBe(enforced);
  });

  it('leaves the correction of a timer alone while the relay is still as it was', () => {
    const firing = advance(TIMED, 60_000, ENFORCE, 'timeout').desired;
    expect(reported(firing, true, report(ENFORCE, 60_001))).toBe(firing);
    expect(reported(firing, false, report(ENFORCE, 60_001))).toMatchObject({ timer: null, correction: null });
    expect(reported(TIMED, true, report(ENFORCE, 10))).toBe(TIMED);
  });

  it('is put back again from the moment at which the first of the five times is ten minutes ago', () => {
    const putBack = [0, 1, 2, 3, 4];
    const target = { ...NOTHING, relay: true, putBack };
    expect(MOST_PUT_BACK).toBe(putBack.length);
    expect(reported(target, false, report(ENFORCE, FLAP_MS - 1))).toBe(target);
    expect(reported(target, false, report(ENFORCE, FLAP_MS))).toMatchObject({
      putBack: [1, 2, 3, 4, FLAP_MS],
      correction: { cause: 'enforce', relay: true, notBefore: FLAP_MS + 2000 },
    });
  });

  it('is put back so often and then left alone, until a user speaks again', () => {
    let desired: Desired = { ...NOTHING, relay: true };
    for (let time = 1; time <= MOST_PUT_BACK; time++) {
      desired = reported(desired, false, report(ENFORCE, time));
      expect(desired.correction).toMatchObject({ cause: 'enforce', relay: true });
      desired = confirmed(desired, CORRECTION, { relay: true, refusal: undefined, now: time }).desired;
    }
    const left = reported(desired, false, report(ENFORCE, 10));
    expect(left.correction).toBeNull();
    expect(isFlapping(left, false, ENFORCE)).toBe(true);
    expect(isFlapping(left, true, ENFORCE)).toBe(false);
    expect(isFlapping(left, null, ENFORCE)).toBe(false);
    expect(isFlapping({ ...left, relay: null }, false, ENFORCE)).toBe(false);
    expect(isFlapping(left, false, POLICY)).toBe(false);
    const led = want(left, wish(1, { relay: undefined, led: true }), ENFORCE).desired;
    expect(reported(led, false, report(ENFORCE, 11)).correction).toBeNull();
    const spoken = want(left, wish(1), ENFORCE).desired;
    expect(reported(spoken, false, report(ENFORCE, 11)).correction).toMatchObject({ cause: 'enforce' });
  });
});
