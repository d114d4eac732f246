import { isObject, type JsonObject } from '../protocol/json.ts';

/** What cannot be taken back, cuts the plug off, or takes its load's power: by module and method, and what it does. */
const DANGERS: ReadonlyMap<string, string> = new Map([
  ['system.reboot', 'restarts the plug: its load loses power for a moment, its energy counter begins at 0'],
  ['system.reset', 'resets the plug to its factory state: it forgets its Wi-Fi, name, rules and statistics'],
  ['system.set_mac_addr', 'gives the plug another MAC address'],
  ['system.set_device_id', 'gives the plug another identity'],
  ['system.set_hw_id', 'gives the plug another hardware identity'],
  ['system.set_test_mode', 'puts the plug into its factory test mode'],
  ['system.download_firmware', 'has the plug load other firmware'],
  ['system.flash_firmware', 'has the plug replace its firmware'],
  ['netif.set_stainfo', 'moves the plug into another Wi-Fi: it leaves the one it is in'],
  ['cnCloud.bind', 'gives the plug to a cloud account, whose password travels all but in clear'],
  ['cnCloud.unbind', 'takes the plug from its cloud account'],
  ['cnCloud.set_server_url', 'has the plug report to another cloud server'],
  ['emeter.erase_emeter_stat', 'erases the energy statistics of all days and months'],
  ['emeter.set_vgain_igain', 'changes the calibration of the meter for good'],
  ['emeter.start_calibration', 'calibrates the meter anew, for good'],
  ['schedule.delete_all_rules', 'deletes all rules of the schedule'],
  ['schedule.erase_runtime_stat', 'erases the statistics of how long the plug was on'],
]);

/** Names that bulbs and newer devices have for modules of plugs. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['smartlife.iot.common.system', 'system'],
  ['smartlife.iot.common.softaponboarding', 'netif'],
  ['smartlife.iot.common.cloud', 'cnCloud'],
  ['smartlife.iot.common.emeter', 'emeter'],
  ['smartlife.iot.common.schedule', 'schedule'],
]);

/** Something dangerous that a query asks for; `does` completes "it …". */
export interface Danger {
  readonly method: string;
  readonly does: string;
}

/** What is dangerous in a query, in its order; empty if nothing is. */
export function dangersIn(query: JsonObject): Danger[] {
  return Object.entries(query).flatMap(([module, methods]) =>
    Object.keys(isObject(methods) ? methods : {}).flatMap((method) => {
      const does = DANGERS.get(`${OTHER_NAMES.get(module) ?? module}.${method}`);
      return does === undefined ? [] : [{ method: `${module}.${method}`, does }];
    }),
  );
}
