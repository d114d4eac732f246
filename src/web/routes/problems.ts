import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { WebContext } from '../context.ts';
import { problemJson } from '../json.ts';
import { problemsOf } from '../problems.ts';
import { isWithin } from '../rights.ts';
import { Problem } from '../schemas.ts';

/** Adds what tells what is wrong, and what to do about it. */
export function addProblemRoutes(app: FastifyInstance, { bridge }: WebContext): void {
  app.get(
    '/api/problems',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'What is wrong with which plugs, and what to do',
        tags: ['site'],
        response: { 200: Type.Object({ problems: Type.Array(Problem) }) },
      },
    },
    ({ identity }) => {
      const seen = [...bridge.plugs()].filter(({ path }) => isWithin(identity?.places ?? null, path));
      return { problems: problemsOf(seen).map(problemJson) };
    },
  );
}
