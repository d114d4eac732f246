import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outcome } from '../bridge/command.ts';
import type { BridgeView } from '../bridge/view.ts';

/** What is seen of the connection to the broker. */
export interface Connection {
  readonly status: 'away' | 'connected' | 'subscribed';
  readonly congested: boolean;
  onConnect(connected: () => void): void;
}

export interface BridgeMetricsOptions {
  readonly bridge: BridgeView;
  readonly session: Connection;
  /** Why what is decided now would not survive a restart; `null` if it would. */
  readonly storeProblem: () => string | null;
  readonly version: string;
}

/** Every way in which a command may end: a figure is there from the start, so that its first rise is seen. */
const OUTCOMES = [
  'confirmed',
  'partial',
  'failed',
  'superseded',
  'expired',
  'refused',
] as const satisfies Outcome[];

/** Seconds: a plug in a good Wi-Fi takes some 10 ms, one that is asked twice in a bad one seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Adds the figures of the bridge itself; counts until the returned function is called. */
export function addBridgeMetrics(registry: Registry, options: BridgeMetricsOptions): () => void {
  const { bridge, session, storeProblem, version } = options;
  const registers = [registry];
  const duration = new Histogram({
    name: 'hs110_exchange_duration_seconds',
    help: 'Time that a plug took to answer: a poll or a command, with the connection if that had to be made.',
    buckets: BUCKETS,
    registers,
  });
  const failures = new Counter({
    name: 'hs110_exchange_failures_total',
    help: 'Polls and commands that a plug did not answer as it should, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const commands = new Counter({
    name: 'hs110_commands_total',
    help: 'Commands that have ended, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of OUTCOMES) commands.inc({ outcome }, 0);
  const connects = new Counter({
    name: 'hs110_mqtt_connects_total',
    help: 'Times that the bridge has connected to the broker.',
    registers,
  });
  // The session tells later listeners of the connection that there is.
  session.onConnect(() => connects.inc());
  const told = new Gauge({
    name: 'hs110_build_info',
    help: 'Always 1: the version of hs110-mqtt.',
    labelNames: ['version'],
    registers,
  });
  told.set({ version }, 1);
  addFlags(registry, [
    [
      'hs110_mqtt_connected',
      'Whether the bridge is connected to the broker.',
      () => session.status !== 'away',
    ],
    [
      'hs110_mqtt_subscribed',
      'Whether the broker lets commands through to the bridge.',
      () => session.status === 'subscribed',
    ],
    ['hs110_mqtt_congested', 'Whether the broker takes no more at the moment.', () => session.congested],
    [
      'hs110_database_ok',
      'Whether what is decided now would survive a restart.',
      () => storeProblem() === null,
    ],
  ]);
  const unsubscribe = [
    bridge.on('exchange', ({ ms, failure }) => {
      if (failure === undefined) duration.observe(ms / 1000);
      else failures.inc({ reason: failure.reason });
    }),
    bridge.on('receipt', ({ receipt: { outcome }, repeated }) => {
      if (!repeated) commands.inc({ outcome });
    }),
  ];
  return () => {
    for (const end of unsubscribe) end();
  };
}

/** Adds gauges that are 1 or 0. */
function addFlags(
  registry: Registry,
  flags: readonly (readonly [name: string, help: string, holds: () => boolean])[],
): void {
  for (const [name, help, holds] of flags) {
    new Gauge({
      name,
      help: `${help.slice(0, -1)} (1) or not (0).`,
      registers: [registry],
      collect() {
        this.set(Number(holds()));
      },
    });
  }
}
