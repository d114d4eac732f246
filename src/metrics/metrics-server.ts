import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { BridgeError } from '../errors.ts';
import { sameSecret } from '../runtime/same-secret.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { Figures, FiguresOptions } from './figures.ts';

export interface MetricsServerOptions extends FiguresOptions {
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** What clients must give as bearer token; `undefined` lets everybody in who reaches the address. */
  readonly token: string | undefined;
  readonly log: Logger;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: { readonly [name: string]: string };
}

/** What one client, or many, can hold: Prometheus needs one connection. */
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 5000,
};
const MAX_CONNECTIONS = 64;
const IDLE_MS = 90_000;

/** Serves figures to Prometheus at `/metrics`, and to those who supervise the bridge `/healthz` and `/readyz`. */
export class MetricsServer implements Task {
  readonly name = 'metrics';
  readonly #options: MetricsServerOptions;
  #figures: Figures | undefined;
  #port = 0;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
  }

  /** Where it listens, once it is ready. */
  get port(): number {
    return this.#port;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { host, port, log } = this.#options;
    // Loaded only where it is used.
    const { Figures } = await import('./figures.ts');
    const figures = new Figures(this.#options);
    this.#figures = figures;
    const server = createServer(LIMITS, (request, response) => this.#serve(request, response));
    server.maxConnections = MAX_CONNECTIONS;
    server.timeout = IDLE_MS;
    try {
      this.#port = await listen(server, host, port);
      log.info({ host, port: this.#port }, 'figures are served at /metrics');
      ready();
      await aborted(signal);
    } finally {
      figures.end();
      server.close();
      server.closeAllConnections();
    }
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    // Nothing is expected with a request: what comes is not kept.
    request.resume();
    this.#answer(request).then(
      (answer) => send(response, answer, request.method === 'HEAD'),
      (error: unknown) => {
        this.#options.log.error({ err: error }, 'figures could not be told');
        send(response, { status: 500, text: 'the figures could not be told; the log says why\n' }, false);
      },
    );
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method, url = '', headers } = request;
    const path = url.split('?', 1)[0];
    if (method !== 'GET' && method !== 'HEAD')
      return { status: 405, text: 'GET only\n', headers: { Allow: 'GET, HEAD', Connection: 'close' } };
    if (path === '/healthz') return { status: 200, text: 'ok\n' };
    if (path === '/readyz') return this.#readiness();
    if (path !== '/metrics') return { status: 404, text: 'there are /metrics, /healthz and /readyz\n' };
    const refusal = this.#refusal(headers);
    if (refusal !== undefined) return refusal;
    const { text = '', contentType = '' } = await this.#told();
    return { status: 200, text, headers: { 'Content-Type': contentType } };
  }

  async #told(): Promise<{ text?: string; contentType?: string }> {
    const figures = this.#figures;
    return figures === undefined ? {} : { text: await figures.text(), contentType: figures.contentType };
  }

  /** Why a client may not see the figures. */
  #refusal({ authorization, host = '' }: IncomingMessage['headers']): Answer | undefined {
    const { token } = this.#options;
    if (token === undefined) {
      // A page of the web can give its own name this address; it cannot give the request another name.
      return isOwnName(host) ? undefined : { status: 421, text: 'ask for localhost or by address\n' };
    }
    const [, given] = /^Bearer +(.+)$/i.exec(authorization ?? '') ?? [];
    if (sameSecret(given, token)) return undefined;
    const headers = { 'WWW-Authenticate': 'Bearer realm="hs110-mqtt"' };
    return { status: 401, text: 'give the token of the configuration (metrics.token)\n', headers };
  }

  /** Whether commands reach the bridge. */
  #readiness(): Answer {
    const { status } = this.#options.session;
    if (status === 'subscribed') return { status: 200, text: 'ready\n' };
    const why = status === 'away' ? 'not connected to the broker' : 'the broker lets no commands through';
    return { status: 503, text: `${why}\n` };
  }
}

function send(response: ServerResponse, { status, text, headers }: Answer, headOnly: boolean): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(headOnly ? undefined : text);
}

/** Whether a Host header names the machine by an address or as itself. */
function isOwnName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || isIP(name) !== 0;
}

/** Resolves with the port. */
function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the port is taken' : cause.message;
      const message = `figures cannot be served on ${host}:${port}: ${why}; set metrics.listen to another address`;
      reject(new BridgeError('metrics-cannot-listen', message, { cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
