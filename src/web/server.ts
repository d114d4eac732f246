import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyHelmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance } from 'fastify';
import { BridgeError } from '../errors.ts';
import type { WebContext } from './context.ts';
import { failure } from './failure.ts';
import { rejectionOf } from './guard.ts';
import { addCommandRoutes } from './routes/commands.ts';
import { addEventRoutes } from './routes/events.ts';
import { addSessionRoutes } from './routes/session.ts';
import { addSiteRoutes } from './routes/site.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Names besides addresses and `localhost` by which the bridge may be asked. */
  readonly hosts: ReadonlySet<string>;
  /** Where the page is that `npm run build` made. */
  readonly pageFolder: string;
}

const MAX_BODY_BYTES = 64 * 1024;
const HEADERS_MS = 10_000;
const REQUEST_MS = 15_000;
/** Longer than events are apart. */
const IDLE_MS = 60_000;
const MAX_CONNECTIONS = 1000;

/** Nothing is loaded from elsewhere, nothing runs that does not come from here as a file. */
const POLICY = {
  directives: {
    defaultSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    objectSrc: ["'none'"],
    frameAncestors: ["'none'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    upgradeInsecureRequests: null,
  },
};

/** The page and its API. */
export async function buildServer(options: ServerOptions, context: WebContext): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    connectionTimeout: IDLE_MS,
    forceCloseConnections: true,
    http: { headersTimeout: HEADERS_MS, maxHeaderSize: 16 * 1024 },
    routerOptions: { maxParamLength: 1000 },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: POLICY,
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.addHook('onRequest', async ({ method, headers }, reply) => {
    const { host, origin } = headers;
    const fetchSite = headers['sec-fetch-site'];
    const provenance = {
      method,
      host,
      origin,
      fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined,
      contentType: headers['content-type'],
    };
    const rejection = rejectionOf(provenance, options.hosts);
    if (rejection !== undefined)
      return reply.code(rejection.status).send(failure(rejection.code, rejection.message));
  });
  app.setErrorHandler((error, _request, reply) => {
    const { statusCode: status = 500, message } = error instanceof Error ? asHttp(error) : {};
    if (status >= 500) context.log.error({ err: error }, 'a request to the page failed');
    const text = status >= 500 ? 'the log of the bridge says why' : (message ?? 'not understood');
    return reply.code(status).send(failure(status >= 500 ? 'unexpected' : 'not-understood', text));
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(failure('not-found', 'there is nothing of that name')),
  );
  for (const add of [addSessionRoutes, addSiteRoutes, addCommandRoutes, addEventRoutes]) add(app, context);
  await addPage(app, options.pageFolder);
  return app;
}

/** Files whose names hold a hash are kept by browsers for good, the rest is asked for each time. */
async function addPage(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    app.get('/', (_request, reply) =>
      reply.code(503).send(failure('no-page', 'the page was not built: run npm run build')),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    setHeaders: (response, path) => {
      const isHashed = path.includes('/assets/');
      void response.header('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}

function asHttp(error: Error): { readonly statusCode?: number; readonly message: string } {
  const { message } = error;
  return 'statusCode' in error && typeof error.statusCode === 'number'
    ? { statusCode: error.statusCode, message }
    : { message };
}

/** Listens; resolves with the port. Throws BridgeError if that cannot be. */
export async function listen(
  app: FastifyInstance,
  { host, port }: Pick<ServerOptions, 'host' | 'port'>,
): Promise<number> {
  try {
    await app.listen({ host, port });
    const address = app.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  } catch (cause) {
    const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const why = isTaken ? 'the port is taken' : String(cause);
    throw new BridgeError(
      'web-cannot-listen',
      `the page cannot be served on ${host}:${port}: ${why}; set web.listen to another address, or to off`,
      { cause },
    );
  }
}
