import { connect, type Socket } from 'node:net';
import mqttPacket, { type IConnectPacket, type Packet } from 'mqtt-packet';
import { BridgeError } from '../errors.ts';

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

const KEEPALIVE_S = 60;

/** Codes of a SUBACK from here on are refusals. */
const REFUSED = 0x80;

/** Refusals of a login that have an answer, by MQTT 3.1.1 and 5. */
const NOT_AUTHORIZED: ReadonlySet<number> = new Set([4, 5, 0x86, 0x87]);

// A table of all numbers in a packet takes longer to fill than two packets to write.
mqttPacket.writeToStream.cacheNumbers = false;

/**
 * The retained message on `topic` at a broker that is reached over TCP or TLS. Waits for it until `signal` aborts; then,
 * and for every failure, it rejects. A health check runs twice a minute for years: MQTT.js takes longer to load than this
 * takes in all, so only the packets are made and read by its library.
 */
export async function readRetained(
  broker: URL,
  topic: string,
  options: RetainedOptions,
  signal: AbortSignal,
): Promise<string> {
  const socket = await open(broker, options);
  try {
    socket.write(mqttPacket.generate(connectPacket(broker, options)));
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
  const subscribe: Packet = { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] };
  const parser = mqttPacket.parser({ protocolVersion: version });
  return new Promise((resolve, reject) => {
    socket.on('error', (error) => reject(named(error)));
    socket.on('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk) => {
      if (parser.parse(chunk) > MOST_BYTES) reject(new Error('it sends more than it was asked for'));
    });
    parser.on('error', reject);
    parser.on('packet', (packet) => {
      const refusal = refusalIn(packet, version);
      if (refusal !== undefined) reject(refusal);
      else if (packet.cmd === 'connack')
        socket.write(mqttPacket.generate(subscribe, { protocolVersion: version }));
      else if (packet.cmd === 'publish' && packet.topic === topic) resolve(packet.payload.toString());
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

/** Why the broker does not do what was asked. */
function refusalIn(packet: Packet, version: 4 | 5): BridgeError | undefined {
  if (packet.cmd === 'suback' && packet.granted.some((code) => Number(code) >= REFUSED))
    return new BridgeError('not-readable', 'the broker does not allow to read it');
  const code = packet.cmd === 'connack' ? (packet.reasonCode ?? packet.returnCode ?? REFUSED) : 0;
  if (code === 0) return undefined;
  const [name, why] = NOT_AUTHORIZED.has(code)
    ? ['login-refused', 'Not authorized']
    : ['connection-refused', 'Connection refused'];
  return new BridgeError(name, `${why} (code ${code} of MQTT ${version === 5 ? '5' : '3.1.1'})`);
}

function connectPacket(
  broker: URL,
  { username, password, clientId, version }: RetainedOptions,
): IConnectPacket {
  // What stands in the address goes before what is configured beside it.
  const name = broker.username === '' ? username : decodeURIComponent(broker.username);
  const secret = broker.password === '' ? password : decodeURIComponent(broker.password);
  return {
    cmd: 'connect',
    protocolVersion: version,
    clientId,
    clean: true,
    keepalive: KEEPALIVE_S,
    ...(name === undefined ? {} : { username: name }),
    ...(name === undefined || secret === undefined ? {} : { password: Buffer.from(secret) }),
  };
}
