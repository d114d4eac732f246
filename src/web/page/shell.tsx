import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ViewName } from './available.ts';
import { usePage, useSite } from './page.ts';
import { Icon } from './parts/glyph.tsx';
import { Receipts, Spoken } from './parts/receipts.tsx';
import { hashOf, type Route } from './route.ts';

interface ShellProps {
  readonly route: Route;
  /** The views that there are for this user, with this bridge. */
  readonly views: readonly ViewName[];
  readonly children: ComponentChildren;
}

/** What is around every view: the name of the site, how old what is shown is, and the way to the other views. */
export function Shell({ route, views, children }: ShellProps) {
  const { words, session } = usePage();
  const link = useSite(({ link }) => link);
  const problems = useSite(({ problems }) => problems);
  const main = useRef<HTMLElement>(null);
  const opened = useRef(route);
  useEffect(() => {
    // A view that was gone to by a link begins at its top, for the eye and for a screen reader.
    if (opened.current === route) return;
    opened.current = route;
    main.current?.focus();
    window.scrollTo(0, 0);
  }, [route]);
  return (
    <div class={link === 'live' ? 'app' : 'app app-old'}>
      <button type="button" class="skip button" onClick={() => main.current?.focus()}>
        {words.skip}
      </button>
      <header class="top">
        <a class="top-site" href={hashOf({ view: 'site' })}>
          {session.site.name}
        </a>
        <LinkState />
        <a
          class="top-user"
          href={hashOf({ view: 'account' })}
          aria-label={accountLabel(words.account, session.user?.name)}
        >
          <Icon name="account" />
          {session.user !== null && <span>{session.user.name}</span>}
        </a>
      </header>
      <OldNotice />
      <nav class="views" aria-label={words.navigation}>
        {views.map((view) => (
          <a key={view} href={hashOf({ view })} aria-current={isCurrent(route, view) ? 'page' : undefined}>
            <Icon name={view} />
            <span>{words[view]}</span>
            {view === 'problems' && problems > 0 && <b class="badge">{problems}</b>}
          </a>
        ))}
      </nav>
      <main id="main" tabIndex={-1} ref={main}>
        {children}
      </main>
      <Receipts />
      <Spoken />
    </div>
  );
}

function accountLabel(account: string, name: string | undefined): string {
  return name === undefined ? account : `${account}: ${name}`;
}

/** A plug is part of the site. */
function isCurrent(route: Route, view: ViewName): boolean {
  return route.view === view || (route.view === 'plug' && view === 'site');
}

function LinkState() {
  const { words } = usePage();
  const link = useSite(({ link }) => link);
  return <span class={`link link-${link}`}>{link === 'live' ? words.live : words.connecting}</span>;
}

/** Says how old what is shown is, while the bridge is not heard. */
function OldNotice() {
  const { words, format } = usePage();
  const link = useSite(({ link }) => link);
  const heardAt = useSite(({ heardAt }) => (link === 'live' ? null : heardAt));
  const lost = useSite(({ link, heardAt }) => link === 'lost' || (link === 'connecting' && heardAt !== null));
  return (
    <div class="old" role="status">
      {lost && (
        <p>
          <Icon name="problems" />
          <span>
            <strong>{heardAt === null ? words.lostAtOnce : words.lost(format.moment(heardAt))}</strong>{' '}
            {words.lostHelp}
          </span>
        </p>
      )}
    </div>
  );
}
