import { useEffect, useState } from 'preact/hooks';
import { ask, HttpError } from './http.ts';
import { rightsOf } from './page.ts';
import type { Session } from './wire.ts';

/** The views that there is a way to. */
export type ViewName = 'site' | 'problems' | 'energy' | 'journal' | 'setup';

/** What a view lives on, asked for as little of it as can be. */
const SOURCES: { readonly [view: string]: string } = {
  problems: 'api/problems',
  energy: 'api/energy?by=month&from=1970-01-01&to=1970-02-01',
  journal: 'api/journal?limit=1',
};

/** The views that this bridge has something for: one that keeps no store has neither journal nor energy. */
export function useViews(session: Session | null): readonly ViewName[] {
  const [there, setThere] = useState<readonly string[]>([]);
  const known = session?.mayLook === true;
  useEffect(() => {
    if (!known) return;
    const asked = Object.keys(SOURCES).map(async (view) =>
      (await isThere(SOURCES[view] ?? '')) ? [view] : [],
    );
    Promise.all(asked).then((found) => setThere(([] as string[]).concat(...found)));
  }, [known]);
  const views: readonly ViewName[] = ['site', 'problems', 'energy', 'journal', 'setup'];
  return views.filter((view) => {
    if (view === 'site') return true;
    if (view === 'setup') return session !== null && rightsOf(session).admin;
    return there.indexOf(view) !== -1;
  });
}

/** Only a plain "there is no such thing" counts as that. */
async function isThere(path: string): Promise<boolean> {
  try {
    await ask('GET', path);
    return true;
  } catch (error) {
    return !(error instanceof HttpError && error.status === 404);
  }
}
