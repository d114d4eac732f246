import type { IClientOptions, IConnackPacket } from 'mqtt';
import type { Logger } from 'pino';
import { BridgeError } from '../errors.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import type { Task } from '../runtime/supervisor.ts';
import { BrokerChoice } from './broker-choice.ts';
import { Confirmations } from './confirmations.ts';
import { Connection } from './connection.ts';
import { type Disconnect, logDisconnect, mayBlamePacket, publicAddress, refusesLogin } from './disconnect.ts';
import { Outbox } from './outbox.ts';
import { PacketLimit, sizeOf } from './packet-limit.ts';
import { type ProtocolVersion, ProtocolVersions } from './protocol-versions.ts';
import { ReconnectPolicy } from './reconnect-policy.ts';
import { RejectedMessages } from './rejected-messages.ts';
import {
  type Incoming,
  type Message,
  type MqttSession,
  type RefusedFilter,
  type SessionMemory,
  type SessionStatus,
  SHUTDOWN_MS,
} from './session.ts';
import { SessionRegistry } from './session-registry.ts';
import { Subscriptions } from './subscriptions.ts';

export interface NetworkSessionOptions {
  /** Their URLs; the first that is reached is connected to. */
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
  readonly #choice: BrokerChoice;
  readonly #subscriptions: Subscriptions;
  readonly #rejected: RejectedMessages;
  readonly #outbox = new Outbox();
  readonly #limit: PacketLimit;
  readonly #confirmations: Confirmations;
  /** Called once the outbox has room again. */
  readonly #waiting: (() => void)[] = [];
  #connection: Connection | undefined;
  #isSubscribed = false;

  constructor(options: NetworkSessionOptions) {
    this.#options = options;
    this.#registry = new SessionRegistry(options.log);
    this.#versions = new ProtocolVersions(options.version);
    this.#choice = new BrokerChoice(options.brokers, options.clock);
    this.#subscriptions = new Subscriptions(options);
    this.#rejected = new RejectedMessages(options.log);
    const ask = (answered: () => void) => this.#connection?.ping(answered);
    this.#limit = new PacketLimit(options.clock, ask);
    this.#confirmations = new Confirmations({
      clock: options.clock,
      silentSince: () => this.#outbox.silentSince,
      ask,
      giveUp: () => this.#connection?.giveUp('it confirms no messages'),
    });
  }

  get clientId(): string {
    return this.#options.session.clientId;
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
    return this.#connection !== undefined && (this.#connection.isCongested || this.#outbox.isCrowded);
  }

  get refused(): readonly RefusedFilter[] {
    return this.#subscriptions.refused;
  }

  whenFree(resume: () => void): void {
    if (this.#connection === undefined) resume();
    else if (this.#outbox.isCrowded) this.#waiting.push(resume);
    else this.#connection.whenFree(resume);
  }

  publish(message: Message): void {
    if (message.qos === 0 && !message.keep) {
      const connection = this.#connection;
      if (connection === undefined) return;
      const size = sizeOf(message);
      if (!this.#fits(message, size)) return;
      connection.write(message);
      this.#limit.sent(size);
      return;
    }
    if (this.#connection === undefined && !message.keep) return;
    this.#outbox.add(message);
    this.#pump();
  }

  /** Runs until the signal aborts; not being able to connect is no reason to end. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { session, clock, random, log } = this.#options;
    // Loaded only where it is used: with the embedded broker it is not.
    const { connect } = await import('mqtt');
    // Whether the broker's session can be resumed depends on the filters: all who listen must have said so.
    await new Promise<void>((resolve) => clock.soon(resolve));
    const policy = new ReconnectPolicy(session.isIdChosen, random);
    while (!signal.aborted) {
      const broker = await this.#choice.next(signal);
      if (signal.aborted) return;
      const since = clock.now();
      const disconnect = await this.#connectInAnyVersion(connect, broker, signal);
      if (signal.aborted) return;
      const heldMs = disconnect.connected ? clock.now() - since : 0;
      if (disconnect.connected) this.#choice.lost(broker, disconnect.givenUp ? 0 : heldMs);
      const { hasOthers } = this.#choice;
      const end = { heldMs, hasOthers, isExplained: this.#outbox.hasSuspects || this.#limit.isSuspected };
      const { waitMs, ...context } = policy.after(disconnect, end);
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
    const { clock } = this.#options;
    const version = this.#versions.of(broker, clock.now());
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
      connectTimeout: this.#choice.answerTimeoutMs,
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
    this.#limit.open(connack.properties?.maximumPacketSize);
    this.#confirmations.open();
    const version = connection.version === 5 ? '5' : '3.1.1';
    this.#options.log.info({ broker: publicAddress(broker), version }, 'connected to broker');
    void this.#announce(connection);
    this.#pump();
  }

  #closed(connection: Connection, disconnect: Disconnect): void {
    const { clock } = this.#options;
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#isSubscribed = false;
    this.#confirmations.close();
    this.#registry.closed();
    this.#subscriptions.closed();
    const isBlamed = mayBlamePacket(disconnect);
    if (isBlamed) this.#limit.lost();
    const dropped = this.#outbox.close(isBlamed ? clock.now() : undefined);
    this.#resume();
    if (dropped === undefined) return;
    this.#rejected.dropped(dropped);
    dropped.taken?.();
  }

  /** Subscribes, and publishes `online` once commands reach the bridge; states may be published before. */
  async #announce(connection: Connection): Promise<void> {
    const filters = new Map(this.#registry.filters);
    const granted = await this.#subscribe(connection, filters, (attempt) => {
      if (attempt === 0) this.#registry.opened();
    });
    if (!granted) return;
    this.#isSubscribed = true;
    this.publish({ topic: this.#options.stateTopic, payload: 'online', retain: true, qos: 1, urgent: true });
  }

  /** Subscribes until all is granted, and then resolves with true; with false if the connection ends before. */
  async #subscribe(
    connection: Connection,
    filters: ReadonlyMap<string, 0 | 1>,
    answered: (attempt: number) => void = () => {},
  ): Promise<boolean> {
    const isGranted = await this.#subscriptions.request(connection, filters, answered);
    if (isGranted) this.#options.session.rememberFilters(this.#filterKey());
    return isGranted;
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

  #resume(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }

  #launch(connection: Connection, message: Message): void {
    const settle = () => {
      this.#outbox.settle(message, this.#options.clock.now());
      message.taken?.();
    };
    const size = sizeOf(message);
    if (!this.#fits(message, size)) {
      settle();
      return;
    }
    connection.send(message, (refusal) => {
      if (refusal === undefined) this.#rejected.accepted(message);
      else this.#rejected.refused(message, refusal);
      settle();
      this.#pump();
      if (!this.#outbox.isCrowded) this.#resume();
      if (this.#outbox.isEmpty) this.#registry.delivered();
    });
    this.#limit.sent(size);
  }

  /** Whether the broker takes the message; one that it would close the connection over is left out, and logged. */
  #fits(message: Message, size: number): boolean {
    if (this.#limit.takes(message, size)) return true;
    this.#rejected.tooLarge(message.topic, size, this.#limit.largest);
    return false;
  }

  /** Publishes what the last will would, once what must not be lost has been taken. */
  async #shutDown(connection: Connection): Promise<void> {
    if (this.#connection !== connection) return;
    const { clock, stateTopic } = this.#options;
    const until = clock.now() + SHUTDOWN_MS;
    this.publish({ topic: stateTopic, payload: 'offline', retain: true, qos: 1, urgent: true });
    while (!this.#outbox.isEmpty && this.#connection === connection && clock.now() < until) {
      await sleep(clock, 5);
    }
    // Without a DISCONNECT the broker publishes the last will, which says the same.
    if (this.#outbox.isEmpty) await connection.disconnect(Math.max(0, until - clock.now()));
  }
}
