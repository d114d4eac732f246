import type { Outcome } from '../bridge/command.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { MqttSession } from './session.ts';
import type { Topics } from './topics.ts';

export interface HealthOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  /** How commands ended since the start. */
  readonly outcomes: ReadonlyMap<Outcome, number>;
  readonly clock: Clock;
}

const EVERY_MS = 60_000;

/** Publishes counters of the bridge once a minute, for whoever keeps watch over it. */
export class Health implements Task {
  readonly name = 'health';
  readonly #options: HealthOptions;
  #connects = 0;
  #startedAt = 0;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { session, clock } = this.#options;
    this.#startedAt = clock.now();
    const timer = clock.timer(() => {
      this.#publish();
      timer.set(EVERY_MS);
    });
    session.onConnect(() => {
      this.#connects++;
      this.#publish();
    });
    timer.set(EVERY_MS);
    ready();
    await aborted(signal);
    timer.clear();
  }

  #publish(): void {
    const { bridge, session, topics, outcomes, clock } = this.#options;
    const plugs = { total: 0, online: 0, offline: 0, unknown: 0 };
    for (const { availability } of bridge.plugs()) {
      plugs.total++;
      plugs[availability]++;
    }
    const health = {
      uptime_s: Math.round((clock.now() - this.#startedAt) / 1000),
      broker_connects: this.#connects,
      plugs,
      commands: Object.fromEntries(outcomes),
    };
    session.publish({ topic: topics.bridgeHealth, payload: JSON.stringify(health), retain: true, qos: 0 });
  }
}
