import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { failure } from './failure.ts';

/** Serves the files of the page: those whose names hold a hash are kept by browsers for good, the rest is asked for each time. */
export async function addPage(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    app.get('/', { schema: { hide: true } }, (_request, reply) =>
      reply.code(503).send(failure('no-page', 'the page was not built: run npm run build')),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root: folder,
    schemaHide: true,
    // Beside each text the build has put it compressed.
    preCompressed: true,
    cacheControl: false,
    setHeaders: (response, path) => {
      const isHashed = path.includes('/assets/');
      response.header('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}
