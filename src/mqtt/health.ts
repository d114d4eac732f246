import type { Outcome } from '../bridge/command.ts';
import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { MqttSession } from './session.ts';
import type { Topics } from './topics.ts';

export interface HealthOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  /** Why what is decided now would not survive a restart; `null` if it would. */
  readonly storeProblem: () => string | null;
  readonly clock: Clock;
}

const EVERY_MS = 60_000;

/** How commands end of which a plug was to confirm something and did not. */
const FAILURES: readonly Outcome[] = ['partial', 'failed', 'expired'];

/** How many plugs are there is published at most this often. */
const AVAILABILITY_MS = 1000;

type PlugCounts = Record<'total' | PlugState['availability'], number>;

/** Publishes counters of the bridge, for monitoring: once a minute and as commands end. */
export class Health implements Task {
  readonly name = 'health';
  readonly #options: HealthOptions;
  readonly #timer: Timer;
  /** How commands ended since the start. */
  readonly #outcomes = new Map<Outcome, number>();
  /** When the counters are published next at the latest. */
  #dueAt = Number.POSITIVE_INFINITY;
  #connects = 0;
  /** Readings of meters that were held back. */
  #glitches = 0;
  #startedAt = 0;
  /** Commands that had ended when the counters were last published. */
  #published = 0;
  #publishedRefusals = 0;
  /** Forgotten when it no longer holds: a large site takes a while to be counted. */
  #plugs: PlugCounts | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#publish());
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, clock } = this.#options;
    this.#startedAt = clock.now();
    session.onConnect(() => {
      this.#connects++;
      this.#publish();
    });
    session.onDelivered(() => {
      if (!signal.aborted) this.#afterReceipts();
    });
    const unsubscribe = [
      bridge.on('receipt', ({ receipt: { outcome } }) => {
        this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
      }),
      bridge.on('removed', () => this.#availabilityChanged()),
      bridge.on('plug', ({ before, after }) => {
        if (before.availability !== after.availability) this.#availabilityChanged();
        this.#glitches += after.glitches - before.glitches;
      }),
    ];
    this.#publishIn(EVERY_MS);
    ready();
    await aborted(signal);
    for (const end of unsubscribe) end();
    this.#timer.clear();
  }

  /**
   * Publishes that commands have ended, once the broker has their receipts. It must be then, and at QoS 0: without
   * anything to send the kernel holds back the acknowledgement of the broker's last packet for 40 ms, and a
   * broker that uses Nagle's algorithm, as Mosquitto does, holds back the next command as long.
   */
  #afterReceipts(): void {
    const { refused } = this.#options.session;
    if (this.#ended !== this.#published || refused.length !== this.#publishedRefusals) this.#publish();
  }

  #availabilityChanged(): void {
    this.#plugs = undefined;
    this.#publishIn(AVAILABILITY_MS);
  }

  #publishIn(delayMs: number): void {
    const at = this.#options.clock.now() + delayMs;
    if (at >= this.#dueAt) return;
    this.#dueAt = at;
    this.#timer.set(delayMs);
  }

  get #ended(): number {
    let ended = 0;
    for (const count of this.#outcomes.values()) ended += count;
    return ended;
  }

  #publish(): void {
    const { bridge, session, topics, storeProblem, clock } = this.#options;
    this.#published = this.#ended;
    this.#publishedRefusals = session.refused.length;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#publishIn(EVERY_MS);
    this.#plugs ??= count(bridge.plugs());
    const health = {
      time: new Date(clock.date()).toISOString(),
      uptime_s: Math.round((clock.now() - this.#startedAt) / 1000),
      broker_connects: this.#connects,
      refused_subscriptions: session.refused,
      plugs: this.#plugs,
      commands: Object.fromEntries(this.#outcomes),
      failed_commands: FAILURES.reduce((sum, outcome) => sum + (this.#outcomes.get(outcome) ?? 0), 0),
      meter_glitches: this.#glitches,
      database: storeProblem() ?? 'ok',
    };
    session.publish({ topic: topics.bridgeHealth, payload: JSON.stringify(health), retain: true, qos: 0 });
  }
}

function count(plugs: Iterable<PlugState>): PlugCounts {
  const counts = { total: 0, online: 0, offline: 0, unknown: 0 };
  for (const { availability } of plugs) {
    counts.total++;
    counts[availability]++;
  }
  return counts;
}
