import type { RequestOptions } from '../api/requests.ts';
import type { Bridge } from '../bridge/bridge.ts';
import type { Config } from '../config/schema.ts';
import { CommandError } from '../errors.ts';
import type { Topics } from '../mqtt/topics.ts';
import { localTime } from '../protocol/time-zones.ts';
import { dayOf } from '../rules/calendar.ts';
import type { Tariff } from '../rules/tariff.ts';
import { energyWriter } from '../store/energy-writer.ts';
import type { History } from '../store/history.ts';
import { JOURNAL_KINDS, journalJson, readJournal } from '../store/journal.ts';
import { JournalWriter } from '../store/journal-writer.ts';
import { Rounds } from '../store/rounds.ts';
import type { Store } from '../store/store.ts';
import { keepTariff } from '../store/tariffs.ts';
import type { Surroundings } from './surroundings.ts';

/** What writes to the store, minute by minute, what adds up: the energy that plugs use, and their power. */
export function roundsFor(
  config: Config,
  { bridge, store, history }: { readonly bridge: Bridge; readonly store: Store; readonly history: History },
  { clock }: Surroundings,
): Rounds {
  const timeZone = timeZoneOf(config);
  const tariff = tariffOf(config);
  if (tariff !== undefined) keepTariff(store, tariff, dayOf(localTime(timeZone, clock.date())));
  const energy = energyWriter({
    meters: () => bridge.meters(),
    store,
    timeZone,
    bands: tariff?.bands ?? [],
    clock,
  });
  const rounds = new Rounds({ store, writers: [energy, (round) => history.write(round)], clock });
  bridge.on('leaving', () => rounds.writeAll());
  return rounds;
}

/** What writes the journal, as far back as is configured. */
export function journalFor(
  { journal: { days, entries } }: Config,
  { bridge, store }: { readonly bridge: Bridge; readonly store: Store },
  { clock }: Surroundings,
): JournalWriter {
  return new JournalWriter({ bridge, store, clock, keptMs: days * DAY_MS, mostEntries: entries });
}

const DAY_MS = 86_400_000;

/** What requests read in the journal, and add to it. */
export function journalRequests({
  store,
  journal,
  topics,
}: {
  readonly store: Store;
  readonly journal: JournalWriter;
  readonly topics: Topics;
}): Pick<RequestOptions, 'journal' | 'energySet'> {
  return {
    journal: ({ kind, ...query }) => {
      const known = JOURNAL_KINDS.find((one) => one === kind);
      if (kind !== undefined && known === undefined)
        throw new CommandError('not-understood', `"kind" must be one of ${JOURNAL_KINDS.join(', ')}`);
      const entries = readJournal(store.database, { ...query, kind: known });
      return entries.map((entry) => journalJson(entry, (path) => topics.of(path)));
    },
    energySet: (path, kwh, { origin, user }) =>
      journal.add({
        ...{ kind: 'energy', path, what: `set to ${kwh} kWh`, origin, user },
        ...{ outcome: null, ms: null, detail: null },
      }),
  };
}

/** What electricity costs, if that is configured. */
function tariffOf({ tariff: { currency = 'EUR', price, bands = [] } }: Config): Tariff | undefined {
  return price === undefined ? undefined : { currency, price, bands };
}

/** The zone of the site: the one that is configured, or this machine's. */
export function timeZoneOf(config: Config): string {
  return config.clock.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}
