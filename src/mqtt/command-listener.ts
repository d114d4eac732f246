import type { Logger } from 'pino';
import { decodeCommand, receiptJson } from '../api/command-json.ts';
import { type Command, type Outcome, type Receipt, unattempted } from '../bridge/command.ts';
import { placesOf } from '../bridge/places.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task, within } from '../runtime/supervisor.ts';
import { LimitedWarning } from './limited-warning.ts';
import { type ResponseTopicRules, responseTopicProblem } from './response-topic.ts';
import { type Incoming, type MqttSession, SHUTDOWN_MS } from './session.ts';
import type { Topics } from './topics.ts';

export interface ListenerOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly responseTopics: Omit<ResponseTopicRules, 'base'>;
  /** How long a command stays wanted that does not say so itself. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where a command was sent, and where its receipt goes. */
interface Address {
  readonly target: string;
  readonly result: string;
}

/** Characters of a topic in a log line. */
const MAX_LOGGED_TOPIC = 200;

/** Turns messages on `set` and `get` into commands, and their outcomes into receipts: one each, always. */
export class CommandListener implements Task {
  readonly name = 'commands';
  readonly #options: ListenerOptions;
  readonly #open = new Set<Promise<void>>();
  readonly #refusals: LimitedWarning;
  readonly #badResponseTopics: LimitedWarning;
  /** How commands ended since the start. */
  readonly outcomes = new Map<Outcome, number>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#refusals = new LimitedWarning('command refused', options);
    this.#badResponseTopics = new LimitedWarning('receipt not sent to a response topic', options);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, topics, clock, log } = this.#options;
    // Plugs that are taken in later have one level.
    let depth = 1;
    for (const plug of bridge.plugs()) depth = Math.max(depth, placesOf(plug.path).length);
    // The broker keeps commands for a bridge that is away, but nothing else: what was asked then is answered too late.
    session.listen(topics.filters('set', depth), (incoming) => this.#received(incoming, 'set'), 1);
    session.listen(topics.filters('get', depth), (incoming) => this.#received(incoming, 'get'));
    for (const receipt of bridge.resume()) this.#await(receipt, '');
    ready();
    await aborted(signal);
    // The bridge has stopped before: every command is settled, its receipt is about to be sent.
    if (!(await within(clock, SHUTDOWN_MS, Promise.all(this.#open))))
      log.error({ commands: this.#open.size }, 'stopped before these commands were settled');
  }

  #received(incoming: Incoming, verb: 'set' | 'get'): void {
    const target = this.#options.topics.parse(incoming.topic);
    if (target === undefined || target.verb !== verb) return;
    if (target.path === undefined) this.#refuseAddress(incoming);
    else if (verb === 'get') this.#get(target.path, incoming);
    else this.#set(target.path, incoming);
  }

  #get(path: string, incoming: Incoming): void {
    if (incoming.retain) return;
    if (!this.#options.bridge.refresh(path)) {
      this.#refuse(this.#addressOf(path), incoming, null, `there is no plug or place ${path}`);
    }
  }

  #set(path: string, incoming: Incoming): void {
    const decoded = decodeCommand(incoming.payload, { origin: 'mqtt', user: null });
    const address = this.#addressOf(path);
    if (incoming.retain) {
      const id = 'command' in decoded ? decoded.command.id : decoded.id;
      const reason = `retained commands are not carried out: send without "retain", and clear it with an empty retained message to ${incoming.topic}`;
      this.#refuse(address, incoming, id, reason);
    } else if ('refused' in decoded) this.#refuse(address, incoming, decoded.id, decoded.refused);
    else {
      const command = { ...this.#limited(decoded.command, incoming), replyTo: replyOf(incoming) };
      this.#await(this.#carryOut(path, command, incoming.topic), incoming.topic);
    }
  }

  /** A message that expires makes its command expire with it. */
  #limited(command: Command, { expiresInMs, packetId, dup }: Incoming): Command {
    const ttlMs =
      expiresInMs === undefined ? command.ttlMs : Math.min(command.ttlMs ?? this.#options.ttlMs, expiresInMs);
    return { ...command, ttlMs, delivery: packetId === undefined ? undefined : { packetId, dup } };
  }

  /** Resolves with the receipt of a command, whatever happens. */
  async #carryOut(path: string, command: Command, topic: string): Promise<Receipt> {
    try {
      return await this.#options.bridge.command(path, command);
    } catch (error) {
      this.#options.log.error({ err: error, topic }, 'unexpected failure');
      return unattempted(path, command, 'failed', 'unexpected failure: see the log of the bridge');
    }
  }

  /** A topic with an empty level names neither a plug nor a place, least of all the whole site. */
  #refuseAddress(incoming: Incoming): void {
    const { topics } = this.#options;
    const { topic } = incoming;
    const address = {
      target: topic.slice(0, topic.lastIndexOf('/')),
      result: topics.below('bridge', 'result'),
    };
    const reason = `${topic.slice(0, MAX_LOGGED_TOPIC)} has an empty level; the whole site is ${topics.below('', 'set')}`;
    this.#refuse(address, incoming, null, reason);
  }

  #refuse(address: Address, incoming: Incoming, id: string | null, reason: string): void {
    this.#refusals.warn({ topic: incoming.topic.slice(0, MAX_LOGGED_TOPIC), reason });
    const command = { id, relay: undefined, led: undefined, replyTo: replyOf(incoming) };
    this.#send(unattempted('', command, 'refused', reason), address);
  }

  /** Sends the receipt when the command is settled: after the state it led to, which has been noted before. */
  #await(pending: Promise<Receipt>, topic: string): void {
    const sent: Promise<void> = pending
      .then((receipt) => {
        if (receipt.outcome === 'refused') this.#refusals.warn({ topic, reason: receipt.reason ?? '' });
        return new Promise<void>((resolve) => {
          this.#options.clock.soon(() => {
            this.#send(receipt, this.#addressOf(receipt.target));
            resolve();
          });
        });
      })
      .catch((error: unknown) => this.#options.log.error({ err: error, topic }, 'a receipt was not sent'))
      .finally(() => this.#open.delete(sent));
    this.#open.add(sent);
  }

  #send(receipt: Receipt, { target, result }: Address): void {
    const { replyTo, outcome } = receipt;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    const message = { payload: receiptJson(receipt, target), retain: false, qos: 1, keep: true } as const;
    this.#options.session.publish({ ...message, topic: result });
    if (replyTo === undefined || !this.#mayReply(replyTo.topic)) return;
    const { topic, correlation } = replyTo;
    const data = correlation === null ? {} : { correlationData: Buffer.from(correlation, 'base64') };
    this.#options.session.publish({ ...message, ...data, topic });
  }

  #mayReply(topic: string): boolean {
    const { topics, responseTopics } = this.#options;
    const problem = responseTopicProblem(topic, { base: topics.base, ...responseTopics });
    if (problem === undefined) return true;
    this.#badResponseTopics.warn({ responseTopic: topic.slice(0, MAX_LOGGED_TOPIC), reason: problem });
    return false;
  }

  #addressOf(path: string): Address {
    const { topics } = this.#options;
    return { target: topics.of(path), result: topics.below(path, 'result') };
  }
}

function replyOf({ responseTopic, correlationData }: Incoming): Command['replyTo'] {
  if (responseTopic === undefined || responseTopic === '') return undefined;
  return { topic: responseTopic, correlation: correlationData?.toString('base64') ?? null };
}
