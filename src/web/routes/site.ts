import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { WebContext } from '../context.ts';
import { failure } from '../failure.ts';
import { placeJson, plugJson } from '../json.ts';
import { Failure, Place, Plug } from '../schemas.ts';

const Named = Type.Object({ '*': Type.String({ maxLength: 1000 }) });

/** Adds what reads plugs and places. */
export function addSiteRoutes(app: FastifyInstance, { bridge, names }: WebContext): void {
  app.get('/api/plugs', { schema: { response: { 200: Type.Object({ plugs: Type.Array(Plug) }) } } }, () => ({
    plugs: [...bridge.plugs()].map((plug) => plugJson(plug, bridge, names)),
  }));
  app.get(
    '/api/places',
    { schema: { response: { 200: Type.Object({ places: Type.Array(Place) }) } } },
    () => ({
      places: [...bridge.places()].flatMap((path) => {
        const place = bridge.place(path);
        return place === undefined ? [] : [placeJson(place, names)];
      }),
    }),
  );
  app.get<{ Params: { '*': string } }>(
    '/api/plugs/*',
    { schema: { params: Named, response: { 200: Plug, 404: Failure } } },
    (request, reply) => {
      const plug = bridge.plug(request.params['*']);
      return plug === undefined
        ? reply.code(404).send(failure('not-found', 'there is no such plug'))
        : plugJson(plug, bridge, names);
    },
  );
  app.get<{ Params: { '*': string } }>(
    '/api/places/*',
    { schema: { params: Named, response: { 200: Place, 404: Failure } } },
    (request, reply) => {
      const place = bridge.place(request.params['*']);
      return place === undefined
        ? reply.code(404).send(failure('not-found', 'there is no such place'))
        : placeJson(place, names);
    },
  );
}
