import type { Logger } from 'pino';
import { decodeCommand, receiptJson } from '../api/command-json.ts';
import { type Command, type Receipt, unattempted } from '../bridge/command.ts';
import { placesOf } from '../bridge/places.ts';
import type { BridgeEvents, BridgeView } from '../bridge/view.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { LimitedWarning } from './limited-warning.ts';
import { type ResponseTopicRules, responseTopicProblem } from './response-topic.ts';
import type { Incoming, Message, MqttSession } from './session.ts';
import type { Topics } from './topics.ts';

export interface ListenerOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly responseTopics: Omit<ResponseTopicRules, 'base'>;
  /** How long a command stays wanted that does not say so itself. */
  readonly ttlMs: number;
  /** Of receipts. */
  readonly qos: 0 | 1;
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
  readonly #refusals: LimitedWarning;
  readonly #badResponseTopics: LimitedWarning;
  readonly #set = (incoming: Incoming) => this.#received(incoming, 'set');
  readonly #get = (incoming: Incoming) => this.#received(incoming, 'get');
  /** Levels of the deepest path to which commands may be sent. */
  #depth = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#refusals = new LimitedWarning('command refused', options);
    this.#badResponseTopics = new LimitedWarning('receipt not sent to a response topic', options);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge } = this.#options;
    const unsubscribe = [
      bridge.on('receipt', (event) => this.#answer(event)),
      bridge.on('plug', ({ before, after }) => {
        if (after.info !== before.info || after.availability === 'unknown') this.#reach(depthOf(after.path));
      }),
    ];
    // Plugs that are taken in later have one level.
    this.#reach(Math.max(1, ...[...bridge.plugs()].map(({ path }) => depthOf(path))));
    bridge.resume();
    ready();
    await aborted(signal);
    for (const end of unsubscribe) end();
  }

  /** Listens for commands to paths of so many levels. */
  #reach(depth: number): void {
    const { session, topics } = this.#options;
    if (depth <= this.#depth) return;
    this.#depth = depth;
    // The broker keeps commands for a bridge that is away, but nothing else: what was asked then is answered too late.
    session.listen(topics.filters('set', depth), this.#set, 1);
    session.listen(topics.filters('get', depth), this.#get);
  }

  #received(incoming: Incoming, verb: 'set' | 'get'): void {
    const target = this.#options.topics.parse(incoming.topic);
    if (target === undefined || target.verb !== verb) return;
    if (target.path === undefined) this.#refuseAddress(incoming);
    else if (verb === 'get') this.#refresh(target.path, incoming);
    else this.#command(target.path, incoming);
  }

  #refresh(path: string, incoming: Incoming): void {
    if (incoming.retain) return;
    if (!this.#options.bridge.refresh(path)) {
      this.#refuse(path, incoming, null, this.#options.bridge.absence(path));
    }
  }

  /** The command is stored when this returns: then it may be acknowledged. */
  #command(path: string, incoming: Incoming): void {
    const decoded = decodeCommand(incoming.payload, { origin: 'mqtt', user: null });
    if (incoming.retain) {
      const id = 'command' in decoded ? decoded.command.id : decoded.id;
      const reason = `retained commands are not carried out: send without "retain", and clear it with an empty retained message to ${incoming.topic}`;
      this.#refuse(path, incoming, id, reason);
    } else if ('refused' in decoded) this.#refuse(path, incoming, decoded.id, decoded.refused);
    else {
      const command = { ...this.#limited(decoded.command, incoming), replyTo: replyOf(incoming) };
      void this.#options.bridge.command(path, command);
    }
  }

  /** A message that expires makes its command expire with it. */
  #limited(command: Command, { expiresInMs, packetId, dup }: Incoming): Command {
    const ttlMs =
      expiresInMs === undefined ? command.ttlMs : Math.min(command.ttlMs ?? this.#options.ttlMs, expiresInMs);
    return { ...command, ttlMs, delivery: packetId === undefined ? undefined : { packetId, dup } };
  }

  #refuse(path: string, incoming: Incoming, id: string | null, reason: string): void {
    this.#options.bridge.refuse(path, { id, replyTo: replyOf(incoming) }, reason);
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
    this.#refusals.warn({ topic: topic.slice(0, MAX_LOGGED_TOPIC), reason });
    const command = { id: null, relay: undefined, led: undefined, replyTo: replyOf(incoming) };
    this.#send(unattempted('', command, 'refused', reason), address, () => {}, false);
  }

  /** Sends a receipt, which came after the state that it led to; it is repeated after a restart until it was taken. */
  #answer({ command, receipt, repeated }: BridgeEvents['receipt']): void {
    const address = this.#addressOf(receipt.target);
    if (receipt.outcome === 'refused')
      this.#refusals.warn({
        topic: `${address.target}/set`.slice(0, MAX_LOGGED_TOPIC),
        reason: receipt.reason,
      });
    this.#send(receipt, address, () => this.#options.bridge.acknowledge(command), repeated);
  }

  /** `taken` is called once the broker has all of it. */
  #send(receipt: Receipt, { target, result }: Address, taken: () => void, repeated: boolean): void {
    const { replyTo } = receipt;
    const payload = receiptJson(receipt, target, repeated);
    const replies = replyTo !== undefined && this.#mayReply(replyTo.topic) ? [replyOn(replyTo)] : [];
    const addressed = [{ topic: result }, ...replies];
    let untaken = addressed.length;
    const message: Omit<Message, 'topic'> = {
      ...{ payload, retain: false, qos: this.#options.qos, keep: true, awaitSubscriber: true },
      taken: () => {
        if (--untaken === 0) taken();
      },
    };
    for (const address of addressed) this.#options.session.publish({ ...message, ...address });
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

/** Levels of a path. */
function depthOf(path: string): number {
  return placesOf(path).length;
}

function replyOf({ responseTopic, correlationData }: Incoming): Command['replyTo'] {
  if (responseTopic === undefined || responseTopic === '') return undefined;
  return { topic: responseTopic, correlation: correlationData?.toString('base64') ?? null };
}

function replyOn({
  topic,
  correlation,
}: NonNullable<Command['replyTo']>): Pick<Message, 'topic' | 'correlationData'> {
  return correlation === null ? { topic } : { topic, correlationData: Buffer.from(correlation, 'base64') };
}
