import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  count,
  firstSeen,
  type LifetimeEnergy,
  MOST_WATTS,
  mostIn,
  ROUNDING,
  recalled,
  setTo,
} from '../../src/rules/lifetime-energy.ts';

const WH = 1000;
const KWH = 1000 * WH;
const POLL_MS = 5000;

/** The counter after a plug showed these totals, one every five seconds. */
function shown(totals: readonly number[], begin = firstSeen(totals[0] ?? 0, 0)): LifetimeEnergy {
  return totals.reduce((energy, total, index) => count(energy, total, (index + 1) * POLL_MS), begin);
}

describe('the lifetime counter', () => {
  it('begins with what the plug has counted so far, and goes on with it', () => {
    expect(shown([12 * KWH, 12 * KWH + 2 * WH, 12 * KWH + 5 * WH]).lifetime).toBe(12 * KWH + 5 * WH);
  });

  it('goes on when the plug has started anew, once a second reading confirms it', () => {
    const before = shown([12 * KWH]);
    const doubtful = count(before, 1 * WH, 2 * POLL_MS);
    expect(doubtful).toMatchObject({ lifetime: 12 * KWH, restarts: 0, glitches: 0 });
    expect(count(doubtful, 3 * WH, 3 * POLL_MS)).toMatchObject({
      lifetime: 12 * KWH + 3 * WH,
      restarts: 1,
      glitches: 0,
      suspect: null,
    });
  });

  it.each([
    ['zero', 0],
    ['1e9 kWh', 1e9 * KWH],
    ['a little less', 11 * KWH],
    ['100 kWh more', 112 * KWH],
  ])('passes over one reading that is a mistake: %s', (_, mistake) => {
    const energy = shown([12 * KWH, mistake, 12 * KWH + 2 * WH]);
    expect(energy).toMatchObject({ lifetime: 12 * KWH + 2 * WH, restarts: 0, glitches: 1, suspect: null });
  });

  it('passes over mistakes that do not agree, each of them', () => {
    expect(shown([12 * KWH, 0, 99 * KWH, 12 * KWH])).toMatchObject({ lifetime: 12 * KWH, glitches: 2 });
  });

  it('does not show a dip, nor count twice what the plug counts again after it', () => {
    expect(shown([12 * KWH, 12 * KWH - WH, 12 * KWH - WH]).lifetime).toBe(12 * KWH);
    expect(shown([12 * KWH, 12 * KWH - WH, 12 * KWH, 12 * KWH + WH]).lifetime).toBe(12 * KWH + WH);
  });

  it('counts from where a counter goes on that did not begin at zero: what lies between is not known', () => {
    expect(shown([100 * KWH, 60 * KWH, 60 * KWH + WH]).lifetime).toBe(100 * KWH + WH);
    expect(shown([100 * KWH, 900 * KWH, 900 * KWH + WH]).lifetime).toBe(100 * KWH + WH);
  });

  it('believes a plug that brings its counter up to date only now and then', () => {
    const minute = Array.from({ length: 12 }, () => 12 * KWH);
    expect(shown([...minute, 12 * KWH + 50 * WH])).toMatchObject({
      lifetime: 12 * KWH + 50 * WH,
      glitches: 0,
    });
  });

  it('does not believe more after an idle night than after ten minutes', () => {
    const idle = count(shown([12 * KWH]), 12 * KWH, 8 * 3_600_000);
    expect(count(idle, 20 * KWH, 8 * 3_600_000 + POLL_MS).lifetime).toBe(12 * KWH);
  });

  describe('of an earlier run', () => {
    const HOUR = 3_600_000;
    const stored = { lifetime: 500 * KWH, total: 12 * KWH };

    it('counts what the plug counted meanwhile', () => {
      expect(count(recalled(stored, 0, 2 * HOUR), 12 * KWH + 80 * WH, 0).lifetime).toBe(500 * KWH + 80 * WH);
    });

    it('counts what the plug counted since it booted meanwhile', () => {
      const energy = count(recalled(stored, 0, 2 * HOUR), 80 * WH, 0);
      expect(count(energy, 81 * WH, POLL_MS)).toMatchObject({ lifetime: 500 * KWH + 81 * WH, restarts: 1 });
    });

    it('counts it also if the wall clock of the machine does not know how long that was', () => {
      for (const agoMs of [0, -HOUR]) {
        const energy = count(recalled(stored, 0, agoMs), 15 * KWH, 0);
        expect(energy.lifetime).toBe(500 * KWH);
        expect(count(energy, 15 * KWH + WH, POLL_MS).lifetime).toBe(503 * KWH + WH);
      }
    });

    it('counts nothing of a counter that cannot have come so far, and what follows', () => {
      const energy = count(recalled(stored, 0, HOUR), 90_000 * KWH, 0);
      expect(count(energy, 90_000 * KWH + WH, POLL_MS).lifetime).toBe(500 * KWH + WH);
    });
  });

  it('that is set goes on from there, up or down', () => {
    const set = setTo(shown([12 * KWH]), 3 * KWH);
    expect(count(set, 12 * KWH + WH, 2 * POLL_MS).lifetime).toBe(3 * KWH + WH);
  });

  it('takes what a new plug has counted elsewhere for nothing', () => {
    const energy = recalled({ lifetime: 500 * KWH, total: null }, 0, 0);
    expect(shown([77 * KWH, 77 * KWH + WH], energy).lifetime).toBe(500 * KWH + WH);
  });
});

/** What may happen between two readings. */
type Event =
  | { readonly kind: 'use'; readonly watts: number; readonly ms: number }
  | { readonly kind: 'boot' }
  | { readonly kind: 'glitch'; readonly total: number }
  | { readonly kind: 'dip' }
  | { readonly kind: 'restart'; readonly awayMs: number; readonly watts: number; readonly boots: boolean };

const watts = fc.integer({ min: 0, max: 3680 });
const events: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('use' as const),
      watts,
      ms: fc.integer({ min: 200, max: 900_000 }),
    }),
  },
  fc.constant({ kind: 'boot' as const }),
  fc.record({
    kind: fc.constant('glitch' as const),
    total: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1e12 })),
  }),
  fc.constant({ kind: 'dip' as const }),
  fc.record({
    kind: fc.constant('restart' as const),
    awayMs: fc.integer({ min: 0, max: 3 * 86_400_000 }),
    watts,
    boots: fc.boolean(),
  }),
);

/** A plug that uses energy, boots and shows mistakes, and the counter that reads it; what it truly used, and what nobody can know. */
class Trial {
  now = 0;
  #used = 0;
  #sinceBoot = 0;
  /** Used after the last reading and before a boot. */
  unseen = 0;
  #unread = 0;
  energy = firstSeen(0, 0);
  lifetimes: number[] = [];

  get used(): number {
    return Math.floor(this.#used);
  }

  happen(event: Event): void {
    if (event.kind === 'use') this.#use(event.watts, event.ms);
    else if (event.kind === 'boot') this.#boot();
    else if (event.kind === 'restart') this.#restart(event);
    if (event.kind === 'glitch') this.#read(event.total);
    else if (event.kind === 'dip') this.#read(Math.max(0, this.#shown - WH));
    // Two readings: a mistake is over with the next one, a boot is confirmed.
    for (let reading = 0; reading < 2; reading++) {
      this.now += POLL_MS;
      this.#read(this.#shown);
    }
    this.#unread = 0;
  }

  /** Hardware 2 shows whole Wh. */
  get #shown(): number {
    return Math.floor(this.#sinceBoot / WH) * WH;
  }

  #read(total: number): void {
    this.energy = count(this.energy, total, this.now);
    this.lifetimes.push(this.energy.lifetime);
  }

  #use(watts: number, ms: number): void {
    const energy = (watts * WH * ms) / 3_600_000;
    this.#used += energy;
    this.#sinceBoot += energy;
    this.#unread += energy;
    this.now += ms;
  }

  #boot(): void {
    // What was not shown yet is gone, and a counter that begins again below the smallest fall seems to go on.
    this.unseen += this.#unread + 2 * WH + Math.min(this.#shown, ROUNDING);
    this.#unread = 0;
    this.#sinceBoot = 0;
  }

  #restart({ awayMs, watts, boots }: Extract<Event, { kind: 'restart' }>): void {
    const { lifetime, total } = this.energy;
    this.#use(watts, awayMs);
    if (boots) this.#boot();
    this.energy = recalled({ lifetime, total }, this.now, awayMs);
  }
}

describe('whatever a plug does, the lifetime counter', () => {
  const trial = (happened: readonly Event[]) => {
    const site = new Trial();
    for (const event of happened) site.happen(event);
    return site;
  };

  it('never falls, and never counts what was not used', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (happened) => {
        const { lifetimes, energy, used } = trial(happened);
        for (const [index, lifetime] of lifetimes.entries())
          expect(lifetime).toBeGreaterThanOrEqual(lifetimes[index - 1] ?? 0);
        expect(energy.lifetime).toBeLessThanOrEqual(used + ROUNDING);
      }),
      { numRuns: 2000 },
    );
  });

  it('loses nothing but what the plug itself had not shown when it booted', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (happened) => {
        const { energy, used, unseen } = trial(happened.filter(({ kind }) => kind !== 'glitch'));
        expect(used - energy.lifetime).toBeLessThanOrEqual(unseen + 2 * WH);
      }),
      { numRuns: 2000 },
    );
  });

  it('rises by no more than any plug can draw', () => {
    const totals = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 100 * KWH }), fc.integer({ min: 0, max: 5 * WH })),
    );
    fc.assert(
      fc.property(totals, (read) => {
        const energy = shown(read, firstSeen(0, 0));
        expect(energy.lifetime).toBeLessThanOrEqual(
          mostIn(read.length * POLL_MS) + read.length * 2 * ROUNDING,
        );
        expect(energy.glitches).toBeLessThanOrEqual(read.length);
      }),
    );
    expect(mostIn(3_600_000)).toBe(MOST_WATTS * WH);
  });
});
