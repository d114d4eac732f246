import type { FastifyInstance } from 'fastify';
import type { WebContext } from '../context.ts';
import { failure } from '../failure.ts';
import { Failure, Listening } from '../schemas.ts';

/** Each listener costs a connection and what waits for it. */
const MOST_LISTENERS = 500;

/** Adds the stream of what happens. */
export function addEventRoutes(app: FastifyInstance, { events, identifier }: WebContext): void {
  app.get(
    '/api/events',
    {
      config: { role: 'viewer' },
      exposeHeadRoute: false,
      schema: {
        summary: 'What happens, as server-sent events',
        description:
          'First `snapshot`, then `change`, `pending`, `receipt`, `journal`, and `ping` every 15 s. With Last-Event-ID it goes on where it was, if that was not long ago.',
        tags: ['site'],
        headers: Listening,
        response: {
          200: {
            description: 'The stream',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          503: Failure,
        },
      },
    },
    (request, reply) => {
      const { identity, headers } = request;
      if (identity === null || events.listeners >= MOST_LISTENERS)
        return reply.code(503).send(failure('too-many-listeners', 'too many pages listen already'));
      const { raw } = reply;
      reply.hijack();
      raw.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        // nginx would keep events back.
        'X-Accel-Buffering': 'no',
        'Cache-Control': 'no-cache, no-transform',
        'X-Content-Type-Options': 'nosniff',
      });
      const listener = {
        places: identity.places,
        write: (bytes: Buffer) => {
          raw.write(bytes);
        },
        get waiting() {
          return raw.writableLength;
        },
        isAllowed: () => identifier.holds(identity),
        end: () => {
          raw.destroy();
        },
      };
      const lastId = headers['last-event-id'];
      const remove = events.add(listener, typeof lastId === 'string' ? lastId : undefined);
      raw.on('close', remove);
      raw.on('error', remove);
      return reply;
    },
  );
}
