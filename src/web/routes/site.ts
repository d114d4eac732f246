import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { WebContext } from '../context.ts';
import { failure } from '../failure.ts';
import { placeJson, plugJson } from '../json.ts';
import { isWithin } from '../rights.ts';
import { Failure, InPath, Place, Plug } from '../schemas.ts';

/** Adds what reads plugs and places. */
export function addSiteRoutes(app: FastifyInstance, { bridge, names, events }: WebContext): void {
  const config = { role: 'viewer' } as const;
  const tags = ['site'];
  app.get(
    '/api/plugs',
    {
      config,
      schema: { summary: 'All plugs', tags, response: { 200: Type.Object({ plugs: Type.Array(Plug) }) } },
    },
    ({ identity }) => ({
      plugs: [...bridge.plugs()]
        .filter(({ path }) => isWithin(identity?.places ?? null, path))
        .map((plug) => plugJson(plug, bridge, names, events.userOf(plug.path))),
    }),
  );

  app.get(
    '/api/places',
    {
      config,
      schema: { summary: 'All places', tags, response: { 200: Type.Object({ places: Type.Array(Place) }) } },
    },
    ({ identity }) => ({
      places: [...bridge.places()].flatMap((path) => {
        const place = isWithin(identity?.places ?? null, path) ? bridge.place(path) : undefined;
        return place === undefined ? [] : [placeJson(place, names)];
      }),
    }),
  );

  app.get<{ Params: InPath }>(
    '/api/plugs/*',
    {
      config,
      schema: { summary: 'One plug', tags, params: InPath, response: { 200: Plug, 404: Failure } },
    },
    ({ params: { '*': path }, identity }, reply) => {
      const plug = isWithin(identity?.places ?? null, path) ? bridge.plug(path) : undefined;
      return plug === undefined
        ? reply.code(404).send(failure('not-found', 'there is no such plug'))
        : plugJson(plug, bridge, names, events.userOf(plug.path));
    },
  );

  app.get<{ Params: InPath }>(
    '/api/places/*',
    {
      config,
      schema: {
        summary: 'One place; with nothing behind the slash the whole site',
        tags,
        params: InPath,
        response: { 200: Place, 404: Failure },
      },
    },
    ({ params: { '*': path }, identity }, reply) => {
      const place = isWithin(identity?.places ?? null, path) ? bridge.place(path) : undefined;
      return place === undefined
        ? reply.code(404).send(failure('not-found', 'there is no such place'))
        : placeJson(place, names);
    },
  );
}
