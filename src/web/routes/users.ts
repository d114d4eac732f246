import { randomBytes } from 'node:crypto';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { FOR_PEOPLE, hashPassword } from '../../runtime/password-hash.ts';
import {
  type AccessKind,
  addAccess,
  putUser,
  readAccesses,
  readUserNamed,
  readUsers,
  removeAccess,
  removeUser,
} from '../../store/users.ts';
import type { WebContext } from '../context.ts';
import { failure } from '../failure.ts';
import { hashOf, newSecret } from '../identify.ts';
import { Access, DONE, Done, Failure, Identified, Named, NewAccess, NewUser, User } from '../schemas.ts';

const config = { role: 'admin' } as const;
const tags = ['users'];

/** Adds what administers users, the tokens of programs and those of wall tablets. */
export function addUserRoutes(app: FastifyInstance, context: WebContext): void {
  const { database, events } = context;
  const isAdminWithout = (name: string) =>
    readUsers(database).some((user) => user.role === 'admin' && !isSameName(user.name, name));

  app.get(
    '/api/users',
    {
      config,
      schema: { summary: 'All users', tags, response: { 200: Type.Object({ users: Type.Array(User) }) } },
    },
    () => ({ users: readUsers(database).map(({ password: _, ...user }) => user) }),
  );

  app.post<{ Body: NewUser }>(
    '/api/users',
    {
      config,
      schema: {
        summary: 'Add a user, or change one, whose sessions end',
        tags,
        body: NewUser,
        response: { 200: Done, 400: Failure },
      },
    },
    async ({ body: { name, role, places = null, password } }, reply) => {
      if (role !== 'admin' && !isAdminWithout(name))
        return reply.code(400).send(failure('no-admin', 'there must be an admin'));
      const hash =
        password === undefined
          ? readUserNamed(database, name)?.password
          : await hashPassword(password, FOR_PEOPLE);
      if (hash === undefined)
        return reply.code(400).send(failure('not-understood', 'a new user needs a password'));
      putUser(database, { name, role, places, password: hash });
      events.recheck();
      return DONE;
    },
  );

  app.delete<{ Params: Named }>(
    '/api/users/:name',
    {
      config,
      schema: {
        summary: 'Remove a user, whose sessions end',
        tags,
        params: Named,
        response: { 200: Done, 400: Failure, 404: Failure },
      },
    },
    ({ params: { name } }, reply) => {
      if (readUserNamed(database, name) === undefined)
        return reply.code(404).send(failure('not-found', 'there is no such user'));
      if (!isAdminWithout(name)) return reply.code(400).send(failure('no-admin', 'there must be an admin'));
      removeUser(database, name);
      events.recheck();
      return DONE;
    },
  );

  addAccessRoutes(app, context, 'tokens', 'token');
  addAccessRoutes(app, context, 'kiosks', 'kiosk');
}

function addAccessRoutes(
  app: FastifyInstance,
  { database, events, clock }: WebContext,
  path: 'tokens' | 'kiosks',
  kind: AccessKind,
): void {
  const whose = kind === 'token' ? 'program' : 'wall tablet';
  const List = Type.Object({ [path]: Type.Array(Access) });
  const Added = Type.Composite([Access, Type.Object({ token: Type.String() })]);
  app.get(
    `/api/${path}`,
    { config, schema: { summary: `All tokens of ${whose}s`, tags, response: { 200: List } } },
    () => ({ [path]: readAccesses(database, kind).map(({ kind: _, ...access }) => access) }),
  );

  app.post<{ Body: NewAccess }>(
    `/api/${path}`,
    {
      config,
      schema: {
        summary: `Make a token for a ${whose}, which is shown this once`,
        tags,
        body: NewAccess,
        response: { 200: Added },
      },
    },
    ({ body: { name, role, places = null } }) => {
      const id = randomBytes(6).toString('hex');
      const token = newSecret();
      addAccess(database, { id, kind, name, role, places }, hashOf(token), clock.date());
      return { id, name, role, places, token };
    },
  );

  app.delete<{ Params: Identified }>(
    `/api/${path}/:id`,
    {
      config,
      schema: {
        summary: `Revoke the token of a ${whose}`,
        tags,
        params: Identified,
        response: { 200: Done, 404: Failure },
      },
    },
    ({ params: { id } }, reply) => {
      if (!removeAccess(database, kind, id))
        return reply.code(404).send(failure('not-found', 'there is no such token'));
      events.recheck();
      return reply.send(DONE);
    },
  );
}

function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
