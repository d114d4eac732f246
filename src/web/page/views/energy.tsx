import { useEffect, useState } from 'preact/hooks';
import { useAsked } from '../asked.ts';
import { withQuery } from '../http.ts';
import { usePage, useSite } from '../page.ts';
import { hashOf } from '../route.ts';
import { monthAfter } from '../text/months.ts';
import type { Energy, EnergyRow } from '../wire.ts';

/** What the site used in a month and what that cost, place by place; last month's at first. */
export function EnergyView() {
  const page = usePage();
  const { words, format, now } = page;
  const thisMonth = format.monthOf(now());
  const [month, setMonth] = useState(() => monthAfter(thisMonth, -1));
  const query = { from: `${month}-01`, to: `${monthAfter(month, 1)}-01`, by: 'month' };
  const { value, error } = useAsked<Energy>(withQuery('api/energy', query));
  const rows = (value?.rows ?? []).filter(({ period }) => period === month);
  // A site that is new has no last month.
  const isEmpty = value !== null && rows.length === 0;
  const [hasChosen, setChosen] = useState(false);
  useEffect(() => {
    if (isEmpty && !hasChosen) setMonth(thisMonth);
  }, [isEmpty, hasChosen, thisMonth]);
  const choose = (next: string) => {
    setChosen(true);
    setMonth(next);
  };
  return (
    <div class="view view-energy">
      <h1>{words.energy}</h1>
      <div class="months">
        <button type="button" class="button" onClick={() => choose(monthAfter(month, -1))}>
          ‹ <span class="spoken-inline">{words.previousMonth}</span>
        </button>
        <h2 aria-live="polite">{format.month(month)}</h2>
        <button
          type="button"
          class="button"
          aria-disabled={month >= thisMonth}
          onClick={() => month < thisMonth && choose(monthAfter(month, 1))}
        >
          › <span class="spoken-inline">{words.nextMonth}</span>
        </button>
      </div>
      {error !== null && <p class="error">{words.failed(error.message)}</p>}
      {value !== null && <MonthReport energy={value} rows={rows} />}
      <div class="actions">
        <a class="button" href={withQuery('api/energy.csv', query)} download>
          {words.asCsv}
        </a>
        <button type="button" class="button" onClick={() => window.print()}>
          {words.print}
        </button>
      </div>
    </div>
  );
}

interface MonthReportProps {
  readonly energy: Energy;
  readonly rows: readonly EnergyRow[];
}

function MonthReport({ energy, rows }: MonthReportProps) {
  const page = usePage();
  const { words, format } = page;
  const site = rows.filter(({ kind, path }) => kind === 'place' && path === '')[0];
  const places = rows.filter(({ kind, path }) => kind === 'place' && path !== '').sort(byUse);
  const plugs = rows.filter(({ kind }) => kind === 'plug').sort(byUse);
  if (site === undefined || site.kwh === null) return <p class="empty">{words.noEnergy}</p>;
  return (
    <>
      <dl class="figures month-total">
        <div>
          <dt>{words.energy}</dt>
          <dd>{format.kwh(site.kwh)}</dd>
        </div>
        {site.cost !== null && energy.currency !== null && (
          <div>
            <dt>{words.cost}</dt>
            <dd>{format.money(site.cost, energy.currency)}</dd>
          </div>
        )}
      </dl>
      <EnergyTable title={words.place} rows={places} site={site} currency={energy.currency} />
      <EnergyTable title={words.plug} rows={plugs} site={site} currency={energy.currency} />
    </>
  );
}

interface EnergyTableProps {
  readonly title: string;
  readonly rows: readonly EnergyRow[];
  readonly site: EnergyRow;
  readonly currency: string | null;
}

function EnergyTable({ title, rows, site, currency }: EnergyTableProps) {
  const page = usePage();
  const { words, format } = page;
  if (rows.length === 0) return null;
  const withCost = currency !== null && rows.some(({ cost }) => cost !== null);
  return (
    <div class="panel panel-table">
      <table>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" class="right">
              kWh
            </th>
            {withCost && (
              <th scope="col" class="right">
                {words.cost}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.path}>
              <th scope="row">
                <RowName row={row} />
                <Share kwh={row.kwh} of={site.kwh} />
                {row.incomplete && <small>{words.incomplete}</small>}
              </th>
              <td class="right">{row.kwh === null ? '–' : format.number(row.kwh, 2)}</td>
              {withCost && (
                <td class="right">
                  {row.cost === null || currency === null ? '–' : format.money(row.cost, currency)}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How much of the site's that is, as a line. */
function Share({ kwh, of }: { readonly kwh: number | null; readonly of: number | null }) {
  const share = of === null || of === 0 ? 0 : (kwh ?? 0) / of;
  return (
    <svg class="share" viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true">
      <rect width={Math.min(100, share * 100)} height="2" />
    </svg>
  );
}

/** The name of a plug or place; what was taken out meanwhile has none but its path. */
function RowName({ row: { path, kind } }: { readonly row: EnergyRow }) {
  const named = useSite(({ plugs, places }) => (kind === 'plug' ? plugs : places).get(path));
  if (kind === 'plug' && named !== undefined)
    return <a href={hashOf({ view: 'plug', path })}>{named.name}</a>;
  return <>{named?.name ?? path}</>;
}

function byUse(a: EnergyRow, b: EnergyRow): number {
  return (b.kwh ?? -1) - (a.kwh ?? -1);
}
