import { type Rights, ROLES, type Role } from '../store/users.ts';

/** Who asks, and what that allows. */
export interface Identity extends Rights {
  /** How it is known: everybody on this machine while there are no users, or the session of a user or a wall tablet, a token, Home Assistant. */
  readonly via: 'open' | 'session' | 'kiosk' | 'token' | 'ingress' | 'visitor';
  /** The session or the token, by the hash that is stored. */
  readonly secret?: string;
}

/** The part of the site that somebody may see and, by his role, switch; `null` is the whole site. */
export type Places = readonly string[] | null;

/** Whether a role may do what that one may. */
export function hasRole({ role }: Rights, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Whether a plug or place is one of those places, or within one. */
export function isWithin(places: Places, path: string): boolean {
  return (
    places === null || places.some((place) => place === '' || path === place || path.startsWith(`${place}/`))
  );
}

/** Whether one of those places is within that path. */
export function isAround(places: Places, path: string): boolean {
  return (
    places === null || path === '' || places.some((place) => place === path || place.startsWith(`${path}/`))
  );
}

/** What of a plug or place somebody sees: itself, or his places within it. */
export function seenOf(places: Places, path: string): readonly string[] {
  if (places === null || isWithin(places, path)) return [path];
  return places.filter((place) => path === '' || place.startsWith(`${path}/`));
}
