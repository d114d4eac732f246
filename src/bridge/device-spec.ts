import type { PlugClient } from '../plug/plug-client.ts';
import type { OfflineSettings } from './offline-detector.ts';
import type { OutletSpec } from './outlet.ts';
import type { ScheduleSettings } from './poll-schedule.ts';

/** How one device is polled; milliseconds. */
export type PollSettings = OfflineSettings & ScheduleSettings;

/** What may be set otherwise of a device while it is looked after. */
export interface DeviceSettings {
  /** How long it may take to answer; milliseconds. */
  readonly timeoutMs: number;
  readonly poll: PollSettings;
  /** As many as it has, in the same order. */
  readonly outlets: readonly OutletSpec[];
}

/** One device to look after: how to reach it, how often to poll it, and its outlets. */
export interface DeviceSpec extends Omit<DeviceSettings, 'timeoutMs'> {
  readonly client: PlugClient;
}
