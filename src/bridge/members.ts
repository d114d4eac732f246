import type { Settlement } from './command.ts';
import type { DeviceLoop } from './device-loop.ts';
import { outletKey, type StoredPart } from './memory.ts';
import type { Outlet } from './outlet.ts';
import type { PlugState } from './plug-state.ts';

/** An outlet, and the loop of its device. */
export interface Member {
  readonly outlet: Outlet;
  readonly loop: DeviceLoop;
}

/** Finds plugs for the dispatcher. */
export interface Directory {
  /** The outlet of that path. */
  outlet(path: string): Member | undefined;
  /** The outlets of that place; `undefined` if there is no such place. */
  members(place: string): readonly Member[] | undefined;
  /** The outlet that is known by that key, wherever its path leads. */
  outletByKey(key: string): Member | undefined;
  /** Why there is neither a plug nor a place of that path: what was there may be elsewhere now. */
  absence(path: string): string;
}

/** Why an outlet takes no command at all, whatever it is. */
export function unusableOf({ state }: Outlet): Settlement | undefined {
  if (state.problem === 'unsupported')
    return { outcome: 'refused', reason: 'unsupported: this device is not a plug with one relay' };
  if (state.problem !== 'duplicate') return undefined;
  return { outcome: 'refused', reason: 'duplicate: another path leads to the same plug' };
}

/** Whether the relay is known to be on. */
export function isOn({ state }: Outlet): boolean {
  return state.availability === 'online' && state.relay === true;
}

/** What is stored of a member's part of a command. */
export function partOf({ outlet, loop }: Member): StoredPart {
  const { mac } = loop.client;
  return {
    path: outlet.path,
    outlet: mac === undefined ? null : outletKey(mac, outlet.id),
    relay: null,
    settlement: null,
  };
}

export function* statesOf(members: Iterable<Member>): Iterable<PlugState> {
  for (const { outlet } of members) yield outlet.state;
}
