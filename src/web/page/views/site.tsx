import { Fragment } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { kept } from '../kept.ts';
import type { Ask } from '../live/reducer.ts';
import { type Branch, type Counts, treeOf, wantedOf } from '../live/tree.ts';
import { type Page, rightsOf, usePage, useSite } from '../page.ts';
import { Glyph, Icon, type Shape } from '../parts/glyph.tsx';
import { silence, standing } from '../parts/said.ts';
import { Switch } from '../parts/switch.tsx';
import { hashOf } from '../route.ts';
import type { Pending, Plug } from '../wire.ts';

/** Up to so many plugs all places are open at first. */
const OPEN_UP_TO = 40;

/** The site: what is on, in one sentence and one button, then place by place. */
export function SiteView() {
  const { words, session } = usePage();
  const plugs = useSite(({ plugs }) => plugs);
  const places = useSite(({ places }) => places);
  const heardAt = useSite(({ heardAt }) => heardAt !== null);
  const tree = useMemo(() => treeOf(plugs, places), [plugs, places]);
  const site = { ...tree, name: session.site.name };
  if (!heardAt) return null;
  if (site.counts.total === 0) {
    return (
      <div class="hero">
        <h1>{words.noLamps}</h1>
        <p>{words.noLampsHelp}</p>
      </div>
    );
  }
  return (
    <>
      <Headline site={site} plugs={plugs} />
      <div class="places">
        {tree.plugs.length > 0 && (
          <section class="card" aria-label={site.name}>
            <Rows plugs={tree.plugs} />
          </section>
        )}
        {tree.places.map((branch) => (
          <section class="card" key={branch.path} aria-label={branch.name}>
            <PlaceRows branch={branch} depth={0} openAtFirst={site.counts.total <= OPEN_UP_TO} />
          </section>
        ))}
      </div>
    </>
  );
}

interface HeadlineProps {
  readonly site: Branch;
  readonly plugs: ReadonlyMap<string, Plug>;
}

function Headline({ site, plugs }: HeadlineProps) {
  const page = usePage();
  const { session } = page;
  const problems = useSite(({ problems }) => problems);
  const silent = [...plugs.values()].filter(({ availability }) => availability === 'offline');
  const target = targetOf(rightsOf(session).places);
  return (
    <div class="hero">
      <div class="hero-said">
        <h1>{sentence(page, site.counts)}</h1>
        <p>
          <Pieces texts={countsOf(page, besideSentence(site.counts))} />
        </p>
      </div>
      {target !== null && rightsOf(session).canSwitch(target) && <AllOff site={site} target={target} />}
      {(silent.length > 0 || problems > 0) && (
        <a class="notice" href={hashOf({ view: 'problems' })}>
          <Icon name="problems" />
          <span>{notice(page, silent, problems)}</span>
          <Icon name="further" />
        </a>
      )}
    </div>
  );
}

/** What the big button switches off: the site, or the one place that is somebody's own; of several, none. */
function targetOf(places: readonly string[] | null): string | null {
  if (places === null) return '';
  return places.length === 1 ? (places[0] ?? null) : null;
}

function AllOff({ site, target }: { readonly site: Branch; readonly target: string }) {
  const { words, question, give } = usePage();
  const { counts } = site;
  // Nothing is on: the button is there, but no longer the thing to do.
  const isQuiet = counts.off === counts.total;
  const ask = () => {
    const now = [words.askNowOn(counts.on), counts.locked > 0 ? words.askLocked(counts.locked) : ''];
    question({
      title: words.askAllOff(site.name, counts.total - counts.locked),
      text: now.filter((text) => text !== '').join(' '),
      act: words.switchAllOff,
      agreed: () => give(target, 'OFF', false),
    });
  };
  return (
    <button type="button" class={`button button-all ${isQuiet ? '' : 'button-main'}`} onClick={ask}>
      {words.switchAllOff}
    </button>
  );
}

/** The one thing to know: how many are on; that all are off only if each of them said so. */
function sentence({ words }: Page, { on, off, total }: Counts): string {
  if (on > 0) return words.lampsAreOn(on);
  return off === total ? words.allAreOff(total) : words.someAreOff(off, total);
}

/** What the sentence has not said already. */
function besideSentence(counts: Counts): Counts {
  return { ...counts, on: 0, off: counts.on > 0 ? counts.off : 0 };
}

/** The counts of a place, and what it draws. */
function countsOf({ words, format }: Page, { on, off, unknown, power }: Counts): readonly string[] {
  return dotted([
    on > 0 ? [words.countOn(on)] : [],
    off > 0 ? [words.countOff(off)] : [],
    unknown > 0 ? [words.countUnknown(unknown)] : [],
    power === null ? [] : [format.power(power)],
  ]);
}

/** Groups of texts with a dot between: it ends a line, and begins none. */
function dotted(groups: readonly (readonly string[])[]): readonly string[] {
  const texts: string[] = [];
  for (const group of groups) {
    if (group.length > 0 && texts.length > 0) texts.push(`${texts.pop()} ·`);
    texts.push(...group);
  }
  return texts;
}

function notice(page: Page, silent: readonly Plug[], problems: number): string {
  const { words, format } = page;
  const [first] = silent;
  if (first === undefined) return words.problemsToSee(problems);
  if (silent.length > 1) return words.doNotAnswer(silent.length);
  if (first.lastSeen === null) return `${first.name}: ${words.noAnswer}`;
  return words.doesNotAnswer(first.name, format.moment(Date.parse(first.lastSeen)));
}

interface PlaceRowsProps {
  readonly branch: Branch;
  readonly depth: number;
  readonly openAtFirst: boolean;
}

/** A place, and what is in it while it is open; what is closed is not drawn. */
function PlaceRows({ branch, depth, openAtFirst }: PlaceRowsProps) {
  const page = usePage();
  const { words, session } = page;
  const key = `open:${branch.path}`;
  const [open, setOpen] = useState(() => (kept(key) ?? (openAtFirst ? '1' : '0')) === '1');
  const fold = () => {
    kept(key, open ? '0' : '1');
    setOpen(!open);
  };
  const { counts } = branch;
  return (
    <>
      <div class={`row row-place depth-${Math.min(depth, 3)}`}>
        <Glyph shape={shapeOf(counts)} />
        <div class="row-said">
          <h2>
            <button
              type="button"
              class="fold"
              aria-expanded={open}
              aria-label={open ? words.closePlace(branch.name) : words.openPlace(branch.name)}
              onClick={fold}
            >
              {branch.name}
              <Icon name="open" />
            </button>
          </h2>
          <p>
            <Pieces texts={countsOf(page, counts)} />
          </p>
        </div>
        {counts.total > 1 && rightsOf(session).canSwitch(branch.path) && <PlaceSwitch branch={branch} />}
      </div>
      {open && (
        <>
          <Rows plugs={branch.plugs} />
          {branch.places.map((inner) => (
            <PlaceRows key={inner.path} branch={inner} depth={depth + 1} openAtFirst={openAtFirst} />
          ))}
        </>
      )}
    </>
  );
}

function PlaceSwitch({ branch }: { readonly branch: Branch }) {
  const { words, question, give } = usePage();
  const pending = useSite(({ pending }) => pending);
  const asks = useSite(({ asks }) => asks);
  const { counts, path, name } = branch;
  const press = (wanted: 'ON' | 'OFF') => {
    if (wanted === 'OFF') return give(path, 'OFF', false);
    question({
      title: words.askPlaceOn(name, counts.total - counts.locked),
      text: [words.askNowOn(counts.on), counts.locked > 0 ? words.askLocked(counts.locked) : '']
        .filter((text) => text !== '')
        .join(' '),
      act: words.switchOn,
      agreed: () => give(path, 'ON', false),
    });
  };
  const state = counts.off === counts.total ? 'OFF' : counts.on === counts.total ? 'ON' : null;
  const open = openCommands(pending, asks).filter(({ target }) => target === path)[0]?.wanted;
  const wanted = open === 'ON' || open === 'OFF' ? open : null;
  return <Switch name={name} state={state} wanted={wanted === state ? null : wanted} press={press} />;
}

function Rows({ plugs }: { readonly plugs: readonly Plug[] }) {
  const pending = useSite(({ pending }) => pending);
  const asks = useSite(({ asks }) => asks);
  const open = useMemo(() => openCommands(pending, asks), [pending, asks]);
  return (
    <ul class="rows">
      {plugs.map((plug) => (
        <Row key={plug.path} plug={plug} wanted={wantedOf(plug, open)} />
      ))}
    </ul>
  );
}

type Open = Pick<Pending, 'target' | 'wanted'>;

/** Commands of everybody that are under way, and those of this page that the bridge may not have told of yet. */
function openCommands(pending: ReadonlyMap<number, Pending>, asks: readonly Ask[]): readonly Open[] {
  const open: Open[] = [...pending.values()];
  for (const { target, only, wanted, receipt, failure } of asks) {
    if (receipt !== null || failure !== null) continue;
    for (const path of only ?? [target]) open.push({ target: path, wanted });
  }
  return open;
}

interface RowProps {
  readonly plug: Plug;
  readonly wanted: 'ON' | 'OFF' | null;
}

function Row({ plug, wanted }: RowProps) {
  const page = usePage();
  return useMemo(() => <PlugRow page={page} plug={plug} wanted={wanted} />, [page, plug, wanted]);
}

function PlugRow({ page, plug, wanted }: RowProps & { readonly page: Page }) {
  const { words, session, give } = page;
  const { path, name, state } = plug;
  return (
    <li class={`row ${plug.availability === 'offline' ? 'row-silent' : ''}`}>
      <Glyph shape={state === null ? 'unknown' : state === 'ON' ? 'on' : 'off'} />
      <div class="row-said">
        <a href={hashOf({ view: 'plug', path })}>{name}</a>
        <p>
          <PlugLine page={page} plug={plug} wanted={wanted} />
        </p>
      </div>
      {plug.locked ? (
        <span class="locked">
          <Icon name="locked" />
          {words.locked}
        </span>
      ) : (
        rightsOf(session).canSwitch(path) && (
          <Switch name={name} state={state} wanted={wanted} press={(wanted) => give(path, wanted, true)} />
        )
      )}
    </li>
  );
}

function PlugLine({ page, plug, wanted }: RowProps & { readonly page: Page }) {
  const { words, format } = page;
  if (wanted !== null) return <span class="asked">{wanted === 'ON' ? words.askedOn : words.askedOff}</span>;
  if (plug.state === null) return <span class="silent">{silence(page, plug)}</span>;
  const power = plug.state === 'ON' ? plug.power : null;
  return (
    <>
      <Pieces texts={dotted([standing(page, plug), power === null ? [] : [format.power(power)]])} />
      {plug.lamp === 'out' && <span class="silent">{words.lampOut}</span>}
    </>
  );
}

/** Texts one after the other, each of which stays on one line. */
function Pieces({ texts }: { readonly texts: readonly string[] }) {
  return (
    <>
      {texts.map((text) => (
        <Fragment key={text}>
          <span>{text}</span>{' '}
        </Fragment>
      ))}
    </>
  );
}

function shapeOf({ on, off, unknown, total }: Counts): Shape {
  if (on === total) return 'on';
  if (off === total) return 'off';
  return on > 0 ? 'mixed' : unknown > 0 ? 'unknown' : 'off';
}
