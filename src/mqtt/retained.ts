import { connect, type Socket } from 'node:net';

export interface RetainedOptions {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly clientId: string;
  readonly version: 4 | 5;
  /** Of TLS, as text in PEM form. */
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly rejectUnauthorized: boolean;
  };
}

/** What this reader takes: it is after a short message. */
const MOST_BYTES = 64 * 1024;

const TLS_PROTOCOLS = new Set(['mqtts:', 'ssl:', 'tls:']);

const CONNECT = 0x10;
const CONNACK = 0x20;
const PUBLISH = 0x30;
const SUBSCRIBE = 0x82;
const SUBACK = 0x90;

const CLEAN_SESSION = 0x02;
const WITH_PASSWORD = 0x40;
const WITH_USERNAME = 0x80;
const KEEPALIVE_S = 60;
const REFUSED = 0x80;

/** Refusals of a login that have an answer, by MQTT 3.1.1 and 5. */
const NOT_AUTHORIZED: ReadonlySet<number> = new Set([4, 5, 0x86, 0x87]);

/**
 * The retained message on `topic` at a broker that is reached over TCP or TLS. Waits for it until `signal` aborts; then,
 * and for every failure, it rejects. A health check runs twice a minute for years: MQTT.js takes longer to load than this
 * takes in all.
 */
export async function readRetained(
  broker: URL,
  topic: string,
  options: RetainedOptions,
  signal: AbortSignal,
): Promise<string> {
  const socket = await open(broker, options);
  try {
    socket.write(connectPacket(broker, options));
    return await Promise.race([firstMessage(socket, topic, options.version), aborted(signal)]);
  } finally {
    socket.destroy();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
}

function firstMessage(socket: Socket, topic: string, version: 4 | 5): Promise<string> {
  let received: Buffer = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    socket.on('error', (error) => reject(named(error)));
    socket.on('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let next = packetIn(received); next !== undefined; next = packetIn(received)) {
        received = received.subarray(next.bytes);
        const refusal = refusalIn(next, version);
        if (refusal !== undefined) reject(new Error(refusal));
        else if (next.type === CONNACK) socket.write(subscribePacket(topic, version));
        else if (next.type === PUBLISH && isOn(next, topic)) resolve(messageIn(next, version));
      }
      if (received.length > MOST_BYTES) reject(new Error('it sends more than it was asked for'));
    });
  });
}

async function open({ protocol, hostname, port }: URL, { tls }: RetainedOptions): Promise<Socket> {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!TLS_PROTOCOLS.has(protocol)) return connect({ host, port: Number(port || 1883), noDelay: true });
  const { connect: connectSecurely } = await import('node:tls');
  return connectSecurely({ host, port: Number(port || 8883), servername: isName(host) ? host : '', ...tls });
}

/** SNI takes names, not addresses. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}

/** Where several addresses were tried, the error itself says nothing. */
function named(error: Error): Error {
  return error.message === '' && 'code' in error ? new Error(String(error.code)) : error;
}

interface Packet {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
  /** The size of the whole packet. */
  readonly bytes: number;
}

/** The packet that `bytes` begin with, once it is whole. */
function packetIn(bytes: Buffer): Packet | undefined {
  const length = variableIn(bytes, 1);
  const first = bytes[0];
  if (first === undefined || length === undefined || bytes.length < length.end + length.value)
    return undefined;
  const body = bytes.subarray(length.end, length.end + length.value);
  return { type: first & 0xf0, flags: first & 0x0f, body, bytes: length.end + length.value };
}

/** A number of seven bits a byte, the lowest first, and where it ends. */
function variableIn(bytes: Buffer, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 4; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return undefined;
}

/** Why the broker does not do what was asked. */
function refusalIn({ type, body }: Packet, version: 4 | 5): string | undefined {
  const code = (type === SUBACK ? body.at(-1) : body[1]) ?? REFUSED;
  if (type === SUBACK && code >= REFUSED) return 'the broker does not allow to read it';
  if (type !== CONNACK || code === 0) return undefined;
  const why = NOT_AUTHORIZED.has(code) ? 'Not authorized' : 'Connection refused';
  return `${why} (code ${code} of MQTT ${version === 5 ? '5' : '3.1.1'})`;
}

function isOn({ body }: Packet, topic: string): boolean {
  return body.length >= 2 && body.toString('utf8', 2, topicEnd(body)) === topic;
}

function topicEnd(body: Buffer): number {
  return 2 + body.readUInt16BE();
}

/** What a PUBLISH says behind its topic. */
function messageIn({ body, flags }: Packet, version: 4 | 5): string {
  // What was published at QoS 1 or 2 may carry a packet id.
  const at = topicEnd(body) + ((flags & 0x06) === 0 ? 0 : 2);
  const properties = version === 5 ? variableIn(body, at) : { value: 0, end: at };
  return properties === undefined ? '' : body.toString('utf8', properties.end + properties.value);
}

function connectPacket(broker: URL, { username, password, clientId, version }: RetainedOptions): Buffer {
  // What stands in the address goes before what is configured beside it.
  const name = broker.username === '' ? username : decodeURIComponent(broker.username);
  const secret = broker.password === '' ? password : decodeURIComponent(broker.password);
  const login = [name, name === undefined ? undefined : secret].flatMap((part) =>
    part === undefined ? [] : [text(part)],
  );
  const flags =
    CLEAN_SESSION | (login.length > 0 ? WITH_USERNAME : 0) | (login.length > 1 ? WITH_PASSWORD : 0);
  const head = Buffer.from([version, flags, 0, KEEPALIVE_S]);
  return packet(CONNECT, text('MQTT'), head, noProperties(version), text(clientId), ...login);
}

function subscribePacket(topic: string, version: 4 | 5): Buffer {
  return packet(SUBSCRIBE, Buffer.from([0, 1]), noProperties(version), text(topic), Buffer.from([0]));
}

function noProperties(version: 4 | 5): Buffer {
  return Buffer.alloc(version === 5 ? 1 : 0);
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let rest = body.length; rest > 0 || length.length === 0; rest >>>= 7)
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
