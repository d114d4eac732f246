import type { Bridge } from '../bridge/bridge.ts';
import type { Config } from '../config/schema.ts';
import { localTime } from '../protocol/time-zones.ts';
import { dayOf } from '../rules/calendar.ts';
import type { Tariff } from '../rules/tariff.ts';
import { energyWriter } from '../store/energy-writer.ts';
import type { History } from '../store/history.ts';
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

/** What electricity costs, if that is configured. */
function tariffOf({ tariff: { currency = 'EUR', price, bands = [] } }: Config): Tariff | undefined {
  return price === undefined ? undefined : { currency, price, bands };
}

/** The zone of the site: the one that is configured, or this machine's. */
export function timeZoneOf(config: Config): string {
  return config.clock.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}
