import { isAround, isWithin, type Places } from './rights.ts';
import type { Pending, Place, Plug, Receipt } from './schemas.ts';

/** How much is wrong with each plug of which something is, by path. */
type ProblemCounts = ReadonlyMap<string, number>;

/** Something that pages are told of. */
export type Happening =
  | {
      readonly event: 'change';
      readonly plugs: readonly Plug[];
      readonly places: readonly Place[];
      /** Paths of plugs and places that are no more. */
      readonly removed: readonly string[];
      readonly problems: ProblemCounts;
    }
  | { readonly event: 'pending'; readonly pending: Pending }
  | { readonly event: 'receipt'; readonly command: number; readonly receipt: Receipt }
  | { readonly event: 'journal'; readonly path: string };

/** The whole site. */
export interface SiteSnapshot {
  readonly epoch: string;
  readonly number: number;
  readonly plugs: readonly Plug[];
  readonly places: readonly Place[];
  readonly pending: readonly Pending[];
  readonly problems: ProblemCounts;
}

/** The event as those see it who see these places; `undefined` if it is nothing to them. */
export function happeningText(
  happening: Happening,
  { id, number }: { readonly id: string; readonly number: number },
  places: Places,
): Buffer | undefined {
  const fields = fieldsFor(happening, places);
  return fields && eventText(happening.event, id, { number, ...fields });
}

/** The snapshot as those see it who see these places. */
export function snapshotText(site: SiteSnapshot, places: Places): Buffer {
  const { epoch, number, plugs, places: all, pending, problems } = site;
  return eventText('snapshot', `${epoch}-${number}`, {
    epoch,
    number,
    plugs: plugs.filter(({ path }) => isWithin(places, path)),
    places: all.filter(({ path }) => isWithin(places, path)),
    pending: pending.filter(({ target }) => concerns(places, target)),
    problems: sumOf(problems, places),
  });
}

function fieldsFor(happening: Happening, places: Places): object | undefined {
  switch (happening.event) {
    case 'change': {
      const plugs = happening.plugs.filter(({ path }) => isWithin(places, path));
      const sums = happening.places.filter(({ path }) => isWithin(places, path));
      const removed = happening.removed.filter((path) => isWithin(places, path));
      if (places !== null && plugs.length + sums.length + removed.length === 0) return undefined;
      return { plugs, places: sums, removed, problems: sumOf(happening.problems, places) };
    }
    case 'pending':
      return concerns(places, happening.pending.target) ? { pending: happening.pending } : undefined;
    case 'receipt': {
      const { command, receipt } = happening;
      if (!concerns(places, receipt.target)) return undefined;
      const missing = receipt.missing.filter(({ path }) => isWithin(places, path));
      return { command, receipt: { ...receipt, missing } };
    }
    case 'journal':
      return concerns(places, happening.path) ? { path: happening.path } : undefined;
  }
}

/** Whether what is done to that plug or place is done to one of those that are seen. */
function concerns(places: Places, target: string): boolean {
  return isWithin(places, target) || isAround(places, target);
}

function sumOf(problems: ProblemCounts, places: Places): number {
  let sum = 0;
  for (const [path, count] of problems) if (isWithin(places, path)) sum += count;
  return sum;
}

function eventText(event: string, id: string, data: object): Buffer {
  return Buffer.from(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
