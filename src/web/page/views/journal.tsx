import { useEffect, useMemo, useState } from 'preact/hooks';
import { useAsked } from '../asked.ts';
import { ask, withQuery } from '../http.ts';
import { type Page, usePage, useSite } from '../page.ts';
import { Glyph, Icon } from '../parts/glyph.tsx';
import { doer } from '../parts/said.ts';
import { hashOf } from '../route.ts';
import type { JournalEntry } from '../wire.ts';

const KINDS = ['relay', 'receipt', 'lamp', 'energy', 'request'] as const;
const LIMIT = 50;

interface Entriesful {
  readonly entries: readonly JournalEntry[];
}

/** What happened, newest first, and who did it. */
export function JournalView() {
  const { words } = usePage();
  const places = useSite(({ places }) => places);
  const [kind, setKind] = useState('');
  const [path, setPath] = useState('');
  const query = { kind, path };
  return (
    <div class="view">
      <h1>{words.journal}</h1>
      <div class="filters">
        <label class="field">
          <span>{words.kind}</span>
          <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value)}>
            <option value="">{words.everything}</option>
            {KINDS.map((name) => (
              <option key={name} value={name}>
                {words.journalKinds[name]}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{words.where}</span>
          <select value={path} onChange={({ currentTarget }) => setPath(currentTarget.value)}>
            <option value="">{words.everywhere}</option>
            {[...places.values()]
              .filter((place) => place.path !== '')
              .map((place) => (
                <option key={place.path} value={place.path}>
                  {place.name}
                </option>
              ))}
          </select>
        </label>
        <a class="button" href={withQuery('api/journal.csv', query)} download>
          {words.asCsv}
        </a>
      </div>
      <Entries key={`${kind} ${path}`} path={path} kind={kind} limit={LIMIT} more />
    </div>
  );
}

interface EntriesProps {
  readonly path: string;
  readonly kind?: string;
  readonly limit: number;
  readonly title?: string;
  /** Whether older ones can be called for. */
  readonly more?: boolean;
}

/** Entries of the journal; nothing at all where the bridge keeps none. */
export function Entries({ path, kind = '', limit, title, more = false }: EntriesProps) {
  const { words } = usePage();
  const fresh = useSite(({ journal }) => journal);
  const { value, error } = useAsked<Entriesful>(withQuery('api/journal', { path, kind, limit }), fresh);
  const [older, setOlder] = useState<readonly JournalEntry[]>([]);
  const [ended, setEnded] = useState(false);
  useEffect(() => setOlder([]), [path, kind]);
  const entries = useMemo(() => joined(value?.entries ?? [], older), [value, older]);
  if (error?.status === 404) return null;
  const last = entries[entries.length - 1];
  const callOlder = () => {
    if (last === undefined) return;
    ask<Entriesful>('GET', withQuery('api/journal', { path, kind, limit, before: last.id })).then(
      (next) => {
        setOlder((known) => [...known, ...next.entries]);
        setEnded(next.entries.length < limit);
      },
      () => undefined,
    );
  };
  return (
    <section class="panel">
      {title !== undefined && <h2>{title}</h2>}
      {error !== null && <p class="error">{words.failed(error.message)}</p>}
      {value !== null && entries.length === 0 && <p class="empty">{words.noEntries}</p>}
      <ul class="entries">
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ul>
      {more && entries.length >= limit && !ended && (
        <div class="actions">
          <button type="button" class="button" onClick={callOlder}>
            {words.older}
          </button>
        </div>
      )}
    </section>
  );
}

/** New entries move the rest down: what was fetched as older may have come with the newest as well. */
function joined(newest: readonly JournalEntry[], older: readonly JournalEntry[]): readonly JournalEntry[] {
  const known = new Map([...newest, ...older].map((entry) => [entry.id, entry] as const));
  return [...known.values()].sort((a, b) => b.id - a.id);
}

function Entry({ entry }: { readonly entry: JournalEntry }) {
  const page = usePage();
  const { format, session, store } = page;
  const { plugs, places } = store.live;
  const { path, what, user, origin, kind } = entry;
  const name = path === '' ? session.site.name : (plugs.get(path)?.name ?? places.get(path)?.name ?? path);
  const bad = (kind === 'receipt' && entry.outcome !== 'confirmed') || (kind === 'lamp' && what !== 'ok');
  return (
    <li class="entry">
      {bad ? <Icon name="problems" /> : <Glyph shape={what === 'ON' ? 'on' : 'off'} />}
      <div>
        {plugs.has(path) ? <a href={hashOf({ view: 'plug', path })}>{name}</a> : <strong>{name}</strong>}{' '}
        {happened(page, entry)}
        <p>
          <time dateTime={entry.at}>{format.moment(Date.parse(entry.at))}</time>{' '}
          {doer(page, { user, changedBy: origin })}
        </p>
      </div>
    </li>
  );
}

/** What happened, in words. */
function happened({ words }: Page, { kind, what, outcome, detail }: JournalEntry): string {
  const state = what === 'ON' ? words.on : what === 'OFF' ? words.off : (what ?? '');
  if (kind === 'relay') return state;
  if (kind !== 'receipt')
    return `${words.journalKinds[kind] ?? kind} ${words.lampWords[what ?? ''] ?? state}`;
  const { confirmed, total } = detail ?? {};
  if (confirmed === undefined || total === undefined || total < 2)
    return `${words.journalKinds.receipt} ${state}: ${words.outcomes[outcome ?? ''] ?? outcome ?? ''}`;
  return what === 'ON' ? words.areOn(confirmed, total) : words.areOff(confirmed, total);
}
