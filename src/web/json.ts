import { receiptJson } from '../api/command-json.ts';
import type { Receipt } from '../bridge/command.ts';
import { type PlaceState, placesOf } from '../bridge/places.ts';
import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Place, Plug } from './schemas.ts';

/** What people call plugs and places. */
export interface Names {
  plug(state: PlugState): string;
  place(path: string): string;
}

/** A plug as the page sees it. */
export function plugJson(state: PlugState, bridge: BridgeView, names: Names): Plug {
  const { path, info } = state;
  const address = bridge.address(path);
  return {
    path,
    name: names.plug(state),
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
    user: null,
    lastSeen: isoTime(state.lastSeen),
    locked: bridge.isLocked(path),
    lamp: null,
    cloud: onOff(state.cloud?.connected ?? null),
    clock: state.clock,
    model: info?.model ?? null,
    hardware: info?.hardware ?? null,
    firmware: info?.firmware ?? null,
    address: address === undefined ? null : `${address.host}:${address.port}`,
    mac: info?.mac ?? null,
    meter: info?.hasMeter ?? false,
    brightness: null,
  };
}

/** A place as the page sees it. */
export function placeJson({ path, state, on, off, unknown, total, power }: PlaceState, names: Names): Place {
  return { path, name: names.place(path), state, on, off, unknown, total, power };
}

/** A receipt as JSON text; over HTTP its target is the path, as the command named it. */
export function receiptText(receipt: Receipt, repeated = false): string {
  return receiptJson(receipt, receipt.target, repeated);
}

function onOff(value: boolean | null): 'ON' | 'OFF' | null {
  return value === null ? null : value ? 'ON' : 'OFF';
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
