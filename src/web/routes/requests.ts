import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isObject, type JsonObject, objectsAt, textAt } from '../../protocol/json.ts';
import type { WebContext } from '../context.ts';
import { failure } from '../failure.ts';
import { Answered, Failure, Found, RequestBody, RequestName } from '../schemas.ts';

const config = { role: 'admin' } as const;
const tags = ['bridge'];

/** Adds the bridge's own requests: the same as on MQTT, for administrators. */
export function addRequestRoutes(app: FastifyInstance, { requests }: WebContext): void {
  app.get(
    '/api/found',
    {
      config,
      schema: {
        summary: 'Look for plugs in the network; takes some seconds',
        tags,
        response: { 200: Type.Object({ found: Type.Array(Found) }), 502: Failure },
      },
    },
    async (_request, reply) => {
      const answer = parsed(
        await requests.answer('discover', Buffer.alloc(0), { origin: 'web', user: null }),
      );
      return answer.status === 'ok' ? { found: objectsAt(answer, 'data') } : refused(reply, answer);
    },
  );

  app.post<{ Params: Static<typeof RequestName>; Body: Static<typeof RequestBody> }>(
    '/api/requests/*',
    {
      config,
      schema: {
        summary: 'A request to the bridge, as on MQTT',
        tags,
        params: RequestName,
        body: RequestBody,
        response: { 200: Answered, 400: Failure, 403: Failure, 502: Failure },
      },
    },
    async ({ params: { '*': name }, body, identity }, reply) => {
      const asker = { origin: 'web', user: identity?.name || null } as const;
      const answer = parsed(await requests.answer(name, Buffer.from(JSON.stringify(body)), asker));
      return answer.status === 'ok' ? answer : refused(reply, answer);
    },
  );
}

function parsed(text: string): JsonObject {
  const answer: unknown = JSON.parse(text);
  return isObject(answer) ? answer : {};
}

/** The sender's own mistakes; anything else went wrong at a plug. */
const STATUS: ReadonlyMap<string, number> = new Map([
  ['not-understood', 400],
  ['not-found', 404],
  ['not-allowed', 403],
  ['locked', 403],
  ['busy', 503],
]);

function refused(reply: FastifyReply, answer: JsonObject): FastifyReply {
  const code = textAt(answer, 'code') ?? 'unexpected';
  return reply.code(STATUS.get(code) ?? 502).send(failure(code, textAt(answer, 'error') ?? ''));
}
