import type { Logger } from 'pino';
import type { PlugError } from '../errors.ts';
import type { PlugClient } from '../plug/plug-client.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ClockSyncSettings } from './clock-sync.ts';
import type { OfflineSettings } from './offline-detector.ts';
import type { Outlet, OutletSpec } from './outlet.ts';
import type { PlugState } from './plug-state.ts';
import type { ScheduleSettings } from './poll-schedule.ts';

/** How one device is polled; milliseconds. */
export type PollSettings = OfflineSettings & ScheduleSettings;

/** What may be set otherwise of a device while it is looked after. */
export interface DeviceSettings {
  /** How long it may take to answer; milliseconds. */
  readonly timeoutMs: number;
  readonly poll: PollSettings;
  /** As many as it has, in the same order; of a strip one for all of them, below whose path they are. */
  readonly outlets: readonly OutletSpec[];
  /** The outlets of a strip that are configured, by their place in it from 0 on; the others are numbered below its path. */
  readonly configured?: ReadonlyMap<number, OutletSpec>;
}

/** One device to look after: how to reach it, how often to poll it, and its outlets. */
export interface DeviceSpec extends Omit<DeviceSettings, 'timeoutMs'> {
  readonly client: PlugClient;
  /** The ids of its outlets, if it is known to be a strip. */
  readonly outletIds?: readonly string[];
}

/** What the loop of a device needs from its owner. */
export interface LoopOptions extends DeviceSpec {
  readonly clockSync: ClockSyncSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The device has shown its MAC for the first time. */
  readonly identified: (mac: string) => void;
  /** The device has turned out to be a strip: those outlets are replaced by the ones that it has, with these ids. */
  readonly becameStrip: (former: readonly Outlet[], ids: readonly string[]) => void;
  readonly changed: (after: PlugState, before: PlugState, asked: boolean) => void;
  readonly remember: (outlet: Outlet) => void;
  /** The exchange that began then is over; it failed for that reason or did not. */
  readonly exchanged: (began: number, failure: PlugError | undefined) => void;
}

/** The outlets of a device, each of a strip's below its path; `ids` are empty while it is not known to be one. */
export function outletsOf(
  { outlets, configured }: Pick<DeviceSettings, 'outlets' | 'configured'>,
  ids: readonly string[],
): readonly OutletSpec[] {
  const [whole] = outlets;
  if (ids.length === 0 || whole === undefined || whole.id !== null) return outlets;
  return ids.map((id, index) => ({
    ...(configured?.get(index) ?? { ...whole, path: `${whole.path}/${index + 1}` }),
    id,
  }));
}
