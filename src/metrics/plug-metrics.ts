import { Counter, Gauge, type Registry } from 'prom-client';
import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import { printable } from '../printable.ts';

/** One figure of a plug: its name and unit by the conventions of Prometheus. */
interface PlugMetric {
  readonly name: string;
  readonly help: string;
  /** Only rises, until the plug begins anew. */
  readonly counter?: true;
  /** The value now; `null` if it is not known. */
  readonly read: (plug: PlugState) => number | null;
}

const JOULES_PER_KWH = 3_600_000;

/** What a plug says only while it answers: what it last said is not what is. */
const READINGS: readonly PlugMetric[] = [
  {
    name: 'hs110_relay_on',
    help: 'Whether the relay of the plug is on (1) or off (0), as the plug reported it.',
    read: ({ relay }) => (relay === null ? null : Number(relay)),
  },
  {
    name: 'hs110_brightness_ratio',
    help: 'Brightness of a lamp that can be dimmed, from 0 to 1; while it is off, what it will have when it is on.',
    read: ({ brightness }) => (brightness === null ? null : brightness / 100),
  },
  { name: 'hs110_power_watts', help: 'Power drawn through the plug.', read: ({ power }) => power },
  { name: 'hs110_voltage_volts', help: 'Mains voltage at the plug.', read: ({ voltage }) => voltage },
  { name: 'hs110_current_amperes', help: 'Current through the plug.', read: ({ current }) => current },
  {
    name: 'hs110_energy_joules_total',
    help: 'Energy drawn through the plug; 3,600,000 joules are 1 kWh.',
    counter: true,
    read: ({ energy }) => (energy === null ? null : energy * JOULES_PER_KWH),
  },
  {
    name: 'hs110_motion',
    help: 'Whether a wall switch with a motion sensor sees something move (1) or not (0), at its last poll.',
    read: ({ motion }) => (motion === null ? null : Number(motion)),
  },
  {
    name: 'hs110_ambient_light_ratio',
    help: 'Light that a wall switch with a light sensor sees, from 0 to 1.',
    read: ({ ambientLight }) => (ambientLight === null ? null : ambientLight / 100),
  },
  {
    name: 'hs110_lamp_ok',
    help: 'Whether the lamp draws what it should (1), or is out, weak or another load (0); where its power is known.',
    read: ({ lamp }) => (lamp === null ? null : Number(lamp === 'ok')),
  },
  {
    name: 'hs110_wifi_signal_dbm',
    help: 'Strength of the Wi-Fi signal at the plug, in dBm.',
    read: ({ rssi }) => rssi,
  },
  {
    name: 'hs110_cloud_connected',
    help: "Whether the plug has a connection to the vendor's cloud (1) or none (0).",
    read: ({ cloud }) => (cloud?.connected === undefined ? null : Number(cloud.connected)),
  },
  {
    name: 'hs110_clock_right',
    help: 'Whether the clock of the plug is right (1), or wrong or not set (0).',
    read: ({ clock }) => (clock === null ? null : Number(clock === 'right')),
  },
];

/** What is known of a plug whether it answers or not. */
const STANDING: readonly PlugMetric[] = [
  {
    name: 'hs110_plug_online',
    help: 'Whether the plug answers (1) or counts as offline (0).',
    read: ({ availability }) => (availability === 'unknown' ? null : Number(availability === 'online')),
  },
  {
    name: 'hs110_plug_last_answer_timestamp_seconds',
    help: 'When the plug answered last, in seconds since 1970.',
    read: ({ lastSeen }) => (lastSeen === null ? null : lastSeen / 1000),
  },
];

/** Adds the figures of all plugs; each is taken from the view when it is asked for, so that polls cost nothing. */
export function addPlugMetrics(registry: Registry, bridge: BridgeView): void {
  for (const metric of STANDING) add(registry, metric, () => bridge.plugs());
  for (const metric of READINGS) add(registry, metric, () => online(bridge));
  addProblems(registry, bridge);
  addInfo(registry, bridge);
}

/** A plug that is no more has no samples: each time begins with none. */
function add(
  registry: Registry,
  { name, help, counter, read }: PlugMetric,
  plugs: () => Iterable<PlugState>,
): void {
  const options = { name, help, labelNames: PLUG_LABELS, registers: [registry] };
  const samples = function* () {
    for (const plug of plugs()) {
      const value = read(plug);
      if (value !== null) yield { labels: plugLabels(plug), value };
    }
  };
  if (counter) {
    const metric = new Counter({
      ...options,
      collect() {
        metric.reset();
        for (const { labels, value } of samples()) metric.inc(labels, value);
      },
    });
    return;
  }
  const metric = new Gauge({
    ...options,
    collect() {
      metric.reset();
      for (const { labels, value } of samples()) metric.set(labels, value);
    },
  });
}

function addProblems(registry: Registry, bridge: BridgeView): void {
  const metric = new Gauge({
    name: 'hs110_plug_problem',
    help: 'Always 1: the plug has a problem, for this reason.',
    labelNames: [...PLUG_LABELS, 'reason'],
    registers: [registry],
    collect() {
      metric.reset();
      for (const plug of bridge.plugs())
        if (plug.problem !== null) metric.set({ ...plugLabels(plug), reason: plug.problem }, 1);
    },
  });
}

function addInfo(registry: Registry, bridge: BridgeView): void {
  const metric = new Gauge({
    name: 'hs110_plug_info',
    help: 'Always 1: what the plug says it is.',
    labelNames: [...PLUG_LABELS, 'alias', 'model', 'hardware', 'firmware', 'mac'],
    registers: [registry],
    collect() {
      metric.reset();
      for (const plug of bridge.plugs()) {
        if (plug.info === null) continue;
        const { alias, model, hardware, firmware, mac } = plug.info;
        const told = Object.entries({ alias, model, hardware, firmware, mac });
        const shown = told.map(([label, text]) => [label, printable(text ?? '').slice(0, LONGEST_LABEL)]);
        metric.set({ ...plugLabels(plug), ...Object.fromEntries(shown) }, 1);
      }
    },
  });
}

/** Characters of a text that a plug chose. */
const LONGEST_LABEL = 128;

const PLUG_LABELS = ['path', 'place'] as const;

/** The place is the nearest one; a plug of the site itself has an empty one, which to Prometheus is none. */
function plugLabels({ path }: PlugState): { path: string; place: string } {
  return { path, place: path.slice(0, Math.max(0, path.lastIndexOf('/'))) };
}

function* online(bridge: BridgeView): Iterable<PlugState> {
  for (const plug of bridge.plugs()) if (plug.availability === 'online') yield plug;
}
