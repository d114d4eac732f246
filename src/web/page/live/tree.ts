import type { Pending, Place, Plug } from '../wire.ts';
import { byName } from './order.ts';

/** How many lamps of a place are on, off, or have not said so, and what they draw. */
export interface Counts {
  readonly on: number;
  readonly off: number;
  readonly unknown: number;
  readonly total: number;
  /** Plugs that no command switches. */
  readonly locked: number;
  /** W; `null` if no plug reports it. */
  readonly power: number | null;
}

/** A place with what is in it. */
export interface Branch {
  readonly path: string;
  readonly name: string;
  readonly places: readonly Branch[];
  readonly plugs: readonly Plug[];
  readonly counts: Counts;
}

const NONE: Counts = { on: 0, off: 0, unknown: 0, total: 0, locked: 0, power: null };

/**
 * The tree of places; plugs stay in the order in which they come. Its counts are those of the rows drawn below them, never numbers from elsewhere: a head and its
 * rows cannot disagree.
 */
export function treeOf(
  plugs: ReadonlyMap<string, Plug>,
  places: ReadonlyMap<string, Place>,
  root = '',
): Branch {
  const children = new Map<string, Set<string>>();
  const rows = new Map<string, Plug[]>();
  for (const plug of plugs.values()) {
    const place = placeOf(plug.path);
    const siblings = rows.get(place);
    if (siblings === undefined) rows.set(place, [plug]);
    else siblings.push(plug);
    for (let path = place; path !== ''; path = placeOf(path)) {
      const parent = placeOf(path);
      const known = children.get(parent);
      if (known === undefined) children.set(parent, new Set([path]));
      else known.add(path);
    }
  }
  const grow = (path: string): Branch => {
    const inner = [...(children.get(path) ?? [])].map(grow).sort(byName);
    const own = rows.get(path) ?? [];
    return {
      path,
      name: places.get(path)?.name ?? lastLevel(path),
      places: inner,
      plugs: own,
      counts: [...inner.map(({ counts }) => counts), ...own.map(countOf)].reduce(sum, NONE),
    };
  };
  return grow(root);
}

/** What one plug adds to the counts of its place. */
export function countOf({ state, locked, power }: Plug): Counts {
  return {
    on: state === 'ON' ? 1 : 0,
    off: state === 'OFF' ? 1 : 0,
    unknown: state === null ? 1 : 0,
    total: 1,
    locked: locked ? 1 : 0,
    power,
  };
}

function sum(a: Counts, b: Counts): Counts {
  return {
    on: a.on + b.on,
    off: a.off + b.off,
    unknown: a.unknown + b.unknown,
    total: a.total + b.total,
    locked: a.locked + b.locked,
    power: a.power === null ? b.power : b.power === null ? a.power : a.power + b.power,
  };
}

/** Path of the place that a plug or place is in; `''` is the site. */
export function placeOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The path of what is called `own` in a place. */
export function joined(place: string, own: string): string {
  return place === '' ? own : `${place}/${own}`;
}

/** A path for a plug of that name: `East wing` / `Lamp 1` becomes `east-wing/lamp-1`. */
export function pathIn(place: string, name: string): string {
  return [...place.split('/'), name]
    .map((level) =>
      level
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .toLowerCase()
        .replace(/[^a-z0-9_]+/g, '-')
        .replace(/^-+|-+$/g, ''),
    )
    .filter((level) => level !== '')
    .join('/');
}

function lastLevel(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether a plug or place is `target` or in it. */
export function isWithin(path: string, target: string): boolean {
  return target === '' || path === target || path.slice(0, target.length + 1) === `${target}/`;
}

/** What is wanted of a plug by a command under way that it has not carried out yet. */
export function wantedOf(
  plug: Plug,
  pending: Iterable<Pick<Pending, 'target' | 'wanted'>>,
): 'ON' | 'OFF' | null {
  if (plug.locked) return null;
  let last: 'ON' | 'OFF' | null = null;
  for (const { target, wanted } of pending) {
    if ((wanted === 'ON' || wanted === 'OFF') && isWithin(plug.path, target)) last = wanted;
  }
  return last === plug.state ? null : last;
}
