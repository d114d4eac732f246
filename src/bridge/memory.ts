import type { Address, Protocol } from '../plug/transport.ts';
import type { Moment } from '../runtime/clock.ts';
import type { Command, Receipt, Settlement } from './command.ts';
import type { StoredMeter } from './outlet-meter.ts';

/** What must be known of an outlet after a restart of the bridge. */
export interface StoredOutlet {
  readonly relay: boolean | null;
  readonly timer: { readonly relay: boolean; readonly at: Moment; readonly armed: boolean } | null;
  readonly disarm: boolean;
}

/** What was found out about a device, so that a restart need not find it out again. */
export interface KnownDevice {
  readonly protocol: Protocol;
  /** Ids of its outlets; none if it is one itself. */
  readonly outlets: readonly string[];
}

/** A plug that was taken in: the path it was given, and where it was last. */
export interface Adopted {
  readonly path: string;
  readonly address: Address;
}

/** One outlet's part of a stored command. */
export interface StoredPart {
  readonly path: string;
  /** Which outlet it is, wherever its path leads by now; `null` if it had not been identified yet. */
  readonly outlet: string | null;
  /** What a toggle was decided to be, once it was. */
  readonly relay: 'on' | 'off' | null;
  readonly settlement: Settlement | null;
}

/** A command that has no receipt yet, or whose receipt the broker may not have yet. */
export interface StoredCommand {
  /** Rises with each command. */
  readonly id: number;
  readonly target: string;
  readonly command: Command;
  readonly until: Moment;
  readonly parts: readonly StoredPart[];
  readonly receipt: Receipt | null;
}

/**
 * What the bridge must still know after it was killed and started again. Devices are known by their MAC, outlets by
 * the key that {@link outletKey} makes of it. What is changed in a transaction is kept when that returns, anything
 * else a moment later.
 */
export interface Memory {
  /** Runs `change`; all that it changes is kept, or none of it. */
  transaction(change: () => void): void;
  /** What is kept of an outlet; `path` finds what an old state file says of it. */
  outlet(key: string, path: string): StoredOutlet | undefined;
  keepOutlet(key: string, outlet: StoredOutlet): void;
  /** What the meter of an outlet added up to. */
  meter(key: string): StoredMeter | undefined;
  /** Energy in thousandths of a Wh that was ever used at each path. */
  energyByPath(): ReadonlyMap<string, number>;
  /** The MAC that was learnt of the plug configured for `path` at `address`. */
  learntMac(path: string, address: Address): string | undefined;
  learnMac(path: string, address: Address, mac: string): void;
  device(mac: string): KnownDevice | undefined;
  keepDevice(mac: string, device: KnownDevice): void;
  /** Plugs that were taken in without being configured, by MAC. */
  adopted(): ReadonlyMap<string, Adopted>;
  adopt(mac: string, adopted: Adopted): void;
  /** Forgets everything about a device. */
  forget(mac: string): void;
  /** Commands as they were left by the last run, oldest first. */
  commands(): readonly StoredCommand[];
  /** The `id` of the next command. */
  nextId(): number;
  take(command: StoredCommand): void;
  /** A toggle was decided. */
  decide(id: number, path: string, relay: 'on' | 'off'): void;
  /** A part of a command has ended. */
  settle(id: number, path: string, settlement: Settlement): void;
  /** A command has ended. */
  finish(id: number, receipt: Receipt): void;
  /** The broker has the receipt: nothing more need be known of the command. */
  acknowledge(id: number): void;
}

/** Keeps what was found out about a device, beside what else is known of it. */
export function keepKnown(memory: Memory, mac: string, found: Partial<KnownDevice>): void {
  const known = memory.device(mac) ?? { protocol: 'xor', outlets: [] };
  const next = { ...known, ...found };
  if (JSON.stringify(next) !== JSON.stringify(known)) memory.keepDevice(mac, next);
}

/** How an outlet is known to the memory: by its device, and by its own id if that has several. */
export function outletKey(mac: string, outlet: string | null): string {
  return outlet === null ? mac : `${mac} ${outlet}`;
}
