import fastifySwagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';

/** Gathers the schemas of all routes that are added from now on, and serves them as an OpenAPI document. */
export async function addApiDocument(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'hs110-mqtt',
        description:
          'What the page for the staff does goes through this. Addresses are relative to the page.',
        version,
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: 'hs110_session' },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
  });
  app.get(
    '/api/openapi.json',
    {
      config: { role: 'anybody' },
      schema: {
        summary: 'This document',
        tags: ['bridge'],
        response: { 200: { type: 'object', additionalProperties: true } },
      },
    },
    (_request, reply) => reply.send({ ...app.swagger(), servers: [{ url: '..' }] }),
  );
}
