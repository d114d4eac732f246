import type { Origin } from '../bridge/plug-state.ts';
import { isObject, type JsonObject, numberAt, textAt } from '../protocol/json.ts';
import type { Database } from './database.ts';
import { jsonIn } from './rows.ts';
import type { Store } from './store.ts';

/** What an entry of the journal is about: a relay that changed, a command that ended, a lamp, a counter that was set, a request. */
export const JOURNAL_KINDS = ['relay', 'receipt', 'lamp', 'energy', 'request'] as const;

export type JournalKind = (typeof JOURNAL_KINDS)[number];

/** Something that happened. */
export interface JournalEntry {
  /** Rises with each entry. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: JournalKind;
  /** The plug or place; `''` is the whole site. */
  readonly path: string;
  /** What became or was to become of it: `ON`, `OFF`, the verdict on a lamp. */
  readonly what: string | null;
  /** Who was it, and by which way; `null` if that is not known. */
  readonly origin: Origin | null;
  readonly user: string | null;
  /** Of a command: how it ended. */
  readonly outcome: string | null;
  /** Of a command: how long that took. */
  readonly ms: number | null;
  /** What else belongs to it: of a receipt `id`, `reason`, `confirmed`, `total` and `missing`. */
  readonly detail: JsonObject | null;
}

/** Which entries are asked for; what is left out does not matter. */
export interface JournalQuery {
  /** This plug, or this place and everything below it. */
  readonly path?: string | undefined;
  readonly kind?: JournalKind | undefined;
  readonly user?: string | undefined;
  /** Milliseconds since 1970: not before `from`, before `to`. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Entries older than the one of that `id`. */
  readonly before?: number | undefined;
  /** The oldest entries newer than the one of that `id`. */
  readonly after?: number | undefined;
  readonly limit: number;
}

/** Reads entries of the journal, newest first. */
export function readJournal(database: Database, query: JournalQuery): JournalEntry[] {
  const { path = '', kind, user, from, to, before, after, limit } = query;
  const conditions: readonly [sql: string, ...values: (string | number | undefined)[]][] = [
    // All that begins with "path/": the character after "/" is "0".
    ['(path = ? OR (path > ? AND path < ?))', path || undefined, `${path}/`, `${path}0`],
    ['kind = ?', kind],
    ['user = ?', user],
    ['at >= ?', from],
    ['at < ?', to],
    ['id < ?', before],
    ['id > ?', after],
  ];
  const used = conditions.filter(([, value]) => value !== undefined);
  const where = used.length === 0 ? '' : `WHERE ${used.map(([sql]) => sql).join(' AND ')}`;
  const order = after === undefined ? 'DESC' : 'ASC';
  const sql = `SELECT * FROM journal ${where} ORDER BY id ${order} LIMIT ?`;
  const values = used.flatMap(([, ...rest]) => rest);
  const entries = database
    .prepare(sql)
    .all(...values, limit)
    .filter(isObject)
    .flatMap(readEntry);
  return after === undefined ? entries : entries.reverse();
}

/** An entry as it is told to clients. */
export function journalJson(
  { at, path, ...entry }: JournalEntry,
  topicOf: (path: string) => string,
): JsonObject {
  return { ...entry, at: new Date(at).toISOString(), target: topicOf(path) };
}

/** Adds entries with the transaction that runs. */
export function addToJournal(store: Store, entry: Omit<JournalEntry, 'id'>): void {
  const { at, kind, path, what, origin, user, outcome, ms, detail } = entry;
  store.write('INSERT INTO journal VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)', [
    ...[at, kind, path, what, origin, user, outcome, ms],
    detail === null ? null : JSON.stringify(detail),
  ]);
}

const ORIGINS: readonly Origin[] = ['mqtt', 'web', 'schedule', 'bridge', 'plug'];

function readEntry(row: JsonObject): JournalEntry[] {
  const kind = JOURNAL_KINDS.find((one) => one === row.kind);
  if (kind === undefined) return [];
  return [
    {
      id: numberAt(row, 'id') ?? 0,
      at: numberAt(row, 'at') ?? 0,
      kind,
      path: textAt(row, 'path') ?? '',
      what: textAt(row, 'what') ?? null,
      origin: ORIGINS.find((one) => one === row.origin) ?? null,
      user: textAt(row, 'user') ?? null,
      outcome: textAt(row, 'outcome') ?? null,
      ms: numberAt(row, 'ms') ?? null,
      detail: jsonIn(row.detail),
    },
  ];
}
