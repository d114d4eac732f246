import type { Logger } from 'pino';
import type { BridgeView } from '../bridge/bridge.ts';
import { type Receipt, refusal } from '../bridge/command.ts';
import { placesOf } from '../bridge/places.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { Incoming, MqttSession } from './link.ts';
import { decodeCommand, receiptPayload } from './payloads.ts';
import type { Target, Topics } from './topics.ts';

export interface ListenerOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Refusals are logged at most this often; the others in between are counted. */
const QUIET_MS = 60_000;

/** Turns messages on `set` and `get` into commands, and their outcomes into receipts: one each, always. */
export class CommandListener implements Task {
  readonly name = 'commands';
  readonly #options: ListenerOptions;
  readonly #open = new Set<Promise<void>>();
  #lastWarning = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, topics } = this.#options;
    let depth = 0;
    for (const plug of bridge.plugs()) depth = Math.max(depth, placesOf(plug.path).length);
    session.listen(topics.filters(depth), (incoming) => this.#received(incoming));
    ready();
    await aborted(signal);
    // The bridge has stopped before: every command is settled, its receipt is about to be sent.
    await Promise.all(this.#open);
  }

  #received(incoming: Incoming): void {
    const target = this.#options.topics.parse(incoming.topic);
    if (target === undefined || target.verb === 'request') return;
    if (target.verb === 'get') this.#get(target, incoming);
    else this.#set(target.path, incoming);
  }

  #get(target: Extract<Target, { path: string }>, incoming: Incoming): void {
    if (incoming.retain) return;
    if (!this.#options.bridge.refresh(target.path)) {
      this.#refuse(target.path, incoming, null, `there is no plug or place ${target.path}`);
    }
  }

  #set(path: string, incoming: Incoming): void {
    const decoded = decodeCommand(incoming.payload, 'mqtt');
    if (incoming.retain) {
      const id = 'command' in decoded ? decoded.command.id : decoded.id;
      const reason = `retained commands are not carried out: send without "retain", and clear it with an empty retained message to ${incoming.topic}`;
      this.#refuse(path, incoming, id, reason);
    } else if ('refused' in decoded) {
      this.#refuse(path, incoming, decoded.id, decoded.refused);
    } else {
      const answered: Promise<void> = this.#options.bridge
        .command(path, decoded.command)
        .then((receipt) => this.#answer(receipt, incoming))
        .finally(() => this.#open.delete(answered));
      this.#open.add(answered);
    }
  }

  #refuse(path: string, incoming: Incoming, id: string | null, reason: string): void {
    this.#warn(incoming.topic, reason);
    this.#send(refusal(path, { id }, reason), incoming);
  }

  /** The state that a command led to is noted before its outcome is: it goes out first. */
  #answer(receipt: Receipt, incoming: Incoming): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.soon(() => {
        if (receipt.outcome === 'refused') this.#warn(incoming.topic, receipt.reason ?? '');
        this.#send(receipt, incoming);
        resolve();
      });
    });
  }

  #send(receipt: Receipt, { responseTopic, correlationData }: Incoming): void {
    const { session, topics } = this.#options;
    const payload = receiptPayload(receipt, topics);
    session.publish({
      topic: topics.below(receipt.target, 'result'),
      payload,
      retain: false,
      qos: 1,
      keep: true,
    });
    // Nobody may have the bridge talk to itself.
    if (
      responseTopic === undefined ||
      /[+#\0]/.test(responseTopic) ||
      topics.parse(responseTopic) !== undefined
    )
      return;
    const correlation = correlationData === undefined ? {} : { correlationData };
    session.publish({ topic: responseTopic, payload, retain: false, qos: 1, keep: true, ...correlation });
  }

  #warn(topic: string, reason: string): void {
    const now = this.#options.clock.now();
    if (now - this.#lastWarning < QUIET_MS) {
      this.#unsaid++;
      return;
    }
    this.#options.log.warn(
      { topic, reason, ...(this.#unsaid > 0 ? { othersSince: this.#unsaid } : {}) },
      'command refused',
    );
    this.#lastWarning = now;
    this.#unsaid = 0;
  }
}
