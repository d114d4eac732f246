import { createHash, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../runtime/clock.ts';
import type { Database } from '../store/database.ts';
import {
  beginSession,
  endSession,
  endSessionsBefore,
  hasUsers,
  prolongSession,
  type Rights,
  type Role,
  readAccessOf,
  readSession,
} from '../store/users.ts';
import { isIngress } from './proxies.ts';
import type { Identity } from './rights.ts';

export interface IdentifyOptions {
  readonly database: Database;
  /** Whether the page is served to this machine alone: while there are no users, everybody on it may do everything. */
  readonly isLocal: boolean;
  /** Whether who is not logged in may look. */
  readonly visitors: boolean;
  /** What Home Assistant lets its users do through its ingress; `off` if it is not in front. */
  readonly ingress: Role | 'off';
  readonly clock: Clock;
}

/** What the browser holds. */
export const COOKIE = 'hs110_session';

/** A session that was not used for so long is over. */
export const SESSION_MS = 90 * 86_400_000;

/** One that is used is prolonged, at most this often. */
const PROLONGED_MS = 86_400_000;

/** Finds out who asks. */
export class Identifier {
  readonly #options: IdentifyOptions;

  constructor(options: IdentifyOptions) {
    this.#options = options;
  }

  /** How people are told apart here. */
  authenticationOf({ socket }: FastifyRequest): 'open' | 'users' | 'ingress' {
    if (this.#options.ingress !== 'off' && isIngress(socket.remoteAddress)) return 'ingress';
    return this.#isOpen ? 'open' : 'users';
  }

  /** Who sends the request; `null` if nobody is logged in. */
  of(request: FastifyRequest): Identity | null {
    return (
      this.#byToken(request.headers.authorization) ??
      this.#bySession(request.cookies[COOKIE]) ??
      this.#byIngress(request) ??
      this.#withoutUsers(request) ??
      (this.#options.visitors ? VISITOR : null)
    );
  }

  /** Whether somebody may still do what he could when he was identified. */
  holds(identity: Identity): boolean {
    const { via, secret = '' } = identity;
    if (via === 'open') return this.#isOpen;
    if (hasSession(identity)) return isSame(identity, this.#sessionOf(secret));
    if (via === 'token') return isSame(identity, readAccessOf(this.#options.database, 'token', secret));
    return true;
  }

  /** Begins a session of a user or a kiosk, and ends the one before; returns what the browser is to hold. */
  begin(whose: { user: string | null; access: string | null }, before: Identity | null): string {
    const { database, clock } = this.#options;
    const since = clock.date();
    const secret = newSecret();
    endSessionsBefore(database, since - SESSION_MS);
    this.end(before);
    beginSession(database, hashOf(secret), { ...whose, since });
    return secret;
  }

  /** Ends the session, if it is one. */
  end(identity: Identity | null): void {
    if (identity !== null && hasSession(identity)) endSession(this.#options.database, identity.secret ?? '');
  }

  /** Lets a session that is used go on; true if the browser is to be told. */
  prolong(identity: Identity): boolean {
    if (!hasSession(identity)) return false;
    const { secret = '' } = identity;
    const { database, clock } = this.#options;
    try {
      return prolongSession(database, secret, clock.date(), PROLONGED_MS);
    } catch {
      // A database that cannot be written must not keep anybody from switching a lamp off.
      return false;
    }
  }

  get #isOpen(): boolean {
    const { isLocal, database } = this.#options;
    return isLocal && !hasUsers(database);
  }

  #sessionOf(id: string) {
    const { database, clock } = this.#options;
    return readSession(database, id, clock.date() - SESSION_MS);
  }

  #byToken(authorization = ''): Identity | undefined {
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    if (token === undefined) return undefined;
    const secret = hashOf(token);
    const access = readAccessOf(this.#options.database, 'token', secret);
    return access && { name: access.name, role: access.role, places: access.places, via: 'token', secret };
  }

  #bySession(cookie: string | undefined): Identity | undefined {
    if (cookie === undefined) return undefined;
    const secret = hashOf(cookie);
    const session = this.#sessionOf(secret);
    if (session === undefined) return undefined;
    const { isKiosk, ...rights } = session;
    return { ...rights, via: isKiosk ? 'kiosk' : 'session', secret };
  }

  #byIngress({ headers, socket }: FastifyRequest): Identity | undefined {
    const { ingress } = this.#options;
    if (ingress === 'off' || !isIngress(socket.remoteAddress)) return undefined;
    const name = headers['x-remote-user-display-name'] ?? headers['x-remote-user-name'];
    return {
      name: typeof name === 'string' ? name.slice(0, 100) : 'Home Assistant',
      role: ingress,
      places: null,
      via: 'ingress',
    };
  }

  /** Behind a proxy the machine itself asks for others: then there must be users. */
  #withoutUsers({ headers }: FastifyRequest): Identity | undefined {
    const isForwarded =
      headers['x-forwarded-for'] !== undefined ||
      headers['x-real-ip'] !== undefined ||
      headers.forwarded !== undefined ||
      headers.via !== undefined;
    return isForwarded || !this.#isOpen ? undefined : EVERYBODY;
  }
}

const EVERYBODY: Identity = { name: '', role: 'admin', places: null, via: 'open' };
const VISITOR: Identity = { name: '', role: 'viewer', places: null, via: 'visitor' };

function hasSession({ via }: Identity): boolean {
  return via === 'session' || via === 'kiosk';
}

function isSame(one: Rights, other: Rights | undefined): boolean {
  return (
    other !== undefined &&
    one.role === other.role &&
    JSON.stringify(one.places) === JSON.stringify(other.places)
  );
}

/** A secret that nobody guesses. */
export function newSecret(): string {
  return randomBytes(24).toString('base64url');
}

/** What is stored of a secret. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
