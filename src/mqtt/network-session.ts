import type { IClientOptions, IConnackPacket } from 'mqtt';
import type { Logger } from 'pino';
import { BridgeError, messageOf } from '../errors.ts';
import { backoff } from '../runtime/backoff.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import type { Task } from '../runtime/supervisor.ts';
import { Connection } from './connection.ts';
import { type Disconnect, logDisconnect, mayBlamePacket, publicAddress, refusesLogin } from './disconnect.ts';
import { Outbox } from './outbox.ts';
import { type ProtocolVersion, ProtocolVersions } from './protocol-versions.ts';
import { LONGEST_TOPIC } from './publish-packet.ts';
import { ReconnectPolicy } from './reconnect-policy.ts';
import {
  type Incoming,
  type Message,
  type MqttSession,
  type SessionMemory,
  type SessionStatus,
  SHUTDOWN_MS,
} from './session.ts';
import { SessionRegistry } from './session-registry.ts';

export interface NetworkSessionOptions {
  /** Their URLs, tried in turn. */
  readonly brokers: readonly string[];
  readonly version: '5' | '3.1.1' | 'auto';
  readonly session: SessionMemory;
  /** MQTT 5: how long the broker keeps commands for a bridge that is away. */
  readonly sessionExpiryMs: number;
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

/** How long a broker may take to answer CONNECT or SUBSCRIBE. */
const ANSWER_TIMEOUT_MS = 10_000;
const FIRST_SUBSCRIBE_RETRY_MS = 1000;
const LAST_SUBSCRIBE_RETRY_MS = 60_000;
/** Topics with messages that are too large are logged up to this number: others may have thought them up. */
const MAX_LOGGED_TOPICS = 100;
/** Characters of a topic in a log line. */
const MAX_LOGGED_TOPIC = 200;

const STOPPED = { connected: true, code: undefined, unanswered: false, message: 'the bridge was stopped' };

type Connect = typeof import('mqtt').connect;

/**
 * The session at a broker in the network: connected, lost and connected again for as long as the bridge runs. With
 * MQTT 5 the broker keeps commands for a bridge that is away; of what the bridge says, the messages that must not be
 * lost wait here.
 */
export class NetworkSession implements Task, MqttSession {
  readonly name = 'mqtt';
  readonly #options: NetworkSessionOptions;
  readonly #registry: SessionRegistry;
  readonly #versions: ProtocolVersions;
  readonly #outbox = new Outbox();
  readonly #tooLarge = new Set<string>();
  #connection: Connection | undefined;
  #largest = Number.POSITIVE_INFINITY;
  #refusalLogged = false;
  #isSubscribed = false;

  constructor(options: NetworkSessionOptions) {
    this.#options = options;
    this.#registry = new SessionRegistry(options.log);
    this.#versions = new ProtocolVersions(options.version);
  }

  onConnect(connected: () => void): void {
    this.#registry.onConnect(connected);
  }

  onDelivered(delivered: () => void): void {
    this.#registry.onDelivered(delivered);
  }

  listen(filters: readonly string[], received: (incoming: Incoming) => void, qos: 0 | 1 = 0): void {
    const added = this.#registry.listen(filters, received, qos);
    const connection = this.#connection;
    if (connection !== undefined && added.length > 0)
      void this.#subscribe(connection, new Map(added.map((filter) => [filter, qos])));
  }

  get status(): SessionStatus {
    if (this.#connection === undefined) return 'away';
    return this.#isSubscribed ? 'subscribed' : 'connected';
  }

  get congested(): boolean {
    return this.#connection?.isCongested ?? false;
  }

  whenFree(resume: () => void): void {
    if (this.#connection === undefined) resume();
    else this.#connection.whenFree(resume);
  }

  publish(message: Message): void {
    if (message.qos === 0) {
      if (this.#connection !== undefined && this.#fits(message)) this.#connection.write(message);
      return;
    }
    if (this.#connection === undefined && !message.keep) return;
    this.#outbox.add(message);
    this.#pump();
  }

  /** Runs until the signal aborts; not being able to connect is no reason to end. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { brokers, session, clock, random, log } = this.#options;
    // Loaded only where it is used: with the embedded broker it is not.
    const { connect } = await import('mqtt');
    // Whether the broker's session can be resumed depends on the filters: all who listen must have said so.
    await new Promise<void>((resolve) => clock.soon(resolve));
    const policy = new ReconnectPolicy(brokers.length, random);
    for (let attempt = 0; !signal.aborted; attempt++) {
      const broker = brokers[attempt % brokers.length] ?? '';
      const since = clock.now();
      const disconnect = await this.#connectInAnyVersion(connect, broker, signal);
      if (signal.aborted) return;
      const heldMs = disconnect.connected ? clock.now() - since : 0;
      const { waitMs, ...context } = policy.after(disconnect, heldMs, this.#outbox.hasSuspects);
      const { clientId } = session;
      logDisconnect(disconnect, { broker: publicAddress(broker), clientId, log, ...context });
      this.#checkLogin(broker, disconnect);
      await sleep(clock, waitMs, signal);
    }
  }

  /** One connection, or a second at once in the other version of MQTT if the broker does not speak the first. */
  async #connectInAnyVersion(connect: Connect, broker: string, signal: AbortSignal): Promise<Disconnect> {
    const disconnect = await this.#connect(connect, broker, signal);
    if (signal.aborted || !this.#versions.learn(broker, disconnect)) return disconnect;
    this.#options.log.debug({ broker: publicAddress(broker) }, 'the broker does not speak MQTT 5');
    const next = await this.#connect(connect, broker, signal);
    this.#versions.learn(broker, next);
    return next;
  }

  #checkLogin(broker: string, disconnect: Disconnect): void {
    if (!this.#options.exitOnRefusedLogin || !refusesLogin(disconnect)) return;
    const message = `the broker ${publicAddress(broker)} refuses the login: ${disconnect.message}`;
    throw new BridgeError('login-refused', message);
  }

  /** One connection from its first byte to its end. */
  async #connect(connect: Connect, broker: string, signal: AbortSignal): Promise<Disconnect> {
    const version = this.#versions.of(broker);
    const { clock } = this.#options;
    let end = (_disconnect: Disconnect) => {};
    const ended = new Promise<Disconnect>((resolve) => {
      end = resolve;
    });
    const connection = new Connection(connect(broker, this.#connectOptions(version)), version, clock, {
      opened: (connack) => this.#opened(connection, connack, broker),
      received: (incoming) => this.#registry.received(incoming),
      closed: (disconnect) => {
        this.#closed(connection, disconnect);
        end(disconnect);
      },
    });
    // A silent broker does not close the connection: the bridge waits only as long as its last messages may take.
    const leave = () => void this.#shutDown(connection).finally(() => end(STOPPED));
    signal.addEventListener('abort', leave, { once: true });
    const disconnect = await ended;
    signal.removeEventListener('abort', leave);
    connection.destroy();
    return disconnect;
  }

  #connectOptions(version: ProtocolVersion): IClientOptions {
    const { session, sessionExpiryMs, username, password, ca, cert, key, stateTopic } = this.#options;
    return {
      clientId: session.clientId,
      protocolVersion: version,
      ...(version === 5 ? { properties: { sessionExpiryInterval: Math.ceil(sessionExpiryMs / 1000) } } : {}),
      // A session with other filters would go on receiving messages that have no listener any more.
      clean: version === 4 || session.filters() !== this.#filterKey(),
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // It would take 8 MB, to save next to nothing.
      writeCache: false,
      connectTimeout: ANSWER_TIMEOUT_MS,
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

  #opened(connection: Connection, connack: IConnackPacket, broker: string): void {
    this.#connection = connection;
    this.#outbox.open(connack.properties?.receiveMaximum);
    this.#largest = connack.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    const version = connection.version === 5 ? '5' : '3.1.1';
    this.#options.log.info({ broker: publicAddress(broker), version }, 'connected to broker');
    void this.#announce(connection);
    this.#pump();
  }

  #closed(connection: Connection, disconnect: Disconnect): void {
    const { clock, log } = this.#options;
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#isSubscribed = false;
    this.#registry.closed();
    const dropped = this.#outbox.close(mayBlamePacket(disconnect) ? clock.now() : undefined);
    if (dropped === undefined) return;
    const topic = dropped.topic.slice(0, MAX_LOGGED_TOPIC);
    const bytes = Buffer.byteLength(dropped.payload);
    log.error({ topic, bytes }, 'the broker closed the connection over this message twice; dropped');
    dropped.taken?.();
  }

  /** Subscribes, and publishes `online` once commands reach the bridge; states may be published before. */
  async #announce(connection: Connection): Promise<void> {
    const filters = new Map(this.#registry.filters);
    if (!(await this.#subscribe(connection, filters, () => this.#registry.opened()))) return;
    this.#isSubscribed = true;
    this.publish({ topic: this.#options.stateTopic, payload: 'online', retain: true, qos: 1 });
  }

  /** Subscribes until all is granted, and then resolves with true; with false if the connection ends before. */
  async #subscribe(
    connection: Connection,
    filters: ReadonlyMap<string, 0 | 1>,
    answered = () => {},
  ): Promise<boolean> {
    const { session, clock, random } = this.#options;
    let wanted = filters;
    for (let attempt = 0; ; attempt++) {
      const refused = await this.#trySubscribe(connection, wanted);
      if (this.#connection !== connection) return false;
      if (attempt === 0) answered();
      if (refused.length === 0) break;
      const waitMs = backoff(attempt, FIRST_SUBSCRIBE_RETRY_MS, LAST_SUBSCRIBE_RETRY_MS, random);
      await sleep(clock, waitMs, connection.signal);
      if (this.#connection !== connection) return false;
      wanted = new Map(refused.map((filter) => [filter, filters.get(filter) ?? 0]));
    }
    this.#refusalLogged = false;
    session.rememberFilters(this.#filterKey());
    return true;
  }

  /** Resolves with the filters that the broker refuses. One that does not answer at all is not worth staying with. */
  async #trySubscribe(connection: Connection, filters: ReadonlyMap<string, 0 | 1>): Promise<string[]> {
    if (filters.size === 0) return [];
    try {
      const refused = await connection.subscribe(filters, ANSWER_TIMEOUT_MS);
      if (refused.length > 0 && !this.#refusalLogged) {
        this.#refusalLogged = true;
        const message =
          'the broker does not let the bridge subscribe; commands will not arrive, trying again';
        this.#options.log.error({ refused }, message);
      }
      return refused;
    } catch (error) {
      this.#options.log.debug({ reason: messageOf(error) }, 'not subscribed');
      connection.destroy();
      return [...filters.keys()];
    }
  }

  #filterKey(): string {
    return JSON.stringify([...this.#registry.filters].sort());
  }

  /** Sends what the window has room for. */
  #pump(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const next = () => this.#outbox.next(this.#options.clock.now());
    for (let message = next(); message !== undefined; message = next()) this.#launch(connection, message);
  }

  #launch(connection: Connection, message: Message): void {
    const settle = () => {
      this.#outbox.settle(message);
      message.taken?.();
    };
    if (!this.#fits(message)) {
      settle();
      return;
    }
    connection.send(message, (refusal) => {
      const topic = message.topic.slice(0, MAX_LOGGED_TOPIC);
      if (refusal !== undefined)
        this.#options.log.warn({ topic, reason: refusal.message }, 'the broker refuses a message');
      settle();
      this.#pump();
      if (this.#outbox.isEmpty) this.#registry.delivered();
    });
  }

  /**
   * A broker closes the connection on a packet larger than it allows, and a topic that is too long for MQTT is an
   * exception of MQTT.js that cannot be caught: such a message is left out, and logged.
   */
  #fits({ topic, payload, correlationData }: Message): boolean {
    const topicSize = Buffer.byteLength(topic);
    const size = Buffer.byteLength(payload) + topicSize + (correlationData?.length ?? 0) + 64;
    if (topicSize <= LONGEST_TOPIC && size <= this.#largest) return true;
    if (!this.#tooLarge.has(topic) && this.#tooLarge.size < MAX_LOGGED_TOPICS) {
      this.#tooLarge.add(topic);
      const details = { topic: topic.slice(0, MAX_LOGGED_TOPIC), size, largest: this.#largest };
      this.#options.log.warn(details, 'the broker takes no message of this size; left out');
    }
    return false;
  }

  /** Publishes what the last will would, once what must not be lost has been taken. */
  async #shutDown(connection: Connection): Promise<void> {
    if (this.#connection !== connection) return;
    const { clock, stateTopic } = this.#options;
    const until = clock.now() + SHUTDOWN_MS;
    this.publish({ topic: stateTopic, payload: 'offline', retain: true, qos: 1 });
    while (!this.#outbox.isEmpty && this.#connection === connection && clock.now() < until) {
      await sleep(clock, 5);
    }
    // Without a DISCONNECT the broker publishes the last will, which says the same.
    if (this.#outbox.isEmpty) await connection.disconnect(Math.max(0, until - clock.now()));
  }
}
