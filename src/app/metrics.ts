import type { BridgeView } from '../bridge/view.ts';
import type { Config } from '../config/schema.ts';
import { MetricsServer } from '../metrics/metrics-server.ts';
import type { MqttSession } from '../mqtt/session.ts';
import type { Task } from '../runtime/supervisor.ts';
import type { Store } from '../store/store.ts';
import type { Surroundings } from './surroundings.ts';

/** What figures are taken from. */
interface MetricsParts {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly store: Store;
}

/** What serves figures to Prometheus, if it is to. */
export function metricsFor(
  { metrics: { listen, token } }: Config,
  { bridge, session, store }: MetricsParts,
  { clock, log, version }: Surroundings,
): Task[] {
  if (listen === undefined) return [];
  const storeProblem = () => store.problem;
  return [new MetricsServer({ ...listen, token, bridge, session, storeProblem, version, clock, log })];
}
