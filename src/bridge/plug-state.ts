import type { Reason } from '../errors.ts';
import type { Observation } from '../plug/plug-client.ts';
import type { Statistics } from '../plug/statistics.ts';
import type { CloudReading } from '../protocol/cloud.ts';
import type { LightAbility } from '../protocol/light.ts';
import { sysinfoOfOutlet } from '../protocol/replies.ts';
import type { ClockState } from './clock-sync.ts';
import type { Metered } from './outlet-meter.ts';

/** Who made a relay change: a client of ours by its way in, the bridge by a rule, or the plug (button, app). */
export type Origin = 'mqtt' | 'web' | 'schedule' | 'bridge' | 'plug';

/** What a plug says about itself that hardly ever changes. */
export interface PlugInfo {
  readonly mac: string | null;
  /** Which outlet of its device it is; `null` if that has only one. */
  readonly outlet: string | null;
  readonly alias: string | null;
  readonly model: string | null;
  readonly hardware: string | null;
  readonly firmware: string | null;
  readonly hasMeter: boolean;
  /** Whether it senses motion and ambient light. */
  readonly hasSensors: boolean;
  /** What a lamp can do besides on and off; `null` for a plug. */
  readonly light: LightAbility | null;
}

/** All that is known of one plug. `null` is "not known": not reported, or not reported yet. */
export interface PlugState extends Metered {
  readonly path: string;
  /** `unknown` until the first poll has succeeded or failed. */
  readonly availability: 'unknown' | 'online' | 'offline';
  /** Why it is offline, or what else is wrong with it. */
  readonly problem: Reason | null;
  readonly info: PlugInfo | null;
  readonly relay: boolean | null;
  readonly led: boolean | null;
  /** Percent; what a lamp that is off will have when it is on. */
  readonly brightness: number | null;
  /** Kelvin */
  readonly colorTemp: number | null;
  /** Whether something moved at the last poll. */
  readonly motion: boolean | null;
  /** Percent */
  readonly ambientLight: number | null;
  /** dBm */
  readonly rssi: number | null;
  /** kWh, by the plug's calendar */
  readonly energyToday: number | null;
  readonly energyYesterday: number | null;
  readonly energyMonth: number | null;
  readonly energyLastMonth: number | null;
  /** What it has to do with the vendor's cloud. */
  readonly cloud: CloudReading | null;
  readonly clock: ClockState | null;
  /** Milliseconds since 1970 at which the relay closed; `null` when off. */
  readonly onSince: number | null;
  readonly changedBy: Origin | null;
  /**
   * Milliseconds since 1970 of the last answer. Written in place while the plug says nothing new: a state for each
   * poll, outliving it, would be most of the work of the garbage collector.
   */
  lastSeen: number | null;
}

/** A plug of which nothing is known but its path. */
export function unseen(path: string): PlugState {
  return {
    path,
    availability: 'unknown',
    problem: null,
    info: null,
    relay: null,
    led: null,
    brightness: null,
    colorTemp: null,
    motion: null,
    ambientLight: null,
    rssi: null,
    power: null,
    voltage: null,
    current: null,
    energy: null,
    energyBoot: null,
    energyToday: null,
    energyYesterday: null,
    energyMonth: null,
    energyLastMonth: null,
    lamp: null,
    glitches: 0,
    cloud: null,
    clock: null,
    onSince: null,
    changedBy: null,
    lastSeen: null,
  };
}

/** What was wanted of the plug when it was observed: a relay change to `relay` is then `origin`'s doing. */
export interface ExpectedChange {
  readonly relay: boolean;
  readonly origin: Origin;
}

/** The state after the plug answered, and its meter was read. What it did not report becomes unknown. */
export function observe(
  state: PlugState,
  seen: Observation,
  {
    at,
    meter,
    outlet = null,
    expected,
  }: { at: number; meter: Metered; outlet?: string | null; expected?: ExpectedChange | undefined },
): PlugState {
  const { sysinfo } = seen;
  const relay = sysinfo.relay ?? null;
  // The answer to a command has no word of them.
  const { motion, ambientLight } = seen.sensors ?? (sysinfo.hasSensors ? state : NOTHING_SENSED);
  return {
    path: state.path,
    availability: 'online',
    problem: null,
    info: sameInfo(state.info, seen, outlet),
    relay,
    led: sysinfo.led ?? null,
    brightness: sysinfo.light?.brightness ?? null,
    colorTemp: sysinfo.light?.colorTemp ?? null,
    motion: motion ?? null,
    ambientLight: ambientLight ?? null,
    rssi: sysinfo.rssi ?? null,
    power: meter.power,
    voltage: meter.voltage,
    current: meter.current,
    energy: meter.energy,
    energyBoot: meter.energyBoot,
    energyToday: state.energyToday,
    energyYesterday: state.energyYesterday,
    energyMonth: state.energyMonth,
    energyLastMonth: state.energyLastMonth,
    lamp: meter.lamp,
    glitches: meter.glitches,
    cloud: state.cloud,
    clock: state.clock,
    onSince: relay ? onSince(state, sysinfo.onTimeS, at) : null,
    changedBy: changedBy(state, relay, expected),
    lastSeen: at,
  };
}

const NOTHING_SENSED = { motion: null, ambientLight: null };

/** What an answer of a strip says of its outlet `id`; a meter that was not asked shows what it showed. */
export function ofOutlet(
  seen: Observation,
  id: string,
  { power, voltage, current, energyBoot }: Metered,
): Observation {
  const { sysinfo, meters } = seen;
  const last = {
    power: power ?? undefined,
    voltage: voltage ?? undefined,
    current: current ?? undefined,
    energy: energyBoot ?? undefined,
  };
  const meter = meters?.has(id) ? meters.get(id) : sysinfo.hasMeter ? last : undefined;
  return { sysinfo: sysinfoOfOutlet(sysinfo, id), meter };
}

/** Whether anything but the time of the last answer is another. */
export function differs(one: PlugState, other: PlugState): boolean {
  return (
    one.power !== other.power ||
    one.current !== other.current ||
    one.voltage !== other.voltage ||
    one.relay !== other.relay ||
    one.rssi !== other.rssi ||
    one.energy !== other.energy ||
    one.energyBoot !== other.energyBoot ||
    one.led !== other.led ||
    one.brightness !== other.brightness ||
    one.colorTemp !== other.colorTemp ||
    one.motion !== other.motion ||
    one.ambientLight !== other.ambientLight ||
    one.availability !== other.availability ||
    one.problem !== other.problem ||
    one.onSince !== other.onSince ||
    one.changedBy !== other.changedBy ||
    one.energyToday !== other.energyToday ||
    one.energyYesterday !== other.energyYesterday ||
    one.energyMonth !== other.energyMonth ||
    one.energyLastMonth !== other.energyLastMonth ||
    one.lamp !== other.lamp ||
    one.glitches !== other.glitches ||
    one.cloud !== other.cloud ||
    one.clock !== other.clock ||
    one.info !== other.info
  );
}

/** The state after what changes slowly was read. */
export function withStatistics(
  state: PlugState,
  { today, yesterday, month, lastMonth, cloud }: Omit<Statistics, 'days'>,
  clock: ClockState | null,
): PlugState {
  const same = cloud?.bound === state.cloud?.bound && cloud?.connected === state.cloud?.connected;
  return {
    ...state,
    energyToday: rounded(today),
    energyYesterday: rounded(yesterday),
    energyMonth: rounded(month),
    energyLastMonth: rounded(lastMonth),
    cloud: same ? state.cloud : (cloud ?? null),
    clock,
  };
}

/** The state after its counter or its lamp was set, not by what the plug reported. */
export function withMeter(state: PlugState, { energy, lamp }: Metered): PlugState {
  return { ...state, energy, lamp };
}

/** The state once the plug counts as offline. What it last reported stays, dated by `lastSeen`. */
export function offline(state: PlugState, problem: Reason): PlugState {
  return { ...state, availability: 'offline', problem };
}

/** The state of a device that is no plug: what it reports is not that of one outlet. */
export function unsupported(
  state: PlugState,
  seen: Observation,
  { at, outlet }: { at: number; outlet: string | null },
): PlugState {
  const info = sameInfo(state.info, seen, outlet);
  return { ...unseen(state.path), availability: 'offline', problem: 'unsupported', info, lastSeen: at };
}

/** Meters resolve thousandths (mW, mV, mA, Wh); what floats add beyond that is noise. */
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1000) / 1000;
}

/** Kept as long as nothing differs, so that "changed" is a comparison of references. */
function sameInfo(before: PlugInfo | null, { sysinfo }: Observation, outlet: string | null): PlugInfo {
  const { mac = null, alias = null, model = null, hardware = null, firmware = null } = sysinfo;
  const { hasMeter, hasSensors } = sysinfo;
  const light = sysinfo.light?.ability ?? null;
  if (
    before !== null &&
    before.outlet === outlet &&
    before.mac === mac &&
    before.alias === alias &&
    before.model === model &&
    before.hardware === hardware &&
    before.firmware === firmware &&
    before.hasMeter === hasMeter &&
    before.hasSensors === hasSensors &&
    before.light === light
  ) {
    return before;
  }
  return { mac, outlet, alias, model, hardware, firmware, hasMeter, hasSensors, light };
}

/** Plugs count whole seconds and answers take time: a start that differs by less than this is the same start. */
const SAME_START_MS = 3000;

function onSince(state: PlugState, onTimeS: number | undefined, at: number): number | null {
  if (onTimeS === undefined) return null;
  const since = at - onTimeS * 1000;
  const same = state.onSince !== null && Math.abs(state.onSince - since) < SAME_START_MS;
  return same ? state.onSince : since;
}

function changedBy(
  state: PlugState,
  relay: boolean | null,
  expected: ExpectedChange | undefined,
): Origin | null {
  if (relay === null || relay === state.relay) return state.changedBy;
  if (expected !== undefined && expected.relay === relay) return expected.origin;
  // The first report of a plug says nothing about who switched it.
  return state.relay === null ? null : 'plug';
}
