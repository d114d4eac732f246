import type { Pending, Place, Plug, Receipt, Role, Session, User } from '../schemas.ts';

/*
 * What goes over the wire: the types of the schemas by which the bridge validates and documents its API. The page is
 * part of the same build, and trusts its bridge to keep to them.
 */
export type { Pending, Place, Plug, Receipt, Role, Session, User };

export type Missing = Receipt['missing'][number];

export interface Problem {
  readonly kind: string;
  readonly path: string;
  readonly since: string | null;
  readonly reason: string | null;
  readonly cure: string | null;
  /** Problems of the same group began together: in the same place, or in the same minute. */
  readonly group: string | null;
}

export interface History {
  /** Seconds per point. */
  readonly resolution: number;
  /** Unix seconds, then mean, least and most W. */
  readonly points: readonly (readonly [time: number, mean: number, min: number, max: number])[];
}

export interface JournalEntry {
  readonly id: number;
  readonly at: string;
  readonly kind: string;
  readonly path: string;
  readonly what: string | null;
  readonly origin: string | null;
  readonly user: string | null;
  readonly outcome: string | null;
  readonly detail: {
    readonly reason?: string;
    readonly confirmed?: number;
    readonly total?: number;
    readonly missing?: readonly Missing[];
  } | null;
}

export interface Energy {
  readonly currency: string | null;
  readonly rows: readonly EnergyRow[];
}

/** What a plug or place used in a day or month. */
export interface EnergyRow {
  readonly path: string;
  readonly kind: 'plug' | 'place';
  /** `2026-10` or `2026-10-31`. */
  readonly period: string;
  readonly kwh: number | null;
  readonly cost: number | null;
  /** Part of it is not known, or only its sum is. */
  readonly incomplete: boolean;
}

export interface Found {
  readonly mac: string;
  readonly address: string;
  readonly alias: string | null;
  readonly model: string | null;
}

/** A right to come in without a password, that can be revoked. */
export interface Access {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly places: readonly string[] | null;
}
