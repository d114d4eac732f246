import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { outletKey } from '../../bridge/memory.ts';
import { readTime } from '../../rules/written-time.ts';
import type { WebContext } from '../context.ts';
import { failure } from '../failure.ts';
import { isWithin } from '../rights.ts';
import { Failure, InPath, PowerHistory } from '../schemas.ts';

const DAY_MS = 86_400_000;

const Query = Type.Object({
  from: Type.Optional(
    Type.String({ maxLength: 40, description: 'A time or a day; left out: 24 hours ago.' }),
  ),
  to: Type.Optional(Type.String({ maxLength: 40 })),
});

/** Adds what reads the power of a plug over time. */
export function addHistoryRoutes(
  app: FastifyInstance,
  { bridge, history, timeZone, clock }: WebContext,
): void {
  app.get<{ Params: InPath; Querystring: { from?: string; to?: string } }>(
    '/api/history/*',
    {
      config: { role: 'viewer' },
      schema: {
        summary:
          'The power of a plug: mean, least and most, by minute for a day, by quarter of an hour for 90 days',
        tags: ['records'],
        params: InPath,
        querystring: Query,
        response: { 200: PowerHistory, 400: Failure, 404: Failure },
      },
    },
    ({ params, query, identity }, reply) => {
      const path = params['*'];
      const info = bridge.plug(path)?.info;
      if (!isWithin(identity?.places ?? null, path) || info === undefined)
        return reply.code(404).send(failure('not-found', 'there is no such plug'));
      const now = clock.date();
      const at = (text: string | undefined, otherwise: number) =>
        text === undefined ? otherwise : readTime(text, timeZone);
      const [from, to] = [at(query.from, now - DAY_MS), at(query.to, now)];
      if (info === null || info.mac === null) return { resolution: 60, points: [] };
      const { resolution, points } = history.read(outletKey(info.mac, info.outlet), from, to);
      return {
        resolution,
        points: points.map((point) => [Math.round(point.at / 1000), round(point.mean), point.min, point.max]),
      };
    },
  );
}

function round(watts: number): number {
  return Math.round(watts * 10) / 10;
}
