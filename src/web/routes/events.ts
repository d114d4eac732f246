import type { FastifyInstance } from 'fastify';
import type { WebContext } from '../context.ts';
import { failure } from '../failure.ts';

/** Each listener costs a connection and what waits for it. */
const MOST_LISTENERS = 500;

/** Adds the stream of what happens. */
export function addEventRoutes(app: FastifyInstance, { events }: WebContext): void {
  app.get('/api/events', (request, reply) => {
    if (events.listeners >= MOST_LISTENERS) {
      return reply.code(503).send(failure('too-many-listeners', 'too many pages listen already'));
    }
    const { raw } = reply;
    reply.hijack();
    raw.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      // nginx would keep events back.
      'X-Accel-Buffering': 'no',
      'Cache-Control': 'no-cache, no-transform',
      'X-Content-Type-Options': 'nosniff',
      Connection: 'keep-alive',
    });
    const listener = {
      write: (text: string) => {
        raw.write(text);
      },
      get waiting() {
        return raw.writableLength;
      },
      end: () => {
        raw.destroy();
      },
    };
    const remove = events.add(listener, lastIdOf(request.headers['last-event-id']));
    raw.on('close', remove);
    raw.on('error', remove);
    return reply;
  });
}

function lastIdOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
