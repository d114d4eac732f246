import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { CommandError } from '../../errors.ts';
import { localIso, readTime } from '../../rules/written-time.ts';
import { csv } from '../../runtime/csv.ts';
import {
  type JournalEntry as Entry,
  JOURNAL_KINDS,
  type JournalKind,
  readJournal,
} from '../../store/journal.ts';
import type { WebContext } from '../context.ts';
import { isoTime } from '../json.ts';
import { type Places, seenOf } from '../rights.ts';
import { Csv, Failure, JournalEntry, JournalQuery } from '../schemas.ts';

const config = { role: 'viewer' } as const;
const tags = ['records'];

/** Rows of a file at most; older ones are asked for by their dates. */
const MOST_ROWS = 20_000;

/** Adds what reads the journal. */
export function addJournalRoutes(app: FastifyInstance, { database, timeZone }: WebContext): void {
  const read = ({ path = '', from, to, kind, ...rest }: JournalQuery, places: Places): Entry[] => {
    const since = from === undefined ? undefined : readTime(from, timeZone);
    const until = to === undefined ? undefined : readTime(to, timeZone);
    const entries = seenOf(places, path).flatMap((seen) =>
      readJournal(database, { ...rest, path: seen, kind: kindOf(kind), from: since, to: until }),
    );
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    return [...byId.values()].sort((one, other) => other.id - one.id).slice(0, rest.limit);
  };

  app.get<{ Querystring: JournalQuery }>(
    '/api/journal',
    {
      config,
      schema: {
        summary: 'What happened, newest first',
        tags,
        querystring: JournalQuery,
        response: { 200: Type.Object({ entries: Type.Array(JournalEntry) }), 400: Failure },
      },
    },
    ({ query, identity }) => ({
      entries: read(query, identity?.places ?? null).map((entry) => ({ ...entry, at: isoTime(entry.at) })),
    }),
  );

  app.get<{ Querystring: JournalQuery }>(
    '/api/journal.csv',
    {
      config,
      schema: {
        summary: 'The same as a file, in the time of the site',
        tags,
        querystring: JournalQuery,
        response: { 200: Csv, 400: Failure },
      },
    },
    ({ query, identity }, reply) => {
      const entries = read({ ...query, limit: MOST_ROWS }, identity?.places ?? null);
      return reply.type('text/csv; charset=utf-8').send(
        csv(
          HEAD,
          entries.map((entry) => cells(entry, timeZone)),
        ),
      );
    },
  );
}

/** Throws CommandError if there is no such kind. */
function kindOf(text: string | undefined): JournalKind | undefined {
  const kind = JOURNAL_KINDS.find((one) => one === text);
  if (kind === undefined && text !== undefined)
    throw new CommandError('not-understood', `"kind" must be one of ${JOURNAL_KINDS.join(', ')}`);
  return kind;
}

const HEAD = ['time', 'kind', 'path', 'what', 'outcome', 'by', 'user', 'reason'];

function cells({ at, kind, path, what, outcome, origin, user, detail }: Entry, timeZone: string) {
  const reason = typeof detail?.reason === 'string' ? detail.reason : null;
  return [localIso(at, timeZone), kind, path, what, outcome, origin, user, reason];
}
