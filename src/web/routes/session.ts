import type { FastifyInstance, FastifyReply } from 'fastify';
import { FOR_PEOPLE, hashPassword } from '../../runtime/password-hash.ts';
import { putUser, readAccessOf, readUserNamed } from '../../store/users.ts';
import type { WebContext } from '../context.ts';
import { clearCookie, setCookie } from '../cookie.ts';
import { failure } from '../failure.ts';
import { hashOf } from '../identify.ts';
import { Credentials, DONE, Done, Failure, KioskToken, Passwords, Session } from '../schemas.ts';

const tags = ['session'];
const config = { role: 'anybody' } as const;

/** Adds what tells who is logged in, and logs people in and out. */
export function addSessionRoutes(app: FastifyInstance, context: WebContext): void {
  const { identifier, database, login, events, log } = context;

  app.get(
    '/api/session',
    { config, schema: { summary: 'Who is logged in, and where', tags, response: { 200: Session } } },
    (request) => {
      const { identity } = request;
      const { version, names, timeZone, base } = context;
      const isNamed = identity !== null && identity.name !== '';
      const user = isNamed ? { name: identity.name, role: identity.role, places: identity.places } : null;
      return {
        version,
        language: null,
        authentication: identifier.authenticationOf(request),
        user,
        mayLook: identity !== null,
        site: { name: names.place(''), timeZone, currency: null },
        base,
      };
    },
  );

  app.post<{ Body: Credentials }>(
    '/api/login',
    {
      config,
      schema: {
        summary: 'Begin a session, which is kept in a cookie',
        tags,
        body: Credentials,
        response: { 200: Done, 401: Failure, 429: Failure },
      },
    },
    async (request, reply) => {
      const { name, password } = request.body;
      const user = readUserNamed(database, name);
      const verdict = await login.check(request.ip, password, user?.password);
      if ('waitMs' in verdict) return tooMany(reply, verdict.waitMs);
      if (!verdict.right) {
        log.warn({ client: request.ip, misses: verdict.misses }, 'a login to the page failed');
        return reply.code(401).send(failure('wrong-login', 'name or password is wrong'));
      }
      const secret = identifier.begin({ user: user?.name ?? name, access: null }, request.identity);
      setCookie(request, reply, secret);
      events.recheck();
      return DONE;
    },
  );

  app.post<{ Body: KioskToken }>(
    '/api/kiosk',
    {
      config,
      schema: {
        summary: 'Exchange the token of a wall tablet for a session',
        tags,
        body: KioskToken,
        response: { 200: Done, 401: Failure },
      },
    },
    (request, reply) => {
      const access = readAccessOf(database, 'kiosk', hashOf(request.body.token));
      if (access === undefined)
        return reply.code(401).send(failure('wrong-token', 'this token is not, or no longer, valid'));
      setCookie(request, reply, identifier.begin({ user: null, access: access.id }, request.identity));
      events.recheck();
      return reply.send(DONE);
    },
  );

  app.post(
    '/api/logout',
    { config, schema: { summary: 'End the session, and its streams', tags, response: { 200: Done } } },
    (request, reply) => {
      identifier.end(request.identity);
      events.recheck();
      clearCookie(request, reply);
      return reply.send(DONE);
    },
  );

  app.post<{ Body: Passwords }>(
    '/api/password',
    {
      config: { role: 'viewer' },
      schema: {
        summary: "Change one's own password; all other sessions of the user end",
        tags,
        body: Passwords,
        response: { 200: Done, 401: Failure, 403: Failure, 429: Failure },
      },
    },
    async (request, reply) => {
      const { identity, body } = request;
      const user = identity?.via === 'session' ? readUserNamed(database, identity.name) : undefined;
      if (user === undefined)
        return reply.code(403).send(failure('not-a-user', 'only users who log in have a password'));
      const verdict = await login.check(request.ip, body.old, user.password);
      if ('waitMs' in verdict) return tooMany(reply, verdict.waitMs);
      if (!verdict.right) return reply.code(401).send(failure('wrong-login', 'the old password is wrong'));
      // Whoever knew the old one is out.
      putUser(database, { ...user, password: await hashPassword(body.new, FOR_PEOPLE) });
      setCookie(request, reply, identifier.begin({ user: user.name, access: null }, null));
      events.recheck();
      return DONE;
    },
  );
}

function tooMany(reply: FastifyReply, waitMs: number): FastifyReply {
  const seconds = Math.ceil(waitMs / 1000);
  reply.header('Retry-After', String(seconds));
  return reply.code(429).send(failure('too-many-logins', `too many wrong logins: try again in ${seconds} s`));
}
