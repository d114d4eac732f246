import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { CommandError, messageOf } from '../errors.ts';
import type { Failure } from './schemas.ts';

/** An error as it is answered. */
export function failure(code: string, message: string): Failure {
  return { error: { code, message } };
}

const CODES: ReadonlyMap<number, string> = new Map([
  [413, 'too-large'],
  [415, 'not-json'],
  [429, 'too-many-requests'],
]);

/** Answers what went wrong as JSON; the details of what is our own fault go to the log. */
export function addErrorHandlers(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error);
    if (status < 500)
      return reply.code(status).send(failure(CODES.get(status) ?? 'not-understood', messageOf(error)));
    log.error({ err: error }, 'a request to the page failed');
    return reply.code(500).send(failure('unexpected', 'the log of the bridge says why'));
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(failure('not-found', 'there is nothing of that name')),
  );
}

function statusOf(error: unknown): number {
  if (error instanceof CommandError) return 400;
  const isHttp = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
  return isHttp ? Number(error.statusCode) : 500;
}
