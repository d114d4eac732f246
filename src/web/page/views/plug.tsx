import { useMemo } from 'preact/hooks';
import { useAsked } from '../asked.ts';
import { withQuery } from '../http.ts';
import { wantedOf } from '../live/tree.ts';
import { type Page, rightsOf, usePage, useSite } from '../page.ts';
import { Bars } from '../parts/bars.tsx';
import { Brightness } from '../parts/brightness.tsx';
import { PowerChart } from '../parts/chart.tsx';
import { Glyph, Icon } from '../parts/glyph.tsx';
import { standing } from '../parts/said.ts';
import { Switch } from '../parts/switch.tsx';
import { hashOf } from '../route.ts';
import { monthAfter } from '../text/months.ts';
import type { Energy, History, Plug } from '../wire.ts';
import { Entries } from './journal.tsx';
import { Manage } from './manage.tsx';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** One plug: what it is doing, what it used, what it is, what happened to it. */
export function PlugView({ path }: { readonly path: string }) {
  const { words, session, store } = usePage();
  const plug = useSite(({ plugs }) => plugs.get(path));
  if (plug === undefined) {
    if (store.live.heardAt === null) return null;
    return (
      <div class="view">
        <h1>{words.notFound}</h1>
        <a class="button" href={hashOf({ view: 'site' })}>
          {words.toSite}
        </a>
      </div>
    );
  }
  return (
    <div class="view view-plug">
      <Head plug={plug} />
      {plug.meter && <Graph path={path} />}
      {plug.meter && <Usage path={path} />}
      <Details plug={plug} />
      <Entries path={path} title={words.journal} limit={10} />
      {rightsOf(session).admin && <Manage plug={plug} />}
    </div>
  );
}

function Head({ plug }: { readonly plug: Plug }) {
  const page = usePage();
  const { words, session, give, format, store } = page;
  const pending = useSite(({ pending }) => pending);
  const asks = useSite(({ asks }) => asks);
  const { state, name, path, power } = plug;
  const open = [...pending.values(), ...asks.filter((ask) => ask.receipt === null && ask.failure === null)];
  const place =
    plug.place === '' ? session.site.name : (store.live.places.get(plug.place)?.name ?? plug.place);
  return (
    <header class="plug-head">
      <a class="back" href={hashOf({ view: 'site' })}>
        <Icon name="back" />
        {place}
      </a>
      <div class="plug-now">
        <Glyph shape={state === null ? 'unknown' : state === 'ON' ? 'on' : 'off'} />
        <div>
          <h1>{name}</h1>
          <p class={state === null ? 'silent' : ''}>{standing(page, plug).join(' ')}</p>
        </div>
        {plug.locked ? (
          <span class="locked">
            <Icon name="locked" />
            {words.locked}
          </span>
        ) : (
          rightsOf(session).canSwitch(path) && (
            <Switch
              name={name}
              state={state}
              wanted={wantedOf(plug, open)}
              press={(wanted) => give(path, wanted, true)}
            />
          )
        )}
      </div>
      {plug.dims && !plug.locked && rightsOf(session).canSwitch(path) && (
        <Brightness
          name={name}
          value={plug.brightness}
          set={(brightness) => give(path, 'ON', true, brightness)}
        />
      )}
      {plug.problem !== null && <p class="silent">{words.reasons[plug.problem] ?? plug.problem}</p>}
      {plug.meter && (
        <dl class="figures">
          <Figure label={words.now} value={power === null ? '–' : format.power(power)} />
          <Figure
            label={words.today}
            value={plug.energyToday === null ? '–' : format.kwh(plug.energyToday)}
          />
          <Figure
            label={words.thisMonth}
            value={plug.energyMonth === null ? '–' : format.kwh(plug.energyMonth)}
          />
        </dl>
      )}
    </header>
  );
}

function Figure({ label, value }: { readonly label: string; readonly value: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Graph({ path }: { readonly path: string }) {
  const { words, now } = usePage();
  // A new point comes each minute, and the oldest goes.
  const minute = useSite(({ heardAt }) => Math.floor((heardAt ?? now()) / MINUTE_MS));
  const from = new Date(minute * MINUTE_MS - DAY_MS).toISOString();
  const { value, error } = useAsked<History>(withQuery(`api/history/${path}`, { from }));
  if (error?.status === 404) return null;
  return (
    <section class="panel">
      <h2>{words.last24Hours}</h2>
      {value !== null && value.points.length > 1 ? (
        <PowerChart history={value} />
      ) : (
        <p class="empty">{words.noHistory}</p>
      )}
    </section>
  );
}

const DAYS = 14;
const MONTHS = 12;

function Usage({ path }: { readonly path: string }) {
  const { words, now, format } = usePage();
  const today = format.dayOf(now());
  const days = useMemo(() => lastOf(DAYS, (back) => format.dayOf(now() - back * DAY_MS)), [today]);
  const months = useMemo(() => lastOf(MONTHS, (back) => monthAfter(today.slice(0, 7), -back)), [today]);
  const dayLabel = (day: string) => format.day(Date.parse(`${day}T12:00:00Z`));
  return (
    <>
      <UsageBars title={words.perDay} by="day" periods={days} path={path} label={dayLabel} />
      <UsageBars title={words.perMonth} by="month" periods={months} path={path} label={format.shortMonth} />
    </>
  );
}

/** So many periods, the oldest first; `period` is told how many back. */
function lastOf(count: number, period: (back: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, index) => period(count - 1 - index));
}

interface UsageBarsProps {
  readonly title: string;
  readonly by: 'day' | 'month';
  readonly periods: readonly string[];
  readonly path: string;
  readonly label: (period: string) => string;
}

/** What the plug used, period by period; one of which nothing is known has no bar. */
function UsageBars({ title, by, periods, path, label }: UsageBarsProps) {
  const [first = ''] = periods;
  const from = by === 'day' ? first : `${first}-01`;
  const { value } = useAsked<Energy>(withQuery('api/energy', { plug: path, by, from }));
  const rows = (value?.rows ?? []).filter((row) => row.kind === 'plug' && row.path === path);
  if (rows.length === 0) return null;
  const bars = periods.map((period) => ({
    label: label(period),
    value: rows.filter((row) => row.period === period)[0]?.kwh ?? null,
  }));
  return (
    <section class="panel">
      <h2>{title}</h2>
      <Bars title={title} bars={bars} />
    </section>
  );
}

function Details({ plug }: { readonly plug: Plug }) {
  const page = usePage();
  const rows = detailsOf(page, plug).filter(([, value]) => value !== null && value !== '');
  return (
    <section class="panel">
      <h2>{page.words.details}</h2>
      <dl class="details">
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function detailsOf({ words, format }: Page, plug: Plug): readonly (readonly [string, string | null])[] {
  const unit = (value: number | null, digits: number, name: string) =>
    value === null ? null : `${format.number(value, digits)} ${name}`;
  return [
    [words.lastAnswer, plug.lastSeen === null ? null : format.moment(Date.parse(plug.lastSeen))],
    [words.lamp, plug.lamp === null ? null : (words.lampWords[plug.lamp] ?? plug.lamp)],
    [words.counter, unit(plug.energy, 3, 'kWh')],
    [words.voltage, unit(plug.voltage, 1, 'V')],
    [words.current, unit(plug.current, 3, 'A')],
    [words.signal, plug.rssi === null ? null : `${plug.rssi} dBm, ${words.signalWords[strength(plug.rssi)]}`],
    [words.motion, plug.motion === null ? null : plug.motion === 'ON' ? words.moves : words.still],
    [words.ambientLight, plug.ambientLight === null ? null : `${plug.ambientLight} %`],
    [words.led, plug.led === null ? null : plug.led === 'ON' ? words.on : words.off],
    [words.path, plug.path],
    [words.address, plug.address],
    [words.mac, plug.mac],
    [words.model, [plug.model, plug.hardware].filter((text) => text !== null).join(', ')],
    [words.firmware, plug.firmware],
  ];
}

/** dBm in words: below -80 a plug loses messages now and then. */
function strength(rssi: number): 'good' | 'fair' | 'weak' {
  return rssi >= -67 ? 'good' : rssi >= -80 ? 'fair' : 'weak';
}
