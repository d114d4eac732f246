import type { FastifyInstance } from 'fastify';
import type { WebContext } from '../context.ts';
import { Session } from '../schemas.ts';

/** Adds what tells who is logged in, and what site this is. */
export function addSessionRoutes(app: FastifyInstance, { site, version }: WebContext): void {
  app.get('/api/session', { schema: { response: { 200: Session } } }, (): Session => {
    const { base, ...rest } = site;
    return { version, language: null, authentication: 'open', user: null, site: rest, base };
  });
}
