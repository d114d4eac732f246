import { randomBytes } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { MAX_BODY_BYTES } from '../protocol/frame.ts';
import { isObject, type JsonObject, parseObject, textAt } from '../protocol/json.ts';
import {
  type Agreement,
  type Credentials,
  clientHash,
  KlapSession,
  type KlapVersion,
  loginOf,
  SEED_BYTES,
  serverHash,
} from '../protocol/klap.ts';
import { encodeKlapAnswer, isKlapQuestion } from '../protocol/klap-discovery.ts';
import type { SimulatedDevice } from './device.ts';
import { listening } from './listening.ts';
import type { PlugDevice } from './plug-device.ts';
import { Turns } from './turns.ts';

export interface KlapServerOptions<Device extends PlugDevice = SimulatedDevice> {
  readonly device: Device;
  readonly host: string;
  /** Of its HTTP server; 0 takes any free port. */
  readonly port: number;
  readonly version: KlapVersion;
  /** The account that the device is bound to. */
  readonly credentials: Credentials;
  /** UDP port on which it is found, on plugs 20002; 0 takes any, `undefined` leaves it out. */
  readonly discoveryPort: number | undefined;
  /** Ends each session with its first answer, and bears one module in it, as an HS110 does. */
  readonly singly?: boolean;
}

/** How long a session lasts, in seconds, as plugs say it. */
const SESSION_S = 86_400;

/** Puts a simulated device on the network as newer firmware does: KLAP over HTTP, and discovery on UDP 20002. */
export class KlapServer<Device extends PlugDevice = SimulatedDevice> {
  readonly #options: KlapServerOptions<Device>;
  readonly #turns = new Turns();
  readonly device: Device;
  /** What the device is bound to; another account is another password in the Kasa app. */
  credentials: Credentials;
  #http: Server | undefined;
  #udp: UdpSocket | undefined;
  #port: number;
  #discoveryPort: number;
  /** A handshake of which the second half has not come yet. */
  #agreement: (Agreement & { readonly cookie: string }) | undefined;
  /** There is room for one: who logs in ends the session of whoever did so before. */
  #session: { readonly keys: KlapSession; readonly cookie: string; answers: number } | undefined;
  /** Called with every query that arrives, before it is answered. */
  onQuery: (query: JsonObject) => void = () => {};
  /** Reads what is asked, and never answers. */
  silent = false;
  /** First halves of handshakes so far. */
  handshakes = 0;
  /** Second halves that did not know the password. */
  wrongHashes = 0;

  constructor(options: KlapServerOptions<Device>) {
    const { device, port, credentials, discoveryPort = 0 } = options;
    this.#options = options;
    this.device = device;
    this.credentials = credentials;
    this.#port = port;
    this.#discoveryPort = discoveryPort;
  }

  get host(): string {
    return this.#options.host;
  }

  get port(): number {
    return this.#port;
  }

  get discoveryPort(): number {
    return this.#discoveryPort;
  }

  /** Begins to answer; after a stop on the same ports as before. Rejects if one cannot be had. */
  start(): Promise<void> {
    return this.#turns.take(() => this.#open());
  }

  /** Goes away as a plug does that loses power. */
  stop(): Promise<void> {
    return this.#turns.take(() => this.#close());
  }

  async #open(): Promise<void> {
    const http = createServer((request, response) => void this.#serve(request, response));
    await listening(http, this.host, this.#port);
    this.#http = http;
    const address = http.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    if (this.#options.discoveryPort !== undefined) this.#udp = await this.#bindUdp();
  }

  async #close(): Promise<void> {
    const [http, udp] = [this.#http, this.#udp];
    this.#http = undefined;
    this.#udp = undefined;
    this.dropSession();
    http?.closeAllConnections();
    await Promise.all([
      new Promise<void>((resolve) => (http === undefined ? resolve() : http.close(() => resolve()))),
      new Promise<void>((resolve) => (udp === undefined ? resolve() : udp.close(() => resolve()))),
    ]);
  }

  /** The phone app logs in: the session that there was is no more. */
  dropSession(): void {
    this.#session = undefined;
  }

  /** Closes all connections; the session stays. */
  closeConnections(): void {
    this.#http?.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (this.silent || body === undefined) return;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://plug');
    const cookie = /TP_SESSIONID=([0-9A-F]+)/.exec(request.headers.cookie ?? '')?.[1];
    response.setHeader('Server', 'SHIP 2.0');
    response.setHeader('Content-Type', 'text/html');
    if (request.method !== 'POST') end(response, 405);
    else if (pathname === '/app/handshake1') this.#handshake1(body, response);
    else if (pathname === '/app/handshake2') this.#handshake2(body, cookie, response);
    else if (pathname === '/app/request')
      this.#answer(body, cookie, Number(searchParams.get('seq')), response);
    else end(response, 404);
  }

  #handshake1(localSeed: Buffer, response: ServerResponse): void {
    this.handshakes++;
    if (localSeed.length !== SEED_BYTES) {
      end(response, 400);
      return;
    }
    const login = loginOf(this.credentials, this.#options.version);
    const cookie = randomBytes(16).toString('hex').toUpperCase();
    this.#agreement = { login, localSeed, remoteSeed: randomBytes(SEED_BYTES), cookie };
    response.setHeader('Set-Cookie', `TP_SESSIONID=${cookie};TIMEOUT=${SESSION_S}`);
    end(response, 200, Buffer.concat([this.#agreement.remoteSeed, serverHash(this.#agreement)]));
  }

  #handshake2(hash: Buffer, cookie: string | undefined, response: ServerResponse): void {
    const agreement = this.#agreement;
    this.#agreement = undefined;
    if (agreement === undefined || cookie !== agreement.cookie || !hash.equals(clientHash(agreement))) {
      this.wrongHashes++;
      end(response, 403);
      return;
    }
    this.#session = { keys: new KlapSession(agreement), cookie, answers: 0 };
    end(response, 200);
  }

  #answer(body: Buffer, cookie: string | undefined, sequence: number, response: ServerResponse): void {
    const session = this.#session;
    const text =
      session?.cookie === cookie && session !== undefined ? opened(session.keys, sequence, body) : undefined;
    if (session === undefined || text === undefined) {
      end(response, 403);
      return;
    }
    const query = parseObject(text);
    if (this.#options.singly && (session.answers > 0 || modulesIn(query) > 1)) {
      // What comes then is no HTTP at all.
      this.dropSession();
      response.socket?.end(randomBytes(48));
      return;
    }
    session.answers++;
    this.onQuery(query);
    end(response, 200, session.keys.sealAs(sequence, JSON.stringify(this.device.answer(query, 'tcp'))));
  }

  async #bindUdp(): Promise<UdpSocket> {
    const udp = createSocket({ type: 'udp4', reuseAddr: true });
    udp.on('message', (message, sender) => {
      if (this.silent || !isKlapQuestion(message)) return;
      udp.send(this.#discoveryAnswer(), sender.port, sender.address);
    });
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind(this.#discoveryPort, this.host, resolve);
    });
    udp.on('error', () => {});
    this.#discoveryPort = udp.address().port;
    return udp;
  }

  #discoveryAnswer(): Buffer {
    const { system } = this.device.answer({ system: { get_sysinfo: {} } }, 'tcp');
    const sysinfo = isObject(system) && isObject(system.get_sysinfo) ? system.get_sysinfo : {};
    return encodeKlapAnswer({
      deviceId: textAt(sysinfo, 'deviceId')?.slice(0, 32) ?? '',
      account: this.credentials.username,
      type: textAt(sysinfo, 'mic_type') ?? textAt(sysinfo, 'type') ?? '',
      model: textAt(sysinfo, 'model') ?? '',
      hardware: textAt(sysinfo, 'hw_ver') ?? '',
      mac: textAt(sysinfo, 'mac') ?? textAt(sysinfo, 'mic_mac') ?? '',
      ip: this.host,
      httpPort: this.#port,
      version: this.#options.version,
    });
  }
}

function opened(keys: KlapSession, sequence: number, body: Buffer): string | undefined {
  try {
    return keys.open(sequence | 0, body);
  } catch {
    return undefined;
  }
}

function modulesIn(query: JsonObject): number {
  return Object.keys(query).filter((module) => module !== 'context').length;
}

function end(response: ServerResponse, status: number, body: Uint8Array = Buffer.alloc(0)): void {
  response.writeHead(status, { 'Content-Length': body.length });
  response.end(body);
}

/** What was posted; `undefined` if it broke off or is more than any client sends. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) {
        request.destroy();
        return undefined;
      }
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
