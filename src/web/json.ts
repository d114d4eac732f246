import { receiptFields } from '../api/command-json.ts';
import type { Receipt as BridgeReceipt } from '../bridge/command.ts';
import type { Names } from '../bridge/names.ts';
import { type PlaceState, placesOf } from '../bridge/places.ts';
import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeEvents, BridgeView } from '../bridge/view.ts';
import type { Problem } from './problems.ts';
import type { Pending, Place, Plug, Problem as ProblemJson, Receipt } from './schemas.ts';

/** A plug as the page sees it. */
export function plugJson(state: PlugState, bridge: BridgeView, names: Names, user: string | null): Plug {
  const { path, info } = state;
  const address = bridge.address(path);
  return {
    path,
    // As it is written, else as in the Kasa app, else after the path.
    name: names.plug(path) ?? (info?.alias || names.place(path)),
    place: placesOf(path)[0] ?? '',
    state: onOff(state.relay),
    availability: state.availability,
    problem: state.problem,
    power: state.power,
    voltage: state.voltage,
    current: state.current,
    energy: state.energy,
    energyToday: state.energyToday,
    energyMonth: state.energyMonth,
    led: onOff(state.led),
    rssi: state.rssi,
    onSince: isoTime(state.onSince),
    changedBy: state.changedBy,
    user,
    lastSeen: isoTime(state.lastSeen),
    locked: bridge.isLocked(path),
    lamp: state.lamp,
    cloud: onOff(state.cloud?.connected ?? null),
    clock: state.clock,
    model: info?.model ?? null,
    hardware: info?.hardware ?? null,
    firmware: info?.firmware ?? null,
    address: address === undefined ? null : `${address.host}:${address.port}`,
    mac: info?.mac ?? null,
    meter: info?.hasMeter ?? false,
    brightness: state.brightness,
    dims: info?.light?.isDimmable ?? false,
    colorTemp: state.colorTemp,
    motion: onOff(state.motion),
    ambientLight: state.ambientLight,
  };
}

/** A place as the page sees it. */
export function placeJson({ path, state, on, off, unknown, total, power }: PlaceState, names: Names): Place {
  return { path, name: names.place(path), state, on, off, unknown, total, power };
}

/** A receipt; over HTTP its target is the path, as the command named it. */
export function receiptOf(receipt: BridgeReceipt, repeated = false): Receipt {
  return receiptFields(receipt, receipt.target, repeated);
}

/** A command that was taken `at` that time, in milliseconds since 1970. */
export function pendingJson({ command, target, given }: BridgeEvents['command'], at: number): Pending {
  const { id, relay, origin, user } = given;
  const wanted = relay === undefined ? null : relay.toUpperCase();
  return { command, id, target, wanted, who: { origin, user }, since: new Date(at).toISOString() };
}

/** A problem, with what to do in words for clients that have none of their own. */
export function problemJson(problem: Problem): ProblemJson {
  return { ...problem, since: isoTime(problem.since), cure: CURES[problem.kind] };
}

const CURES: { readonly [kind in Problem['kind']]: string } = {
  offline: 'see whether it has power and Wi-Fi; if all of a place are silent, look at the fuse there',
  'lamp-out': 'replace the lamp, or see whether its own switch is off',
  'lamp-weak': 'one of several lamps on it may be broken',
  duplicate: 'it is configured twice: remove one of the two',
  cloud: 'unbind it from the account in the Kasa app, so that nobody switches it from elsewhere',
  clock: 'its own schedules do not run by it: let it reach a time server, or set clock.sync',
  'weak-signal': 'move it or an access point nearer',
  firmware: 'do not accept firmware updates for it in the app',
};

function onOff(value: boolean | null): 'ON' | 'OFF' | null {
  return value === null ? null : value ? 'ON' : 'OFF';
}

/** ISO 8601, UTC. */
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
