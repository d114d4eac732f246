import type { Logger } from 'pino';
import { decodeCommand, receiptJson } from '../api/command-json.ts';
import { type Command, type Outcome, type Receipt, unattempted } from '../bridge/command.ts';
import { placesOf } from '../bridge/places.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { Incoming, MqttSession } from './session.ts';
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
  /** How commands ended since the start. */
  readonly outcomes = new Map<Outcome, number>();
  #lastWarning = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, topics } = this.#options;
    // Plugs that are taken in later have one level.
    let depth = 1;
    for (const plug of bridge.plugs()) depth = Math.max(depth, placesOf(plug.path).length);
    session.listen(topics.filters(depth), (incoming) => this.#received(incoming));
    for (const receipt of bridge.resume()) this.#await(receipt, '');
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
    const decoded = decodeCommand(incoming.payload, { origin: 'mqtt', user: null });
    const replyTo = replyOf(incoming);
    if (incoming.retain) {
      const id = 'command' in decoded ? decoded.command.id : decoded.id;
      const reason = `retained commands are not carried out: send without "retain", and clear it with an empty retained message to ${incoming.topic}`;
      this.#refuse(path, incoming, id, reason);
    } else if ('refused' in decoded) this.#refuse(path, incoming, decoded.id, decoded.refused);
    else this.#await(this.#options.bridge.command(path, { ...decoded.command, replyTo }), incoming.topic);
  }

  #refuse(path: string, incoming: Incoming, id: string | null, reason: string): void {
    this.#warn(incoming.topic, reason);
    const command = { id, relay: undefined, led: undefined, replyTo: replyOf(incoming) };
    this.#send(unattempted(path, command, 'refused', reason));
  }

  /** Sends the receipt when the command is settled: after the state it led to, which has been noted before. */
  #await(pending: Promise<Receipt>, topic: string): void {
    const sent: Promise<void> = pending
      .then((receipt) => {
        if (receipt.outcome === 'refused') this.#warn(topic, receipt.reason ?? '');
        return new Promise<void>((resolve) => {
          this.#options.clock.soon(() => {
            this.#send(receipt);
            resolve();
          });
        });
      })
      .finally(() => this.#open.delete(sent));
    this.#open.add(sent);
  }

  #send(receipt: Receipt): void {
    const { session, topics } = this.#options;
    const { replyTo, outcome } = receipt;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    const payload = receiptJson(receipt, topics.of(receipt.target));
    session.publish({
      topic: topics.below(receipt.target, 'result'),
      payload,
      retain: false,
      qos: 1,
      keep: true,
    });
    // Nobody may have the bridge talk to itself, or break a rule for which the broker ends the connection.
    if (replyTo === undefined || !/^[^+#\0]+$/.test(replyTo.topic)) return;
    if (topics.parse(replyTo.topic) !== undefined) return;
    const { topic, correlation } = replyTo;
    const data = correlation === null ? {} : { correlationData: Buffer.from(correlation, 'base64') };
    session.publish({ topic, payload, retain: false, qos: 1, keep: true, ...data });
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

function replyOf({ responseTopic, correlationData }: Incoming): Command['replyTo'] {
  if (responseTopic === undefined || responseTopic === '') return undefined;
  return { topic: responseTopic, correlation: correlationData?.toString('base64') ?? null };
}
