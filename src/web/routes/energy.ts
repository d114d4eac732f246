import type { FastifyInstance } from 'fastify';
import { localTime } from '../../protocol/time-zones.ts';
import { addDays, type Day, dayOf } from '../../rules/calendar.ts';
import { readTime } from '../../rules/written-time.ts';
import { csv } from '../../runtime/csv.ts';
import { type EnergyRow as Row, readEnergy } from '../../store/energy-report.ts';
import type { WebContext } from '../context.ts';
import { type Places, seenOf } from '../rights.ts';
import { Csv, Energy, EnergyQuery, type EnergyRow, Failure } from '../schemas.ts';

const config = { role: 'viewer' } as const;
const tags = ['records'];

/** What is asked for if nothing is said. */
const DEFAULT_DAYS = 366;

/** Adds what reads the energy that was used, and what it cost. */
export function addEnergyRoutes(app: FastifyInstance, { database, timeZone, clock }: WebContext): void {
  const today = () => dayOf(localTime(timeZone, clock.date()));
  const dayAt = (text: string) => dayOf(localTime(timeZone, readTime(text, timeZone)));
  const read = (query: EnergyQuery, places: Places): Energy => {
    const { plug, place, by, from, to } = query;
    const days = {
      from: from === undefined ? addDays(today(), -DEFAULT_DAYS) : dayAt(from),
      // It is not in it itself.
      to: to === undefined ? today() : addDays(dayAt(to), -1),
    };
    return report(database, seenOf(places, plug ?? place ?? ''), { ...days, by });
  };

  app.get<{ Querystring: EnergyQuery }>(
    '/api/energy',
    {
      config,
      schema: {
        summary: 'Energy and cost of each plug and place',
        tags,
        querystring: EnergyQuery,
        response: { 200: Energy, 400: Failure },
      },
    },
    ({ query, identity }) => read(query, identity?.places ?? null),
  );

  app.get<{ Querystring: EnergyQuery }>(
    '/api/energy.csv',
    {
      config,
      schema: {
        summary: 'The same as a file',
        tags,
        querystring: EnergyQuery,
        response: { 200: Csv, 400: Failure },
      },
    },
    ({ query, identity }, reply) => {
      const { currency, rows } = read(query, identity?.places ?? null);
      const head = [
        'period',
        'kind',
        'path',
        'energy_kwh',
        `cost_${(currency ?? '').toLowerCase()}`.replace(/_$/, ''),
      ];
      const cells = rows.map(({ period, kind, path, kwh, cost }) => [period, kind, path, kwh, cost]);
      return reply.type('text/csv; charset=utf-8').send(csv(head, cells));
    },
  );
}

function report(
  database: WebContext['database'],
  paths: readonly string[],
  query: { from: Day; to: Day; by: 'day' | 'month' },
): Energy {
  const rows = new Map<string, EnergyRow>();
  let currency: string | null = null;
  for (const path of paths) {
    const found = readEnergy(database, { ...query, path });
    currency = found.currency;
    for (const [kind, list] of [
      ['place', found.places],
      ['plug', found.plugs],
    ] as const)
      for (const row of list) rows.set(`${kind} ${row.period} ${row.path}`, rowJson(kind, row));
  }
  return { currency, rows: [...rows.values()] };
}

function rowJson(kind: EnergyRow['kind'], { path, period, kwh, cost, lateKwh }: Row): EnergyRow {
  return { path, kind, period, kwh, cost, incomplete: lateKwh > 0 };
}
