import { isObject, type JsonObject, textAt } from '../protocol/json.ts';
import type { Database } from './database.ts';

/** What somebody may do: look, switch, or everything. */
export const ROLES = ['viewer', 'staff', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** What somebody or something may do, and where; `places` is `null` for the whole site. */
export interface Rights {
  readonly name: string;
  readonly role: Role;
  readonly places: readonly string[] | null;
}

export interface User extends Rights {
  /** A hash in PHC form. */
  readonly password: string;
}

/** A right to come in without a password: of a program (`token`) or a wall tablet (`kiosk`). */
export interface Access extends Rights {
  readonly id: string;
  readonly kind: AccessKind;
}

export type AccessKind = 'token' | 'kiosk';

/** All users, by name. */
export function readUsers(database: Database): User[] {
  return all(database, 'SELECT * FROM user ORDER BY name').flatMap(readUser);
}

export function readUserNamed(database: Database, name: string): User | undefined {
  return all(database, 'SELECT * FROM user WHERE name = ?', name).flatMap(readUser)[0];
}

export function hasUsers(database: Database): boolean {
  return all(database, 'SELECT 1 FROM user LIMIT 1').length > 0;
}

/** Adds a user, or changes the one of that name, whose sessions end. */
export function putUser(database: Database, { name, role, places, password }: User): void {
  endSessionsOf(database, name);
  const sql = `INSERT INTO user VALUES (?, ?, ?, ?) ON CONFLICT (name)
    DO UPDATE SET role = excluded.role, places = excluded.places, password = excluded.password`;
  database.prepare(sql).run(name, role, json(places), password);
}

/** Removes a user, whose sessions end with it; false if there is none of that name. */
export function removeUser(database: Database, name: string): boolean {
  return database.prepare('DELETE FROM user WHERE name = ?').run(name).changes > 0;
}

/** Somebody logged in; `id` is the hash of what the browser keeps. */
export function beginSession(
  database: Database,
  id: string,
  { user, access, since }: { user: string | null; access: string | null; since: number },
): void {
  database.prepare('INSERT INTO session VALUES (?, ?, ?, ?)').run(id, user, access, since);
}

/** What the session of that id allows, as its user or kiosk is now; `undefined` if it is over. */
export function readSession(
  database: Database,
  id: string,
  notBefore: number,
): (Rights & { readonly isKiosk: boolean }) | undefined {
  const sql = `SELECT coalesce(user.name, access.name) AS name, coalesce(user.role, access.role) AS role,
      CASE WHEN user.name IS NULL THEN access.places ELSE user.places END AS places, access.id AS kiosk
    FROM session LEFT JOIN user ON user.name = session.user LEFT JOIN access ON access.id = session.access
    WHERE session.id = ? AND session.since >= ?`;
  const [row] = all(database, sql, id, notBefore);
  const [rights] = row === undefined ? [] : readRights(row);
  return rights && { ...rights, isKiosk: row?.kiosk !== null };
}

export function endSession(database: Database, id: string): void {
  database.prepare('DELETE FROM session WHERE id = ?').run(id);
}

/** Lets a session go on that was last prolonged longer than `every` ago; false if that was not needed. */
export function prolongSession(database: Database, id: string, at: number, every: number): boolean {
  const sql = 'UPDATE session SET since = ? WHERE id = ? AND since < ?';
  return database.prepare(sql).run(at, id, at - every).changes > 0;
}

/** Ends the sessions that began, or were prolonged, before that time. */
export function endSessionsBefore(database: Database, at: number): void {
  database.prepare('DELETE FROM session WHERE since < ?').run(at);
}

/** Ends all sessions of a user. */
export function endSessionsOf(database: Database, user: string): void {
  database.prepare('DELETE FROM session WHERE user = ?').run(user);
}

/** All tokens of that kind, without their secrets. */
export function readAccesses(database: Database, kind: AccessKind): Access[] {
  const rows = all(database, 'SELECT * FROM access WHERE kind = ? ORDER BY name', kind);
  return rows.flatMap((row) =>
    readRights(row).map((rights) => ({ ...rights, kind, id: textAt(row, 'id') ?? '' })),
  );
}

export function addAccess(
  database: Database,
  { id, kind, name, role, places }: Access,
  secret: string,
  since: number,
): void {
  const sql = 'INSERT INTO access VALUES (?, ?, ?, ?, ?, ?, ?)';
  database.prepare(sql).run(id, kind, name, role, json(places), secret, since);
}

/** Revokes a token; sessions that began with it end. False if there is none of that id. */
export function removeAccess(database: Database, kind: AccessKind, id: string): boolean {
  return database.prepare('DELETE FROM access WHERE kind = ? AND id = ?').run(kind, id).changes > 0;
}

/** The token of which `secret` is the hash. */
export function readAccessOf(database: Database, kind: AccessKind, secret: string): Access | undefined {
  const [row] = all(database, 'SELECT * FROM access WHERE kind = ? AND secret = ?', kind, secret);
  const [rights] = row === undefined ? [] : readRights(row);
  return rights && row && { ...rights, kind, id: textAt(row, 'id') ?? '' };
}

function all(database: Database, sql: string, ...values: (string | number)[]): JsonObject[] {
  return database
    .prepare(sql)
    .all(...values)
    .filter(isObject);
}

function readUser(row: JsonObject): User[] {
  const password = textAt(row, 'password');
  return password === undefined ? [] : readRights(row).map((rights) => ({ ...rights, password }));
}

function readRights(row: JsonObject): Rights[] {
  const name = textAt(row, 'name');
  const role = ROLES.find((one) => one === row.role);
  return name === undefined || role === undefined ? [] : [{ name, role, places: readPlaces(row.places) }];
}

/** What cannot be read allows nowhere, not everywhere. */
function readPlaces(value: unknown): readonly string[] | null {
  if (value === null) return null;
  try {
    const places: unknown = typeof value === 'string' ? JSON.parse(value) : [];
    return Array.isArray(places) ? places.filter((place) => typeof place === 'string') : [];
  } catch {
    return [];
  }
}

function json(places: readonly string[] | null): string | null {
  return places === null ? null : JSON.stringify(places);
}
