import type {
  Access,
  Energy,
  EnergyRow,
  Found,
  Pending,
  Place,
  Plug,
  Problem,
  Receipt,
  Role,
  JournalEntry as SentEntry,
  Session,
  User,
} from '../schemas.ts';

/*
 * What goes over the wire: the types of the schemas by which the bridge validates and documents its API. The page is
 * part of the same build, and trusts its bridge to keep to them.
 */
export type { Access, Energy, EnergyRow, Found, Pending, Place, Plug, Problem, Receipt, Role, Session, User };

export type Missing = Receipt['missing'][number];

/** An entry of the journal, with what the page uses of a receipt's detail. */
export interface JournalEntry extends Omit<SentEntry, 'detail'> {
  readonly detail: { readonly confirmed?: number; readonly total?: number } | null;
}

export interface History {
  /** Seconds per point. */
  readonly resolution: number;
  /** Unix seconds, then mean, least and most W. */
  readonly points: readonly (readonly [time: number, mean: number, min: number, max: number])[];
}
