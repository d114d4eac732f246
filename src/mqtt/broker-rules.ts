import type { AedesOptions, Client, PublishPacket } from 'aedes';
import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import { mayPublish, maySubscribe } from './broker-access.ts';
import { ANYONE, type BrokerUser, BrokerUsers } from './broker-users.ts';
import { LimitedWarning } from './limited-warning.ts';
import { PublishRate } from './publish-rate.ts';

/** The topics of the bridge itself. */
export interface OwnTopics {
  /** Whether only the bridge may publish there. */
  isOwn(topic: string): boolean;
  /** Whether it is a discovery config of the bridge: Home Assistant may clear it. */
  isDiscovery(topic: string): boolean;
}

export interface RulesOptions {
  readonly users: readonly BrokerUser[];
  /** Where a client comes from. */
  readonly addressOf: (client: Client) => string;
  /** Called when a client has cleared a discovery config of the bridge. */
  readonly cleared: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Messages and bytes that clients may have the broker retain, all of them together. */
const MOST_RETAINED = 10_000;
const MOST_RETAINED_BYTES = 16 * 1024 * 1024;

/** Topic filters, and bytes of them, that one client may have. */
const MOST_FILTERS = 10_000;
const MOST_FILTER_BYTES = 1024 * 1024;

/** Clients whose session is kept while they are away. */
const MOST_SESSIONS = 1000;

/** Characters of a topic or a client id in a log line. */
const MAX_LOGGED_TOPIC = 200;

/** CONNACK in MQTT 5, "unsupported protocol version": what a client that speaks 5 only understands. */
const NOT_MQTT_5 = Buffer.from([0x20, 3, 0, 0x84, 0]);

/** The return code of MQTT 3.1.1 for a client id that is not accepted. */
const IDENTIFIER_REJECTED = 2;

type Hook<Name extends keyof AedesOptions> = Required<AedesOptions>[Name];

/** What clients of the embedded broker may do: log in, publish, subscribe, and have kept for them. */
export class BrokerRules {
  readonly #users: BrokerUsers;
  readonly #clock: Clock;
  readonly #addressOf: RulesOptions['addressOf'];
  readonly #cleared: RulesOptions['cleared'];
  readonly #refused: LimitedWarning;
  readonly #overRate: LimitedWarning;
  readonly #tooNew: LimitedWarning;
  readonly #rates = new Map<BrokerUser, PublishRate>();
  readonly #userOf = new WeakMap<Client, BrokerUser>();
  /** By id, of those who are connected. */
  readonly #clients = new Map<string, Client>();
  readonly #sessions = new Set<string>();
  readonly #filters = new WeakMap<Client, { readonly all: Set<string>; bytes: number }>();
  /** What clients have had retained: topics with their size. */
  readonly #retained = new Map<string, number>();
  #retainedBytes = 0;
  #own: OwnTopics | undefined;

  constructor(options: RulesOptions) {
    this.#users = new BrokerUsers(options.users, options);
    this.#addressOf = options.addressOf;
    this.#cleared = options.cleared;
    this.#clock = options.clock;
    this.#refused = new LimitedWarning('the broker refuses what a client wants', options);
    this.#overRate = new LimitedWarning('a client publishes far beyond its rate; disconnected', options);
    this.#tooNew = new LimitedWarning(
      'a client speaks MQTT 5, the embedded broker 3.1.1: set that protocol in the client',
      options,
    );
  }

  /** Keeps the topics of the bridge from clients. */
  protect(own: OwnTopics): void {
    this.#own = own;
  }

  /** MQTT 5 is not spoken, and sessions are kept for so many clients. */
  readonly connecting: Hook<'preConnect'> = (client, packet, done) => {
    if (packet.protocolVersion === 5) {
      this.#tooNew.warn({
        client: packet.clientId.slice(0, MAX_LOGGED_TOPIC),
        address: this.#addressOf(client),
      });
      client.conn.write(NOT_MQTT_5, () => done(new Error('the client speaks MQTT 5'), false));
      return;
    }
    if (packet.clean) this.#sessions.delete(packet.clientId);
    else if (this.#sessions.has(packet.clientId) || this.#sessions.size < MOST_SESSIONS)
      this.#sessions.add(packet.clientId);
    else packet.clean = true;
    done(null, true);
  };

  readonly authenticate: Hook<'authenticate'> = (client, name = '', password, done) => {
    void this.#users.check(name, password?.toString() ?? '', this.#addressOf(client)).then((user) => {
      if (user === undefined) {
        done(null, false);
        return;
      }
      const twin = this.#clients.get(client.id);
      if (twin !== undefined && this.#userOf.get(twin) !== user) {
        this.#refuse(client, user, { reason: 'another user has that client id' });
        done(Object.assign(new Error('identifier rejected'), { returnCode: IDENTIFIER_REJECTED }), false);
        return;
      }
      this.#userOf.set(client, user);
      this.#clients.set(client.id, client);
      done(null, true);
    });
  };

  /** A client is gone. */
  gone(client: Client): void {
    if (this.#clients.get(client.id) === client) this.#clients.delete(client.id);
  }

  /** `published` is called with what a client may publish, before it is acknowledged. */
  publishing(published: (packet: PublishPacket) => void): Hook<'authorizePublish'> {
    return (client, packet, done) => {
      const user = this.#user(client);
      const problem = this.#problemOf(user, packet);
      if (problem !== undefined) {
        this.#refuse(client, user, { topic: packet.topic.slice(0, MAX_LOGGED_TOPIC), reason: problem });
        // MQTT 3.1.1 has no way to refuse a message but to close the connection, with all else that is on its way.
        Object.assign(packet, { topic: '$dropped', payload: Buffer.alloc(0), retain: false });
        done(null);
        return;
      }
      const proceed = () => {
        published(packet);
        done(null);
      };
      const waitMs = this.#rateOf(user)?.next() ?? (user.rate === undefined ? 0 : undefined);
      if (waitMs === 0) proceed();
      else if (waitMs === undefined) {
        this.#overRate.warn({ user: user.name, client: client?.id });
        done(new Error('over the rate'));
      } else this.#clock.timer(proceed).set(waitMs);
    };
  }

  readonly subscribing: Hook<'authorizeSubscribe'> = (client, subscription, done) => {
    const user = this.#user(client);
    const { topic } = subscription;
    const held = this.#filters.get(client) ?? { all: new Set<string>(), bytes: 0 };
    this.#filters.set(client, held);
    const isNew = !held.all.has(topic);
    const isMany = held.all.size >= MOST_FILTERS || held.bytes + topic.length > MOST_FILTER_BYTES;
    const problem = !maySubscribe(user, topic)
      ? 'its user may not subscribe to that'
      : isNew && isMany
        ? 'it has too many subscriptions'
        : undefined;
    if (problem !== undefined) {
      this.#refuse(client, user, { topic: topic.slice(0, MAX_LOGGED_TOPIC), reason: problem });
      done(null, null);
      return;
    }
    if (isNew) {
      held.all.add(topic);
      held.bytes += topic.length;
    }
    done(null, subscription);
  };

  unsubscribed(client: Client, filters: readonly string[]): void {
    const held = this.#filters.get(client);
    for (const filter of filters) if (held?.all.delete(filter)) held.bytes -= filter.length;
  }

  #user(client: Client | null): BrokerUser {
    return (client === null ? undefined : this.#userOf.get(client)) ?? ANYONE;
  }

  #rateOf(user: BrokerUser): PublishRate | undefined {
    if (user.rate === undefined) return undefined;
    const rate = this.#rates.get(user) ?? new PublishRate(user.rate, this.#clock);
    this.#rates.set(user, rate);
    return rate;
  }

  /** Why a message is not taken; `undefined` if it is. */
  #problemOf(user: BrokerUser, { topic, payload, retain }: PublishPacket): string | undefined {
    if (topic.startsWith('$')) return 'topics that begin with $ belong to the broker';
    if (!mayPublish(user, topic)) return 'its user may not publish there';
    const isErasing = retain && payload.length === 0;
    if (this.#own?.isDiscovery(topic)) {
      if (!isErasing) return 'only the bridge may publish its discovery configs';
      this.#cleared();
    } else if (this.#own?.isOwn(topic)) return 'only the bridge may publish there';
    return retain ? this.#retain(topic, payload.length) : undefined;
  }

  /** Counts a message that is to be retained; says why it cannot be. */
  #retain(topic: string, bytes: number): string | undefined {
    const before = this.#retained.get(topic);
    const size = bytes === 0 ? 0 : bytes + topic.length;
    const total = this.#retainedBytes - (before ?? 0) + size;
    const isMany = before === undefined && this.#retained.size >= MOST_RETAINED;
    if (size > 0 && (isMany || total > MOST_RETAINED_BYTES)) return 'clients have too much retained';
    this.#retainedBytes = total;
    if (size === 0) this.#retained.delete(topic);
    else this.#retained.set(topic, size);
    return undefined;
  }

  #refuse(client: Client | null, user: BrokerUser, details: object): void {
    const who = user === ANYONE ? {} : { user: user.name };
    this.#refused.warn({ ...who, client: client?.id, ...details });
  }
}
