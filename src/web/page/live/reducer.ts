import type { Pending, Place, Plug, Receipt } from '../wire.ts';
import { byName } from './order.ts';

/** How the page stands with the bridge: `live` while its stream of events is heard, `lost` when it must be opened anew. */
export type Link = 'connecting' | 'live' | 'lost';

/** A command that was given on this page, until its receipt has been read. */
export interface Ask {
  readonly id: string;
  /** Path of the plug or place; `''` is the site. */
  readonly target: string;
  /** Where it is sent to those again that did not confirm before: their paths. */
  readonly only: readonly string[] | null;
  readonly wanted: 'ON' | 'OFF';
  /** Whether it was sent to one plug: if that confirms, its row says enough. */
  readonly single: boolean;
  readonly receipt: Receipt | null;
  /** Why there is no receipt: the bridge could not be reached, or refused. */
  readonly failure: string | null;
}

/** All that the page knows of the site. What is drawn is a function of this. */
export interface Live {
  readonly link: Link;
  /** Milliseconds since 1970 at which the bridge was last heard; `null` before the first time. */
  readonly heardAt: number | null;
  readonly number: number;
  /** By their paths, in the order of their names. */
  readonly plugs: ReadonlyMap<string, Plug>;
  readonly places: ReadonlyMap<string, Place>;
  /** Commands under way, whoever gave them, by their number. */
  readonly pending: ReadonlyMap<number, Pending>;
  readonly problems: number;
  /** Counts up with each entry of the journal, so that views of it know that there is more. */
  readonly journal: number;
  /** The newest last. */
  readonly asks: readonly Ask[];
  /** The ask that ended last, to be said aloud. */
  readonly ended: Ask | null;
}

export const NOTHING_KNOWN: Live = {
  link: 'connecting',
  heardAt: null,
  number: 0,
  plugs: new Map(),
  places: new Map(),
  pending: new Map(),
  problems: 0,
  journal: 0,
  asks: [],
  ended: null,
};

/** What happens: events of the stream, and what the user does. */
export type Happening =
  | {
      readonly type: 'snapshot';
      readonly at: number;
      readonly number: number;
      readonly plugs: readonly Plug[];
      readonly places: readonly Place[];
      readonly pending: readonly Pending[];
      readonly problems?: number;
    }
  | {
      readonly type: 'change';
      readonly at: number;
      readonly number: number;
      readonly plugs: readonly Plug[];
      readonly places: readonly Place[];
      readonly removed: readonly string[];
      readonly problems?: number;
    }
  | { readonly type: 'pending'; readonly at: number; readonly pending: Pending }
  | { readonly type: 'receipt'; readonly at: number; readonly command: number; readonly receipt: Receipt }
  | { readonly type: 'journal'; readonly at: number }
  | { readonly type: 'ping'; readonly at: number }
  | { readonly type: 'link'; readonly link: Link }
  | { readonly type: 'asked'; readonly ask: Ask }
  | { readonly type: 'answered'; readonly id: string; readonly receipt: Receipt }
  | { readonly type: 'failed'; readonly id: string; readonly failure: string }
  | { readonly type: 'read'; readonly id: string };

/** The state after something happened. */
export function reduce(live: Live, happening: Happening): Live {
  switch (happening.type) {
    case 'link':
      return { ...live, link: happening.link };
    case 'asked':
      return { ...live, asks: [...live.asks.filter(isUnread), happening.ask] };
    case 'answered':
      return settled(live, happening.id, { receipt: happening.receipt, failure: null });
    case 'failed':
      return settled(live, happening.id, { failure: happening.failure });
    case 'read':
      return { ...live, asks: live.asks.filter(({ id }) => id !== happening.id) };
    default:
      return { ...heard(live, happening), link: 'live', heardAt: happening.at };
  }
}

type Heard = Extract<Happening, { readonly at: number }>;

function heard(live: Live, event: Heard): Live {
  switch (event.type) {
    case 'snapshot':
      return {
        ...live,
        number: event.number,
        plugs: byPath(event.plugs.map(asReported).sort(byName)),
        places: byPath(event.places),
        pending: new Map(event.pending.map((pending) => [pending.command, pending] as const)),
        problems: event.problems ?? silent(event.plugs),
      };
    case 'change':
      return changed(live, event);
    case 'pending':
      return { ...live, pending: new Map(live.pending).set(event.pending.command, event.pending) };
    case 'receipt':
      return received(live, event.command, event.receipt);
    case 'journal':
      return { ...live, journal: live.journal + 1 };
    case 'ping':
      return live;
  }
}

/** A change that the snapshot holds already may come after it; it is not applied again. */
function changed(live: Live, event: Extract<Heard, { readonly type: 'change' }>): Live {
  if (event.number <= live.number) return live;
  let plugs = new Map(live.plugs);
  const places = new Map(live.places);
  for (const plug of event.plugs) plugs.set(plug.path, asReported(plug));
  // They are in the order of their names; the rest of what changes does not move them.
  if (event.plugs.some(({ path, name }) => live.plugs.get(path)?.name !== name))
    plugs = byPath([...plugs.values()].sort(byName));
  for (const place of event.places) places.set(place.path, place);
  for (const path of event.removed) {
    plugs.delete(path);
    places.delete(path);
  }
  return { ...live, number: event.number, plugs, places, problems: event.problems ?? silent(plugs.values()) };
}

/** A plug that does not answer now may be anything: what it said last is not shown as its state. */
function asReported(plug: Plug): Plug {
  return plug.availability === 'online' ? plug : { ...plug, state: null, power: null };
}

/** How many plugs do not answer: the problems that are known without being told of any. */
function silent(plugs: Iterable<Plug>): number {
  return [...plugs].filter(({ availability }) => availability === 'offline').length;
}

function received(live: Live, command: number, receipt: Receipt): Live {
  const pending = new Map(live.pending);
  pending.delete(command);
  const after = { ...live, pending };
  return receipt.id === null ? after : settled(after, receipt.id, { receipt, failure: null });
}

/** One lamp that did as it was told needs no receipt: it is seen to be so. */
function settled(live: Live, id: string, end: Partial<Pick<Ask, 'receipt' | 'failure'>>): Live {
  const ask = live.asks.filter((one) => one.id === id)[0];
  if (ask === undefined || ask.receipt !== null) return live;
  const ended = { ...ask, ...end };
  const asks = live.asks
    .map((one) => (one === ask ? ended : one))
    .filter((one) => one !== ended || !(ended.single && isGood(ended.receipt)));
  return { ...live, asks, ended };
}

function isGood(receipt: Receipt | null): boolean {
  return receipt !== null && (receipt.outcome === 'confirmed' || receipt.outcome === 'superseded');
}

/** What went wrong stays until it is read; what went well makes room for the next command. */
function isUnread({ receipt, failure }: Ask): boolean {
  return failure !== null || !isGood(receipt);
}

function byPath<T extends { readonly path: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.path, item] as const));
}
