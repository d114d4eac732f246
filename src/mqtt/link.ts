import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { IClientOptions, IConnackPacket, IPublishPacket, MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { BridgeError } from '../errors.ts';
import { backoff } from '../runtime/backoff.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import { type Task, within } from '../runtime/supervisor.ts';
import { type Ending, isTakenOver, place, refusesLogin, refusesVersion, report } from './ending.ts';
import { Outbox } from './outbox.ts';
import { LONGEST_TOPIC, publishPacket } from './publish-packet.ts';
import { FAREWELL_MS, type Incoming, type Message, type MqttSession } from './session.ts';
import { SessionRegistry } from './session-registry.ts';

export interface LinkOptions {
  /** Their URLs, tried in turn. */
  readonly brokers: readonly string[];
  readonly version: '5' | '3.1.1' | 'auto';
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly rejectUnauthorized: boolean;
  readonly keepaliveS: number;
  /** Give up when the broker refuses the login, instead of trying again. */
  readonly exitOnRefusedLogin: boolean;
  /** The topic that says whether the bridge is there: last will, `online` when connected, `offline` at the end. */
  readonly stateTopic: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

const CONNECT_TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
/** Wait after another client took over the session, lest the two throw each other out for ever. */
const TAKEN_OVER_WAIT_MS = 60_000;
/** So many connections in a row that end this soon and for no reason given are taken for that; some brokers give none. */
const MOST_BRIEF = 3;
const BRIEF_MS = 10_000;
/** Topics with messages that are too large are told of up to this number: others may have thought them up. */
const MOST_TOLD = 100;
/** Bytes on their way to the broker above which publishing pauses. */
const CONGESTED_BYTES = 1024 * 1024;

const STOPPED: Ending = { connected: true, code: undefined, message: 'the bridge was stopped' };

type Connect = typeof import('mqtt').connect;

/**
 * The connection to the broker: made, lost and made again for as long as the bridge runs, each time as a clean
 * session. It keeps no state but the messages that must not be lost.
 */
export class MqttLink implements Task, MqttSession {
  readonly name = 'mqtt';
  readonly #options: LinkOptions;
  readonly #registry: SessionRegistry;
  readonly #tooLarge = new Set<string>();
  readonly #outbox = new Outbox();
  #client: MqttClient | undefined;
  #corked = false;
  #largest = Number.POSITIVE_INFINITY;
  #version: 4 | 5;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#registry = new SessionRegistry(options.log);
    this.#version = options.version === '3.1.1' ? 4 : 5;
  }

  onConnect(connected: () => void): void {
    this.#registry.onConnect(connected);
  }

  onDelivered(delivered: () => void): void {
    this.#registry.onDelivered(delivered);
  }

  listen(filters: readonly string[], received: (incoming: Incoming) => void, qos: 0 | 1 = 0): void {
    const added = this.#registry.listen(filters, received, qos);
    if (this.#client !== undefined) this.#subscribe(this.#client, added);
  }

  get congested(): boolean {
    return (this.#client?.stream.writableLength ?? 0) > CONGESTED_BYTES;
  }

  whenFree(resume: () => void): void {
    if (this.#client === undefined) resume();
    else this.#client.stream.once('drain', resume);
  }

  publish(message: Message): void {
    if (message.qos === 0) {
      if (this.#client !== undefined && this.#fits(message)) this.#write(this.#client.stream, message);
      return;
    }
    if (this.#client === undefined && !message.keep) return;
    this.#outbox.add(message);
    this.#pump();
  }

  /** Runs until the signal aborts; not being able to connect is no reason to end. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { brokers, clientId, clock, random, log } = this.#options;
    // Loaded only where it is used: with the embedded broker it is not.
    const { connect } = await import('mqtt');
    let failures = 0;
    let brief = 0;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const broker = brokers[attempt % brokers.length] ?? '';
      const since = clock.now();
      const ending = await this.#session(connect, broker, signal);
      if (signal.aborted) return;
      if (this.#fallBack(ending, broker)) continue;
      // A connection that held for a while ends a row of failures.
      const heldMs = ending.connected ? clock.now() - since : 0;
      failures = heldMs > LAST_RETRY_MS ? 0 : failures;
      brief = ending.connected && ending.code === undefined && heldMs < BRIEF_MS ? brief + 1 : 0;
      const ousted = isTakenOver(ending) || brief >= MOST_BRIEF;
      report(ending, { broker: place(broker), clientId, first: failures === 0, ousted, log });
      if (refusesLogin(ending) && this.#options.exitOnRefusedLogin) {
        throw new BridgeError(
          'login-refused',
          `the broker ${place(broker)} refuses the login: ${ending.message}`,
        );
      }
      const round = Math.floor(failures / brokers.length);
      failures++;
      const wait = backoff(round, FIRST_RETRY_MS, LAST_RETRY_MS, random);
      await sleep(clock, ousted ? TAKEN_OVER_WAIT_MS : failures % brokers.length === 0 ? wait : 0, signal);
    }
  }

  /** One connection from its first byte to its end. */
  async #session(connect: Connect, broker: string, signal: AbortSignal): Promise<Ending> {
    const client = connect(broker, this.#connectOptions());
    let leave = () => {};
    const left = new Promise<Ending>((resolve) => {
      leave = () => void this.#farewell(client).finally(() => resolve(STOPPED));
      signal.addEventListener('abort', leave, { once: true });
    });
    // A broker that is silent does not close the connection: after its farewell the bridge no longer waits for that.
    const ending = await Promise.race([this.#watch(client, broker), left]);
    signal.removeEventListener('abort', leave);
    // MQTT.js would wait for what the broker has not confirmed.
    client.stream.destroy();
    client.end(true);
    return ending;
  }

  #connectOptions(): IClientOptions {
    const { username, password, ca, cert, key, stateTopic } = this.#options;
    return {
      clientId: this.#options.clientId,
      protocolVersion: this.#version,
      clean: true,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // It would take 8 MB, to save next to nothing.
      writeCache: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      keepalive: this.#options.keepaliveS,
      rejectUnauthorized: this.#options.rejectUnauthorized,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      will: { topic: stateTopic, payload: Buffer.from('offline'), qos: 1, retain: true },
    };
  }

  /** Follows a connection; resolves when it is over. */
  #watch(client: MqttClient, broker: string): Promise<Ending> {
    let connected = false;
    let code: number | undefined;
    let message = 'the connection was closed';
    // A publish behind an unacknowledged one would otherwise wait for some 40 ms.
    if (isSocket(client.stream)) client.stream.setNoDelay(true);
    client.on('connect', (connack) => {
      connected = true;
      this.#opened(client, connack, broker);
    });
    client.on('message', (topic, payload, packet) => this.#dispatch(topic, payload, packet));
    client.on('disconnect', (packet) => {
      code = packet.reasonCode;
      message = packet.properties?.reasonString ?? `the broker ended the connection (reason code ${code})`;
    });
    client.on('error', (error) => {
      if ('code' in error && typeof error.code === 'number') code = error.code;
      message = error.message === '' && 'code' in error ? String(error.code) : error.message;
    });
    return new Promise((resolve) => {
      client.on('close', () => {
        if (this.#client === client) this.#client = undefined;
        this.#lost();
        resolve({ connected, code, message });
      });
    });
  }

  #lost(): void {
    const { clock, log } = this.#options;
    this.#registry.closed();
    const dropped = this.#outbox.close(clock.now());
    if (dropped === undefined) return;
    const details = { topic: dropped.topic.slice(0, 200), bytes: Buffer.byteLength(dropped.payload) };
    log.error(details, 'the broker closed the connection over this message twice; dropped');
  }

  #opened(client: MqttClient, connack: IConnackPacket, broker: string): void {
    this.#client = client;
    this.#outbox.open(connack.properties?.receiveMaximum);
    this.#largest = connack.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    this.#options.log.info(
      { broker: place(broker), version: this.#version === 5 ? '5' : '3.1.1' },
      'connected to broker',
    );
    this.#subscribe(client, [...this.#registry.filters.keys()]);
    this.publish({ topic: this.#options.stateTopic, payload: 'online', retain: true, qos: 1 });
    this.#registry.opened();
    this.#pump();
  }

  #subscribe(client: MqttClient, filters: readonly string[]): void {
    if (filters.length === 0) return;
    // "Retain as published" (MQTT 5) shows a command that its sender asked to be retained, "no local" keeps what
    // the bridge said itself from it.
    const options = { qos: 1 as const, ...(this.#version === 5 ? { rap: true, nl: true } : {}) };
    client.subscribe([...filters], options, (error, granted) => {
      // What fails because the connection is gone is tried again on the next.
      if (this.#client !== client) return;
      const refused = granted?.filter(({ qos }) => qos >= 128).map(({ topic }) => topic) ?? [];
      if (error !== null || refused.length > 0) {
        this.#options.log.error(
          { err: error, refused },
          'the broker does not let the bridge subscribe; commands will not arrive',
        );
      }
    });
  }

  #dispatch(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const incoming: Incoming = {
      topic,
      payload,
      retain: packet.retain,
      responseTopic: packet.properties?.responseTopic,
      correlationData: packet.properties?.correlationData,
    };
    this.#registry.received(incoming);
  }

  /** Sends what the window has room for. */
  #pump(): void {
    const client = this.#client;
    if (client === undefined) return;
    const next = () => this.#outbox.next(this.#options.clock.now());
    for (let message = next(); message !== undefined; message = next()) this.#launch(client, message);
  }

  #launch(client: MqttClient, message: Message): void {
    const landed = () => {
      this.#outbox.landed(message);
      this.#pump();
      if (this.#outbox.isEmpty) this.#registry.delivered();
    };
    if (!this.#fits(message)) {
      this.#outbox.landed(message);
      return;
    }
    this.#send(client, message, (error) => {
      // What fails because the connection is gone is dealt with when the connection is.
      if (error !== undefined && !client.connected) return;
      const { topic } = message;
      if (error !== undefined)
        this.#options.log.warn({ topic, reason: error.message }, 'the broker refuses a message');
      landed();
    });
  }

  #send(client: MqttClient, message: Message, done: (error?: Error) => void): void {
    const { topic, payload, retain, qos, correlationData } = message;
    const properties = correlationData && this.#version === 5 ? { properties: { correlationData } } : {};
    client.publish(topic, payload, { retain, qos, ...properties }, (error) => done(error ?? undefined));
  }

  /**
   * Sends a message at QoS 0, of which MQTT.js would keep no track either: its way through MQTT.js costs five
   * times as much, and there may be thousands a second. What is sent in one go leaves in one go.
   */
  #write(stream: Duplex, { topic, payload, retain }: Message): void {
    if (!stream.writable) return;
    if (!this.#corked) {
      this.#corked = true;
      stream.cork();
      queueMicrotask(() => {
        this.#corked = false;
        stream.uncork();
      });
    }
    stream.write(publishPacket(topic, payload, retain, this.#version));
  }

  /**
   * A broker closes the connection on a packet larger than it allows, and a topic that is too long for MQTT is an
   * exception of MQTT.js that nobody catches: such a message is left out, and said.
   */
  #fits({ topic, payload, correlationData }: Message): boolean {
    const topicSize = Buffer.byteLength(topic);
    const size = Buffer.byteLength(payload) + topicSize + (correlationData?.length ?? 0) + 64;
    if (topicSize <= LONGEST_TOPIC && size <= this.#largest) return true;
    if (!this.#tooLarge.has(topic) && this.#tooLarge.size < MOST_TOLD) {
      this.#tooLarge.add(topic);
      const details = { topic: topic.slice(0, 200), size, largest: this.#largest };
      this.#options.log.warn(details, 'the broker takes no message of this size; left out');
    }
    return false;
  }

  /** Says goodbye as the last will would, once what must not be lost has been taken. */
  async #farewell(client: MqttClient): Promise<void> {
    if (this.#client !== client) return;
    const { clock, stateTopic } = this.#options;
    const until = clock.now() + FAREWELL_MS;
    this.publish({ topic: stateTopic, payload: 'offline', retain: true, qos: 1 });
    while (!this.#outbox.isEmpty && this.#client === client && clock.now() < until) await sleep(clock, 5);
    // Without a DISCONNECT the broker publishes the last will, which says the same.
    if (this.#outbox.isEmpty) await within(clock, Math.max(0, until - clock.now()), client.endAsync());
  }

  /** Whether the broker speaks only MQTT 3.1.1, and the next attempt does too. */
  #fallBack(ending: Ending, broker: string): boolean {
    if (this.#options.version !== 'auto' || this.#version === 4 || !refusesVersion(ending)) return false;
    this.#version = 4;
    this.#options.log.debug({ broker: place(broker) }, 'the broker does not speak MQTT 5');
    return true;
  }
}

function isSocket(stream: unknown): stream is Socket {
  return typeof stream === 'object' && stream !== null && 'setNoDelay' in stream;
}
