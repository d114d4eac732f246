import type { PlugClient } from '../plug/plug-client.ts';
import type { OfflineSettings } from './offline-detector.ts';
import type { OutletSpec } from './outlet.ts';
import type { ScheduleSettings } from './poll-schedule.ts';

/** How one device is polled; milliseconds. */
export type PollSettings = OfflineSettings & ScheduleSettings;

/** One device to look after: how to reach it, how often to poll it, and its outlets. */
export interface DeviceSpec {
  readonly client: PlugClient;
  readonly poll: PollSettings;
  readonly outlets: readonly OutletSpec[];
}
