import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { BridgeError } from '../errors.ts';

/** One address at which the embedded broker listens. */
export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Set: over TLS, as text in PEM form. With `ca`, clients must have a certificate of that authority. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string | undefined } | undefined;
  /** Whether MQTT is spoken within WebSockets. */
  readonly webSocket?: boolean;
  /** How that address is configured, for errors. */
  readonly option: string;
}

/** A client that may speak MQTT now. */
export interface Arrival {
  /** What it reads and writes. */
  readonly stream: Duplex;
  /** The connection that this lies within. */
  readonly socket: Socket;
}

interface Arrivals {
  /** A connection is there, on which nothing has been said. */
  readonly connected: (socket: Socket) => void;
  readonly opened: (arrival: Arrival) => void;
}

/** How long a client may take until it has a connection within TLS or WebSockets. */
const HANDSHAKE_MS = 10_000;

/** Bytes of one WebSocket message. */
const MOST_MESSAGE_BYTES = 4 * 1024 * 1024;

// Nagle's algorithm would hold back a publish behind an unacknowledged one for some 40 ms.
const NO_DELAY = { noDelay: true };

/** Listens until `close` of the result is called. Rejects if the port cannot be had. */
export async function listen(
  options: ListenerOptions,
  arrivals: Arrivals,
): Promise<{ port: number; close: () => void }> {
  const server = options.webSocket ? webSocketServer(options, arrivals) : plainServer(options, arrivals);
  server.on('connection', (socket: Socket) => {
    // An error of a connection on which nobody listens yet would end the program; its close says all.
    socket.on('error', () => {});
    arrivals.connected(socket);
  });
  const port = await started(server, options);
  return { port, close: () => void server.close() };
}

function plainServer({ tls }: ListenerOptions, { opened }: Arrivals): Server {
  if (tls === undefined) return createServer(NO_DELAY, (socket) => opened({ stream: socket, socket }));
  return createTlsServer({ ...NO_DELAY, ...secured(tls) }, (socket) => opened({ stream: socket, socket }));
}

function webSocketServer({ tls }: ListenerOptions, { opened }: Arrivals): Server {
  const upgradeOnly: RequestListener = (_request, response) => {
    response.writeHead(426, { 'content-type': 'text/plain' }).end('MQTT over WebSockets only\n');
  };
  const limits = { ...NO_DELAY, headersTimeout: HANDSHAKE_MS, requestTimeout: HANDSHAKE_MS };
  const server =
    tls === undefined
      ? createHttpServer(limits, upgradeOnly)
      : createHttpsServer({ ...limits, ...secured(tls) }, upgradeOnly);
  const upgrades = new WebSocketServer({
    server,
    maxPayload: MOST_MESSAGE_BYTES,
    handleProtocols: (protocols) => ['mqtt', 'mqttv3.1'].find((name) => protocols.has(name)) ?? false,
  });
  upgrades.on('connection', (socket: WebSocket, request: IncomingMessage) =>
    opened({ stream: createWebSocketStream(socket), socket: request.socket }),
  );
  return server;
}

function secured({ cert, key, ca }: NonNullable<ListenerOptions['tls']>) {
  const certificates = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  return { cert, key, handshakeTimeout: HANDSHAKE_MS, ...certificates };
}

/** Resolves with the port, which the system chooses if `port` is 0. */
function started(server: Server, { host, port, option }: ListenerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE' ? 'the port is taken: another broker runs there' : cause.message;
      const cure = `set mqtt.url to use that broker, or ${option} to another port`;
      reject(
        new BridgeError(
          'broker-cannot-listen',
          `the broker cannot listen on ${host}:${port}: ${why}; ${cure}`,
          { cause },
        ),
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
