import { Names } from '../../src/bridge/names.ts';
import { plugDevice } from '../../src/homeassistant/devices.ts';
import { PlugIds } from '../../src/homeassistant/ids.ts';
import type { Deadbands } from '../../src/mqtt/deadband.ts';
import { StatePublisher } from '../../src/mqtt/state-publisher.ts';
import { Topics } from '../../src/mqtt/topics.ts';
import { isObject } from '../../src/protocol/json.ts';
import { BridgeBench } from './bridge-bench.ts';
import { FakeSession } from './fake-session.ts';
import { memoryStore } from './memory-store.ts';
import { RunningTask } from './running-task.ts';

const HOUR_MS = 3_600_000;
const PATH = 'lamp';

/** How many rows the recorder of Home Assistant would write in an hour of one sensor that is enabled. */
export interface Rows {
  readonly key: string;
  /** If it took values as they are published. */
  readonly exact: number;
  /** As it does take them. */
  readonly rounded: number;
}

/** An hour of a simulated plug that is on, polled as by default: what its messages would write, sensor by sensor. */
export async function rowsInAnHour(report: Deadbands): Promise<Rows[]> {
  const bench = await BridgeBench.running([PATH], { device: { loadW: 60, on: true, hardware: '2.0' } });
  const topics = new Topics('museum');
  const session = new FakeSession();
  const publisher = new RunningTask(
    new StatePublisher({
      bridge: bench.bridge,
      session,
      topics,
      retained: bench.memory,
      clock: bench.clock,
      output: 'json',
      offlineValues: 'keep',
      publishPlaces: false,
      qos: 0,
      heartbeatMs: 60_000,
      report,
    }),
  );
  session.connect();
  await bench.clock.advance(HOUR_MS);
  await publisher.stop();
  const values = session.on(topics.of(PATH)).map((payload) => JSON.parse(payload));
  const info = bench.bridge.plug(PATH)?.info;
  await bench.stop();
  if (info === undefined || info === null) throw new Error('the plug has not been seen');
  return sensors(topics, info).map(({ key, decimals }) => {
    const exact = values.map((json) => numberOf(json, key));
    const rounded = exact.map((value) => (value === null ? null : Number(value.toFixed(decimals))));
    return { key, exact: changes(exact), rounded: changes(rounded) };
  });
}

/** The sensors that read a number from the JSON of a plug, with the decimals that they are rounded to. */
function sensors(topics: Topics, info: Parameters<typeof plugDevice>[1]) {
  const device = plugDevice(PATH, info, {
    topics,
    names: new Names({ site: 'museum', plugs: new Map(), places: new Map(), areas: 'off' }),
    plugIds: new PlugIds(memoryStore()),
    checksLamp: () => false,
    as: () => 'switch',
    origin: { name: 'hs110-mqtt', sw_version: '1.0.0', support_url: 'https://hs110.example' },
    json: true,
    flat: false,
    allow: new Set(),
  });
  return (device?.components ?? []).flatMap(({ key, options }) => {
    const decimals = /round\((\d)\)/.exec(String(options.value_template))?.[1];
    return decimals === undefined ||
      options.state_topic !== topics.of(PATH) ||
      options.enabled_by_default === false
      ? []
      : [{ key, decimals: Number(decimals) }];
  });
}

function numberOf(json: unknown, key: string): number | null {
  const value = isObject(json) ? json[key] : undefined;
  return typeof value === 'number' ? value : null;
}

/** A value that is the same as the one before is no row. */
function changes(values: readonly (number | null)[]): number {
  return values.filter((value, index) => value !== null && value !== values[index - 1]).length;
}
