import { useEffect, useMemo, useState } from 'preact/hooks';
import { useViews } from './available.ts';
import { browserClock } from './clock.ts';
import { ask } from './http.ts';
import { kept } from './kept.ts';
import { give, giveAgain } from './live/commands.ts';
import { LiveStore } from './live/store.ts';
import { LiveStream } from './live/stream.ts';
import { type Page, PageContext, type Question } from './page.ts';
import { QuestionDialog } from './parts/question.tsx';
import { type Route, routeOf } from './route.ts';
import { Shell } from './shell.tsx';
import { formatFor } from './text/format.ts';
import { languageOf, wordsOf } from './text/languages.ts';
import { AccountView } from './views/account.tsx';
import { EnergyView } from './views/energy.tsx';
import { JournalView } from './views/journal.tsx';
import { LoginView } from './views/login.tsx';
import { PlugView } from './views/plug.tsx';
import { ProblemsView } from './views/problems.tsx';
import { SetupView } from './views/setup.tsx';
import { SiteView } from './views/site.tsx';
import type { Receipt, Session } from './wire.ts';

const now = () => browserClock.now();

/** A command may take its time to live, and the bridge some more to say so. */
const COMMAND_MS = 30_000;

/** The page: who is before it decides what it is. */
export function App() {
  const store = useMemo(() => new LiveStore(browserClock), []);
  const [session, setSession] = useState<Session | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const [chosen, chooseLanguage] = useState(() => kept('language'));
  const route = useRoute();
  const language = languageOf([chosen, ...navigator.languages, session?.language]);
  const stream = useMemo(() => streamOf(store, setSession), [store]);
  useStream(stream);
  const views = useViews(session);
  const page = useMemo(
    () => pageOf({ session, language, store, setQuestion, chooseLanguage, stream }),
    [session, language, store, stream],
  );
  useEffect(() => {
    document.documentElement.lang = language;
    if (session !== null) document.title = session.site.name;
  }, [language, session]);

  return (
    <PageContext.Provider value={page}>
      <div aria-hidden={question === null ? undefined : 'true'}>
        {mustLogIn(session) ? (
          <LoginView />
        ) : (
          <Shell route={route} views={views}>
            <View route={route} />
          </Shell>
        )}
      </div>
      {question !== null && <QuestionDialog {...question} />}
    </PageContext.Provider>
  );
}

function View({ route }: { readonly route: Route }) {
  switch (route.view) {
    case 'site':
      return <SiteView />;
    case 'plug':
      return <PlugView key={route.path} path={route.path} />;
    case 'problems':
      return <ProblemsView />;
    case 'journal':
      return <JournalView />;
    case 'energy':
      return <EnergyView />;
    case 'setup':
      return <SetupView />;
    case 'account':
      return <AccountView />;
  }
}

function mustLogIn(session: Session | null): boolean {
  return session !== null && !session.mayLook;
}

/** Before anything is known of the bridge. */
const NO_SESSION: Session = {
  version: '',
  language: null,
  authentication: 'users',
  user: null,
  mayLook: false,
  site: { name: '', timeZone: 'UTC', currency: null },
  base: '',
};

interface PageParts {
  readonly session: Session | null;
  readonly language: string;
  readonly store: LiveStore;
  readonly stream: LiveStream;
  readonly setQuestion: (question: Question | null) => void;
  readonly chooseLanguage: (language: string) => void;
}

function pageOf({ session, language, store, stream, setQuestion, chooseLanguage }: PageParts): Page {
  const known = session ?? NO_SESSION;
  const way = {
    clock: browserClock,
    random: Math.random,
    post: postCommand,
    tell: store.tell,
  };
  return {
    session: known,
    words: wordsOf(language),
    format: formatFor(localeOf(language), known.site.timeZone, now),
    language,
    store,
    now,
    give: (target, wanted, single, brightness) => void give(way, target, wanted, single, brightness),
    giveAgain: (target, wanted, only) => void giveAgain(way, target, wanted, only),
    question: setQuestion,
    chooseLanguage: (next) => {
      kept('language', next);
      chooseLanguage(next);
    },
    renew: () => stream.start(),
  };
}

/** The reader's own region where the browser names it: `de-AT` writes numbers as `de` does not. */
function localeOf(language: string): string {
  const own = navigator.languages.filter((tag) => tag.slice(0, 2).toLowerCase() === language)[0];
  return own ?? (language === 'en' ? 'en-GB' : language);
}

/** The receipt; `null` if the bridge is still at it. */
async function postCommand(command: object): Promise<Receipt | null> {
  const receipt = await ask<Receipt>('POST', 'api/commands', command, COMMAND_MS);
  return receipt.outcome === undefined ? null : receipt;
}

function streamOf(store: LiveStore, setSession: (session: Session) => void): LiveStream {
  let version: string | null = null;
  return new LiveStream({
    clock: browserClock,
    open: () => new EventSource('api/events'),
    admitted: async () => {
      await comeInByToken();
      const session = await ask<Session>('GET', 'api/session');
      // The bridge was updated under an open page: the new page is fetched, as the old one may not understand it.
      if (version !== null && version !== session.version) location.reload();
      version = session.version;
      setSession(session);
      return !mustLogIn(session);
    },
    tell: store.tell,
  });
}

/** Starts the stream, and anew whenever the page is seen again or the network is back. */
function useStream(stream: LiveStream): void {
  useEffect(() => {
    const look = () => (document.visibilityState === 'hidden' ? stream.hide() : stream.wake());
    const restart = () => stream.start();
    // From the back-forward cache a page comes with a stream that was cut meanwhile.
    const shown = ({ persisted }: PageTransitionEvent) => persisted && stream.start();
    document.addEventListener('visibilitychange', look);
    window.addEventListener('pageshow', shown);
    window.addEventListener('online', restart);
    stream.start();
    return () => {
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('pageshow', shown);
      window.removeEventListener('online', restart);
      stream.stop();
    };
  }, [stream]);
}

/**
 * A tablet on the wall comes with the token of its QR code behind `#`, where no server and no log sees it. It is
 * exchanged for a cookie once, and out of the address then.
 */
async function comeInByToken(): Promise<void> {
  const [, kiosk, token] = location.hash.split('/');
  if (kiosk !== 'kiosk' || token === undefined) return;
  await ask('POST', 'api/kiosk', { token: decodeURIComponent(token) });
  location.replace('#/');
}

function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const go = () => setRoute(routeOf(location.hash));
    window.addEventListener('hashchange', go);
    return () => window.removeEventListener('hashchange', go);
  }, []);
  return route;
}
