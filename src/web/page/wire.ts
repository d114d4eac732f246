/** What goes over the wire, as the bridge's API sends it. */

export interface Session {
  readonly version: string;
  readonly language: string | null;
  readonly authentication: 'open' | 'users' | 'ingress';
  readonly user: User | null;
  readonly site: { readonly name: string; readonly timeZone: string; readonly currency: string | null };
  readonly base: string;
}

export type Role = 'viewer' | 'staff' | 'admin';

export interface User {
  readonly name: string;
  readonly role: Role;
  /** Where the user may switch; `null` is everywhere. */
  readonly places: readonly string[] | null;
}

export type OnOff = 'ON' | 'OFF';

export interface Plug {
  readonly path: string;
  readonly name: string;
  readonly place: string;
  readonly state: OnOff | null;
  readonly availability: 'unknown' | 'online' | 'offline';
  readonly problem: string | null;
  readonly power: number | null;
  readonly voltage: number | null;
  readonly current: number | null;
  readonly energy: number | null;
  readonly energyToday: number | null;
  readonly energyMonth: number | null;
  readonly led: OnOff | null;
  readonly rssi: number | null;
  readonly onSince: string | null;
  readonly changedBy: string | null;
  readonly user: string | null;
  readonly lastSeen: string | null;
  readonly locked: boolean;
  readonly lamp: string | null;
  readonly model: string | null;
  readonly hardware: string | null;
  readonly firmware: string | null;
  readonly address: string | null;
  readonly mac: string | null;
  readonly meter: boolean;
  readonly brightness: number | null;
}

export interface Place {
  readonly path: string;
  readonly name: string;
}

/** A command under way. */
export interface Pending {
  readonly command: number;
  readonly target: string;
  /** `ON` or `OFF`; a command over MQTT may want `TOGGLE`, or only the LED. */
  readonly wanted: string | null;
  readonly since: string;
}

export interface Missing {
  readonly path: string;
  readonly reason: string;
}

export interface Receipt {
  readonly id: string | null;
  readonly target: string;
  readonly wanted: string | null;
  readonly outcome: string;
  readonly reason?: string;
  readonly confirmed: number;
  readonly total: number;
  readonly missing: readonly Missing[];
  readonly locked?: number;
  readonly ms: number;
}

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
  readonly newer_firmware: boolean;
  /** Whether it is one of the bridge's plugs already. */
  readonly joined: boolean;
}

/** A right to come in without a password, that can be revoked. */
export interface Access {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly places: readonly string[] | null;
}
