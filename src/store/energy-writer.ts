import type { KnownMeter } from '../bridge/metering.ts';
import type { Absence } from '../bridge/outlet-meter.ts';
import { isObject, numberAt } from '../protocol/json.ts';
import { localTime } from '../protocol/time-zones.ts';
import { type Day, dayOf } from '../rules/calendar.ts';
import { placeMissed } from '../rules/missed-days.ts';
import { type Band, bandAt, NO_BAND } from '../rules/tariff.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Booking, book, keepMeter } from './energy-records.ts';
import type { Round, Write, Writer } from './rounds.ts';
import type { Store } from './store.ts';

export interface EnergyWriterOptions {
  readonly meters: () => Iterable<KnownMeter>;
  readonly store: Store;
  /** The zone of the site, as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly bands: readonly Band[];
  readonly clock: Clock;
}

/** Energy by day is kept for so many years. */
const YEARS = 10;

/** How long the plug's own statistics are waited for that say on which days it used what nobody counted. */
const PATIENCE_MS = 600_000;

/** What writes the meters' counters, and what was used since the last round by day and band. */
export function energyWriter(options: EnergyWriterOptions): Writer {
  let lastDay: Day | undefined;
  return function* (round) {
    const { meters, store, timeZone, bands } = options;
    const time = localTime(timeZone, round.date);
    const now: Period = { day: dayOf(time), band: bandAt(bands, time) };
    for (const known of meters()) if (!known.meter.isKept) yield () => writeMeter(known, options, round, now);
    if (now.day !== lastDay)
      yield () => {
        store.write('DELETE FROM energy_day WHERE day < ?', [now.day - YEARS * 10_000]);
        return undefined;
      };
    lastDay = now.day;
  };
}

/** A day, and a band of the tariff in it. */
type Period = Pick<Booking, 'day' | 'band'>;

function writeMeter(
  known: KnownMeter,
  options: EnergyWriterOptions,
  round: Round,
  now: Period,
): ReturnType<Write> {
  const { outlet, path, meter } = known;
  const { store, clock } = options;
  const { absences } = meter;
  // Until it is known when it was used, nothing is kept: after a kill it is counted again from what was.
  if (!round.isLast && absences.some((absence) => !isPlaceable(absence, known, options, now)))
    return undefined;
  const missed = absences.reduce((sum, { energy }) => sum + energy, 0);
  const add = (booking: Omit<Booking, 'outlet' | 'path'>) => {
    if (booking.energy > 0) book(store, { outlet, path, ...booking });
  };
  add({ ...now, energy: meter.counted - meter.recorded - missed, late: 0 });
  for (const absence of absences) for (const booking of placed(absence, known, options, now)) add(booking);
  const stored = meter.stored({ now: clock.now(), date: clock.date() });
  if (stored !== undefined) keepMeter(store, outlet, stored);
  const { counted } = meter;
  return () => meter.kept(counted);
}

function isPlaceable(
  absence: Absence,
  { meter }: KnownMeter,
  options: EnergyWriterOptions,
  { day }: Period,
): boolean {
  const { timeZone, clock } = options;
  if (dayOf(localTime(timeZone, absence.since)) >= day) return true;
  return meter.days !== undefined || clock.now() - absence.foundAt > PATIENCE_MS;
}

/** On which days it was used; what nobody can tell is `late` on the day on which it was found. */
function placed(
  { since, energy }: Absence,
  { outlet, meter }: KnownMeter,
  { store, timeZone, bands }: EnergyWriterOptions,
  now: Period,
): Omit<Booking, 'outlet' | 'path'>[] {
  const began = localTime(timeZone, since);
  const from = dayOf(began);
  if (from >= now.day) {
    const band = bandAt(bands, began) === now.band ? now.band : NO_BAND;
    return [{ day: now.day, band, energy, late: 0 }];
  }
  const { days, late } = placeMissed(
    energy,
    from,
    now.day,
    meter.days ?? NO_DAYS,
    storedDays(store, outlet, from),
  );
  const booked = days.map(({ day, energy }) => ({ day, band: NO_BAND, energy, late: 0 }));
  return late === 0 ? booked : [...booked, { day: now.day, band: NO_BAND, energy: late, late }];
}

const NO_DAYS: ReadonlyMap<Day, number> = new Map();

function storedDays(store: Store, outlet: string, from: Day): Map<Day, number> {
  const sql = `
    SELECT day, sum(energy_day.energy) AS energy FROM energy_day JOIN source ON source.id = energy_day.source
    WHERE outlet = ? AND day >= ? GROUP BY day`;
  const rows = store.database.prepare(sql).all(outlet, from).filter(isObject);
  return new Map(rows.map((row) => [numberAt(row, 'day') ?? 0, numberAt(row, 'energy') ?? 0]));
}
