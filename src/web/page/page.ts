import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Live } from './live/reducer.ts';
import type { LiveStore } from './live/store.ts';
import { useLive } from './live/store.ts';
import { isWithin } from './live/tree.ts';
import type { Words } from './text/en.ts';
import type { Format } from './text/format.ts';
import type { Session } from './wire.ts';

/** What is asked before something that many lamps, or a plug as a whole, would suffer from. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** The word on the button that does it. */
  readonly act: string;
  readonly agreed: () => void;
}

/** What every view works with. */
export interface Page {
  readonly session: Session;
  readonly words: Words;
  readonly format: Format;
  readonly language: string;
  readonly store: LiveStore;
  readonly now: () => number;
  /** Switches a plug or place, at once. */
  readonly give: (target: string, wanted: 'ON' | 'OFF', single: boolean, brightness?: number) => void;
  /** Switches those again that did not confirm. */
  readonly giveAgain: (target: string, wanted: 'ON' | 'OFF', only: readonly string[]) => void;
  /** Asks, with the focus on Cancel. */
  readonly question: (question: Question | null) => void;
  readonly chooseLanguage: (language: string) => void;
  /** Asks the bridge again who is logged in. */
  readonly renew: () => void;
}

export const PageContext = createContext<Page | null>(null);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error('outside of the page');
  return page;
}

/** What is known of the site, as far as `pick` takes it. */
export function useSite<T>(pick: (live: Live) => T): T {
  return useLive(usePage().store, pick);
}

/** What the one before the screen may do; the bridge holds to it whatever the page shows. */
export function rightsOf({ authentication, user }: Session): Rights {
  const role = user === null ? (authentication === 'open' ? 'admin' : 'viewer') : user.role;
  const places = user?.places ?? null;
  return {
    admin: role === 'admin',
    places,
    canSwitch: (path) =>
      role !== 'viewer' && (places === null || places.some((place) => isWithin(path, place))),
  };
}

export interface Rights {
  readonly admin: boolean;
  /** Where he may switch; `null` is everywhere. */
  readonly places: readonly string[] | null;
  readonly canSwitch: (path: string) => boolean;
}
