import fastifyCookie from '@fastify/cookie';
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { BridgeError } from '../errors.ts';
import type { WebContext } from './context.ts';
import { setCookie } from './cookie.ts';
import { addErrorHandlers, failure } from './failure.ts';
import { rejectionOf } from './guard.ts';
import { COOKIE } from './identify.ts';
import { boundConnections, LIMITS } from './limits.ts';
import { addApiDocument } from './openapi.ts';
import { addPage } from './page-files.ts';
import { isIngress, Proxies, type ProxyNetwork } from './proxies.ts';
import { hasRole } from './rights.ts';
import { addCommandRoutes } from './routes/commands.ts';
import { addEnergyRoutes } from './routes/energy.ts';
import { addEventRoutes } from './routes/events.ts';
import { addHistoryRoutes } from './routes/history.ts';
import { addJournalRoutes } from './routes/journal.ts';
import { addProblemRoutes } from './routes/problems.ts';
import { addRequestRoutes } from './routes/requests.ts';
import { addSessionRoutes } from './routes/session.ts';
import { addSiteRoutes } from './routes/site.ts';
import { addUserRoutes } from './routes/users.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Names besides addresses and `localhost` by which the bridge may be asked. */
  readonly hosts: ReadonlySet<string>;
  /** Certificate and key in PEM form, to be served over TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Addresses and networks of proxies that are believed what they say of who asks. */
  readonly trustProxy: readonly ProxyNetwork[];
  /** Whether the page may stand in a frame of its own origin, as Home Assistant shows it. */
  readonly isFramed: boolean;
  /** Where the page is that `npm run build` made. */
  readonly pageFolder: string;
}

/** What can be asked, a file for each topic. */
const ROUTES = [
  addSessionRoutes,
  addSiteRoutes,
  addCommandRoutes,
  addEventRoutes,
  addProblemRoutes,
  addJournalRoutes,
  addEnergyRoutes,
  addHistoryRoutes,
  addRequestRoutes,
  addUserRoutes,
];

/** Nothing is loaded from elsewhere, nothing runs that does not come from here as a file. */
const policy = (isFramed: boolean) => ({
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    objectSrc: ["'none'"],
    frameAncestors: [isFramed ? "'self'" : "'none'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
  },
});

/** The page and its API. */
export async function buildServer(options: ServerOptions, context: WebContext): Promise<FastifyInstance> {
  const { tls, isFramed, pageFolder } = options;
  const proxies = new Proxies(options.trustProxy);
  const app = fastify({
    ...LIMITS.fastify,
    logger: false,
    forceCloseConnections: true,
    trustProxy: (address) => proxies.isTrusted(address),
    ...(tls === undefined ? { http: LIMITS.http } : { https: { ...tls, ...LIMITS.http } }),
  });
  boundConnections(app.server, (address) => proxies.isTrusted(address) || isIngress(address));
  // What is answered is made of typed values: the schemas document it, and a test holds it to them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  addErrorHandlers(app, context.log);
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: policy(isFramed),
    // Browsers would go on asking a machine of the local network for HTTPS that no longer serves it.
    strictTransportSecurity: false,
    xFrameOptions: { action: isFramed ? 'sameorigin' : 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.addHook('onRequest', async (request, reply) => {
    const rejection = rejectionOf(provenanceOf(request, proxies), options.hosts);
    if (rejection === undefined) return;
    return reply.code(rejection.status).send(failure(rejection.code, rejection.message));
  });
  await app.register(fastifyRateLimit, LIMITS.requests);
  await app.register(fastifyCookie);
  addRoleCheck(app, context);
  demandCompleteRoutes(app);
  await addApiDocument(app, context.version);
  for (const add of ROUTES) add(app, context);
  await addPage(app, pageFolder);
  return app;
}

/** No route of the API may leave open who may use it, or what it does. */
function demandCompleteRoutes(app: FastifyInstance): void {
  app.addHook('onRoute', ({ url, config, schema }) => {
    if (!url.startsWith('/api/') || (config?.role !== undefined && schema?.summary !== undefined)) return;
    throw new Error(`the route ${url} needs a role and a summary`);
  });
}

function provenanceOf({ method, headers, host, socket }: FastifyRequest, proxies: Proxies) {
  const fetchSite = headers['sec-fetch-site'];
  return {
    method,
    host,
    origin: headers.origin,
    fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined,
    contentType: headers['content-type'],
    isProxied: proxies.isTrusted(socket.remoteAddress) || isIngress(socket.remoteAddress),
  };
}

/** Finds out who asks, and turns away who may not use a route. */
function addRoleCheck(app: FastifyInstance, { identifier }: WebContext): void {
  app.decorateRequest('identity', null);
  app.addHook('preValidation', async (request, reply) => {
    const { identity, isProlonged } = identify(request);
    request.identity = identity;
    if (isProlonged) setCookie(request, reply, request.cookies[COOKIE] ?? '');
    // What says nothing is for administrators, but for the files of the page.
    const { role = request.url.startsWith('/api/') ? 'admin' : 'anybody' } = request.routeOptions.config;
    if (role === 'anybody') return;
    if (identity === null) return reply.code(401).send(failure('not-logged-in', 'log in first'));
    if (!hasRole(identity, role))
      return reply.code(403).send(failure('not-allowed', `this takes the role ${role}`));
  });

  const identify = (request: FastifyRequest) => {
    const identity = identifier.of(request);
    return { identity, isProlonged: identity !== null && identifier.prolong(identity) };
  };
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
