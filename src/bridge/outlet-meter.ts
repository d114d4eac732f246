import type { Statistics } from '../plug/statistics.ts';
import type { MeterReading } from '../protocol/replies.ts';
import { type Day, dayOf } from '../rules/calendar.ts';
import {
  checkLamp,
  type LampCheck,
  type LampSettings,
  type LampVerdict,
  relearn,
  UNKNOWN_LAMP,
} from '../rules/lamp.ts';
import {
  count,
  firstSeen,
  type LifetimeEnergy,
  mostIn,
  recalled,
  setTo,
  uncounted,
} from '../rules/lifetime-energy.ts';
import { type BookedDay, type DayEnergy, missedSince, usedByDays } from '../rules/missed-days.ts';
import { isGlitch } from '../rules/plausibility.ts';

/** What the meter of an outlet shows, and what follows from it; `null` is "not known". */
export interface Metered {
  /** W */
  readonly power: number | null;
  /** V */
  readonly voltage: number | null;
  /** A */
  readonly current: number | null;
  /** kWh, all that the outlet used since it was first seen, and what its plug had counted until then. */
  readonly energy: number | null;
  /** kWh since the plug last booted. */
  readonly energyBoot: number | null;
  readonly lamp: LampVerdict | null;
  /** Readings that were held back as mistakes of the meter, since the bridge started. */
  readonly glitches: number;
}

/** What must be known of a meter after a restart of the bridge. Energy is in thousandths of a Wh here. */
export interface StoredMeter {
  readonly lifetime: number;
  /** What the plug's own counter showed then. */
  readonly total: number | null;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly booked: Booked | null;
  readonly lamp: Pick<LampCheck, 'verdict' | 'learnt' | 'samples'>;
}

/** What the plug's own statistics showed at that time (milliseconds since 1970). */
export interface Booked extends BookedDay {
  readonly at: number;
}

/** Energy that was used while nobody counted, from then on (milliseconds since 1970). */
export interface Absence {
  readonly since: number;
  readonly energy: number;
  /** When it was found, by `clock.now()`. */
  readonly foundAt: number;
}

/** What is stored of a meter. */
interface Kept {
  readonly lifetime: number | undefined;
  readonly total: number | null;
  readonly booked: Booked | null;
  readonly lamp: LampCheck;
}

/** The same moment by `clock.now()` and by `clock.date()`. */
export interface Instant {
  readonly now: number;
  readonly date: number;
}

/** A counter that was not read for so long may have gone on over a midnight. */
const ABSENCE_MS = 600_000;

/** What the meter of one outlet adds up to: its lifetime counter, its lamp. The one owner of both. */
export class OutletMeter implements Metered {
  power: number | null = null;
  voltage: number | null = null;
  current: number | null = null;
  energy: number | null = null;
  energyBoot: number | null = null;
  glitches = 0;
  /** Thousandths of a Wh used since the bridge started; what the places add up, and what is stored by day. */
  counted = 0;
  /** What of it is stored by day. */
  recorded = 0;
  #settings: LampSettings | null;
  #energy: LifetimeEnergy | undefined;
  #lamp: LampCheck = UNKNOWN_LAMP;
  #booked: Booked | null = null;
  /** The plug's counter started anew, or nobody read it for a while: its statistics may know of more. */
  #mayHaveMissed = false;
  /** The meter of a bulb counts nothing: what it used is told by its statistics alone. */
  #hasCounter = true;
  #wasGlitch = false;
  #absences: Absence[] = [];
  #days: DayEnergy | undefined;
  /** What was stored last. */
  #kept: Kept = { lifetime: undefined, total: null, booked: null, lamp: UNKNOWN_LAMP };

  constructor(lamp: LampSettings | undefined) {
    this.#settings = lamp ?? null;
  }

  /** From now on the lamp should draw that. */
  configure(lamp: LampSettings | undefined): void {
    this.#settings = lamp ?? null;
  }

  /** Whether there is a lamp to be checked. */
  get checksLamp(): boolean {
    return this.#settings !== null;
  }

  get lamp(): LampVerdict | null {
    return this.#settings === null ? null : this.#lamp.verdict;
  }

  /** Energy used while nobody counted, that is not stored by day yet. */
  get absences(): readonly Absence[] {
    return this.#absences;
  }

  /** What the plug's own statistics show of the days since; `undefined` until they have been read. */
  get days(): DayEnergy | undefined {
    return this.#days;
  }

  /** From when on the plug's statistics are wanted (milliseconds since 1970), if of more than today. */
  get wantsDaysSince(): number | undefined {
    const [first] = this.#absences;
    const booked = this.#mayHaveMissed ? this.#booked?.at : undefined;
    return booked === undefined ? first?.since : Math.min(booked, first?.since ?? booked);
  }

  /** What was stored of the meter has been found. */
  recall({ lifetime, total, at, booked, lamp }: StoredMeter, { now, date }: Instant): void {
    this.#energy = recalled({ lifetime, total }, now, date - at);
    this.#booked = booked;
    this.#mayHaveMissed = booked !== null;
    this.#lamp = { ...UNKNOWN_LAMP, ...lamp };
    this.#kept = { lifetime, total, booked, lamp: this.#lamp };
  }

  /** Whether what must survive a restart is stored already. */
  get isKept(): boolean {
    const { lifetime, total, booked, lamp } = this.#kept;
    const isCounted = lifetime === this.#energy?.lifetime && total === (this.#energy?.total ?? null);
    return isCounted && booked === this.#booked && lamp === this.#lamp && this.recorded === this.counted;
  }

  /** What must survive a restart; `undefined` before anything has been read. */
  stored({ now, date }: Instant): StoredMeter | undefined {
    if (this.#energy === undefined) return undefined;
    const { lifetime, total, at } = this.#energy;
    const { verdict, learnt, samples } = this.#lamp;
    return {
      lifetime,
      total,
      at: Math.round(date - now + at),
      booked: this.#booked,
      lamp: { verdict, learnt, samples },
    };
  }

  /** The plug has answered; `reading` is what its meter said, if it did. */
  read(reading: MeterReading | undefined, relay: boolean | null, instant: Instant): void {
    const isHeld = reading !== undefined && this.#isHeld(reading);
    if (!isHeld) {
      this.power = rounded(reading?.power);
      this.voltage = rounded(reading?.voltage);
      this.current = rounded(reading?.current);
    }
    if (reading !== undefined)
      this.#hasCounter = reading.energy !== undefined || typeof this.#energy?.total === 'number';
    if (reading?.energy !== undefined) this.#count(reading.energy, instant);
    else if (!isHeld) {
      this.energyBoot = null;
      this.energy = this.#hasCounter || this.#energy === undefined ? null : inKwh(this.#energy);
    }
    if (this.#settings !== null)
      this.#lamp = checkLamp(this.#lamp, this.#settings, { relay, power: this.power, at: instant.now });
  }

  /** The plug's own statistics were read. */
  observeStatistics({ time, days }: Pick<Statistics, 'time' | 'days'>, { now, date }: Instant): void {
    const energy = this.#hasCounter ? this.#energy : (this.#energy ?? uncounted(now));
    if (energy === undefined || time === undefined || days === undefined) return;
    // Until it is clear how the counter goes on, nothing can be added to it.
    if (this.#hasCounter && (energy.recalled || energy.suspect !== null)) return;
    const today = dayOf(time);
    if (this.#booked !== null && today < this.#booked.day) return;
    const byDay = energyByDay(days);
    const unseen = this.#unseen(energy, byDay, today, now);
    if (unseen > 0 || !this.#hasCounter) {
      this.#use(unseen, this.#booked?.at, now);
      this.#become(setTo(energy, energy.lifetime + unseen));
    }
    if (this.#absences.length > 0) this.#days = byDay;
    this.#mayHaveMissed = false;
    this.#booked = {
      at: date,
      day: today,
      energy: byDay.get(today) ?? 0,
      lifetime: this.#energy?.lifetime ?? 0,
    };
  }

  /** Sets the lifetime counter to so many kWh; false while there is none. */
  set(kwh: number): boolean {
    if (this.#energy === undefined) return false;
    const lifetime = thousandths(kwh);
    const by = lifetime - this.#energy.lifetime;
    if (this.#booked !== null) this.#booked = { ...this.#booked, lifetime: this.#booked.lifetime + by };
    this.#become(setTo(this.#energy, lifetime));
    return true;
  }

  /** Learns anew what the lamp draws; false if that is not learnt. */
  relearn(): boolean {
    if (this.#settings?.watts !== 'learn') return false;
    this.#lamp = relearn(this.#lamp);
    return true;
  }

  /** All that was counted up to `counted` is stored, by day as well. */
  kept(counted: number): void {
    this.recorded = counted;
    this.#absences = [];
    this.#days = undefined;
    this.#kept = {
      lifetime: this.#energy?.lifetime,
      total: this.#energy?.total ?? null,
      booked: this.#booked,
      lamp: this.#lamp,
    };
  }

  /** A reading that cannot be right is passed over once; a second one is taken as it is. */
  #isHeld(reading: MeterReading): boolean {
    const wasGlitch = this.#wasGlitch;
    this.#wasGlitch = isGlitch(reading);
    if (this.#wasGlitch) this.glitches++;
    return this.#wasGlitch && !wasGlitch;
  }

  #count(kwh: number, { now, date }: Instant): void {
    const total = thousandths(kwh);
    const before = this.#energy ?? firstSeen(total, now);
    const after = count(before, total, now);
    this.energyBoot = rounded(kwh);
    this.glitches += after.glitches - before.glitches;
    if (after.restarts > before.restarts) this.#mayHaveMissed = true;
    const agoMs = now - before.at;
    this.#use(after.lifetime - before.lifetime, agoMs > ABSENCE_MS ? date - agoMs : undefined, now);
    this.#become(after);
  }

  /** What the statistics show that is not in the counter. */
  #unseen(energy: LifetimeEnergy, byDay: DayEnergy, today: Day, now: number): number {
    const before = this.#booked;
    if (before === null) return 0;
    if (!this.#hasCounter) return usedByDays(before, byDay, today);
    if (!this.#mayHaveMissed) return 0;
    return missedSince(before, byDay, today, energy.lifetime, mostIn(now - energy.at));
  }

  #use(energy: number, since: number | undefined, foundAt: number): void {
    if (energy === 0) return;
    this.counted += energy;
    if (since !== undefined) this.#absences.push({ since, energy, foundAt });
  }

  #become(energy: LifetimeEnergy): void {
    this.#energy = energy;
    this.energy = inKwh(energy);
  }
}

function energyByDay(days: NonNullable<Statistics['days']>): DayEnergy {
  return new Map(
    days.map(({ year, month, day = 0, energy }): [Day, number] => [
      dayOf({ year, month, day }),
      thousandths(energy),
    ]),
  );
}

function inKwh({ lifetime }: LifetimeEnergy): number {
  return Math.round(lifetime / 1000) / 1000;
}

function thousandths(kwh: number): number {
  return Math.round(kwh * 1_000_000);
}

/** Meters resolve thousandths (mW, mV, mA, Wh); what floats add beyond that is noise. */
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1000) / 1000;
}
