import type { Ask, Live } from '../live/reducer.ts';
import { isWithin } from '../live/tree.ts';
import { type Page, usePage, useSite } from '../page.ts';
import type { Missing, Plug } from '../wire.ts';
import { Icon } from './glyph.tsx';
import { whyNot } from './said.ts';

/** Missing plugs that are named at once; the others are counted. */
const NAMED = 8;

/** The commands of this page: under way, then what became of them, until that is read. */
export function Receipts() {
  const { words } = usePage();
  const asks = useSite(({ asks }) => asks);
  const shown = asks.filter(
    ({ single, receipt, failure }) => !single || receipt !== null || failure !== null,
  );
  if (shown.length === 0) return null;
  return (
    <section class="receipts" aria-label={words.receipts}>
      {shown.slice(-3).map((ask) => (
        <ReceiptCard key={ask.id} ask={ask} />
      ))}
    </section>
  );
}

function ReceiptCard({ ask }: { readonly ask: Ask }) {
  const page = usePage();
  const { words, store } = page;
  const plugs = useSite(({ plugs }) => plugs);
  const { receipt, failure } = ask;
  const name = nameOf(page, plugs, ask.target);
  if (receipt === null && failure === null) return <UnderWay ask={ask} name={name} plugs={plugs} />;
  const missing = receipt?.missing ?? [];
  const good = receipt !== null && missing.length === 0 && receipt.outcome === 'confirmed';
  const again = () => {
    store.tell({ type: 'read', id: ask.id });
    if (missing.length > 0 && !ask.single)
      page.giveAgain(
        ask.target,
        ask.wanted,
        missing.map(({ path }) => path),
      );
    else page.give(ask.target, ask.wanted, ask.single);
  };
  return (
    <article class={`receipt ${good ? 'receipt-good' : 'receipt-bad'}`}>
      <header>
        <Icon name={good ? 'done' : 'problems'} />
        <div>
          <p class="receipt-where">{name}</p>
          <h2>{headline(page, ask)}</h2>
        </div>
      </header>
      {failure !== null && <p>{failure === 'unreachable' ? words.unreachable : failure}</p>}
      {receipt?.outcome === 'superseded' && <p>{words.superseded}</p>}
      {receipt?.outcome === 'refused' && <p>{receipt.reason}</p>}
      {missing.length > 0 && <MissingList missing={missing} plugs={plugs} single={ask.single} />}
      <div class="actions">
        {!good && receipt?.outcome !== 'superseded' && (
          <button type="button" class="button" onClick={again}>
            {missing.length > 0 && !ask.single ? words.tryAgainMissing(missing.length) : words.tryAgain}
          </button>
        )}
        <button
          type="button"
          class="button button-main"
          onClick={() => store.tell({ type: 'read', id: ask.id })}
        >
          {words.understood}
        </button>
      </div>
    </article>
  );
}

interface UnderWayProps {
  readonly ask: Ask;
  readonly name: string;
  readonly plugs: ReadonlyMap<string, Plug>;
}

/** How far it is, by what the plugs have said so far. */
function UnderWay({ ask, name, plugs }: UnderWayProps) {
  const { words } = usePage();
  const members = membersOf(plugs, ask);
  const done = members.filter(({ state }) => state === ask.wanted).length;
  const off = ask.wanted === 'OFF';
  return (
    <article class="receipt receipt-open" aria-busy="true">
      <p class="receipt-where">{off ? words.switchingOff(name) : words.switchingOn(name)}</p>
      <h2>{off ? words.areOff(done, members.length) : words.areOn(done, members.length)}</h2>
      <progress max={members.length} value={done} aria-label={name} />
    </article>
  );
}

function MissingList({
  missing,
  plugs,
  single,
}: {
  readonly missing: readonly Missing[];
  readonly plugs: ReadonlyMap<string, Plug>;
  readonly single: boolean;
}) {
  const page = usePage();
  const { words } = page;
  return (
    <div class="missing">
      {!single && <p>{words.notConfirmed(missing.length)}</p>}
      <ul>
        {missing.slice(0, NAMED).map(({ path, reason }) => (
          <li key={path}>
            <strong>{nameOf(page, plugs, path)}</strong>
            <span>{whyNot(page, plugs.get(path), reason)}</span>
          </li>
        ))}
      </ul>
      {missing.length > NAMED && <p>{words.andMore(missing.length - NAMED)}</p>}
    </div>
  );
}

/** What became of a command, in one sentence. */
function headline({ words }: Page, { receipt, failure, wanted }: Ask): string {
  if (failure !== null) return failure === 'unreachable' ? words.noAnswer : words.refusedCommand;
  if (receipt === null) return '';
  if (receipt.outcome === 'refused') return words.refusedCommand;
  const total = receipt.total - (receipt.locked ?? 0);
  return wanted === 'OFF' ? words.areOff(receipt.confirmed, total) : words.areOn(receipt.confirmed, total);
}

function membersOf(plugs: ReadonlyMap<string, Plug>, { target, only }: Ask): readonly Plug[] {
  return [...plugs.values()].filter(
    ({ path, locked }) => !locked && (only === null ? isWithin(path, target) : only.indexOf(path) !== -1),
  );
}

function nameOf({ session, store }: Page, plugs: ReadonlyMap<string, Plug>, path: string): string {
  if (path === '') return session.site.name;
  return plugs.get(path)?.name ?? store.live.places.get(path)?.name ?? path;
}

/** Says the end of each command to a screen reader: failures at once, the rest when it is silent. */
export function Spoken() {
  const page = usePage();
  const ended = useSite(({ ended }: Live) => ended);
  const plugs = useSite(({ plugs }) => plugs);
  const bad = ended !== null && (ended.failure !== null || (ended.receipt?.missing ?? []).length > 0);
  const sentence = ended === null ? '' : `${nameOf(page, plugs, ended.target)}: ${headline(page, ended)}`;
  return (
    <div class="spoken">
      <p role="status">{bad ? '' : sentence}</p>
      <p role="alert">{bad ? sentence : ''}</p>
    </div>
  );
}
