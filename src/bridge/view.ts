import type { PlugError } from '../errors.ts';
import type { Address } from '../plug/transport.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';
import type { Command, Receipt } from './command.ts';
import type { PlaceState } from './places.ts';
import type { PlugInfo, PlugState } from './plug-state.ts';

/** Everything that happens in the bridge, by type. */
export interface BridgeEvents {
  /** A plug's state is another, or was asked for and is to be published even if it is the same. */
  plug: { readonly before: PlugState; readonly after: PlugState; readonly asked: boolean };
  /** A plug is about to leave its path: what it has counted there is stored now, or counts elsewhere. */
  leaving: { readonly path: string };
  /** A plug is no more, nor are the places that were there for it alone. */
  removed: { readonly path: string; readonly places: readonly string[] };
  /** A command was taken; it ends with a receipt of the same number. */
  command: { readonly command: number; readonly target: string; readonly given: Command };
  /** A command has ended. `command` is what {@link BridgeView.acknowledge} takes; `repeated`: it may have been sent before. */
  receipt: { readonly command: number; readonly receipt: Receipt; readonly repeated: boolean };
  /** An exchange with a device is over: it took so many milliseconds, and `failure` is why it failed, if it did. */
  exchange: {
    readonly paths: readonly string[];
    readonly ms: number;
    readonly failure: PlugError | undefined;
  };
}

export type BridgeEvent = keyof BridgeEvents;

/** All that MQTT, Home Assistant and the web ever see of the bridge. */
export interface BridgeView {
  plugs(): Iterable<PlugState>;
  plug(path: string): PlugState | undefined;
  /** Paths of all places, the site `''` among them. */
  places(): Iterable<string>;
  place(path: string): PlaceState | undefined;
  /** Why there is neither a plug nor a place of that path: what was there may be elsewhere now. */
  absence(path: string): string;
  /** MACs of all devices; `undefined` while it is not known of one of them. */
  macs(): ReadonlySet<string> | undefined;
  /** Which outlet of which device a plug is, if that is known. */
  identity(path: string): Pick<PlugInfo, 'mac' | 'outlet'> | undefined;
  /** Whether commands do not switch the plug. */
  isLocked(path: string): boolean;
  /** Whether it is checked that the lamp on the plug does what it should. */
  checksLamp(path: string): boolean;
  /** Calls `listener` at every event of that type until the returned function is called. */
  on<E extends BridgeEvent>(type: E, listener: (event: BridgeEvents[E]) => void): () => void;
  /**
   * Carries out a command on a plug or a place. It is stored when this returns; the promise resolves with its one
   * receipt, which is an event as well, and never rejects. `undefined` if it is a command already taken, delivered again.
   */
  command(path: string, command: Command): Promise<Receipt> | undefined;
  /** Refuses what was sent as a command but cannot be taken for one: its receipt says why. */
  refuse(path: string, command: Pick<Command, 'id' | 'replyTo'>, reason: string): void;
  /** Takes up the commands that were open when the bridge was last killed, and repeats receipts that may not have arrived. */
  resume(): void;
  /** The receipt of a command has arrived where it was sent. */
  acknowledge(command: number): void;
  /** Where a plug is, if that is known. */
  address(path: string): Address | undefined;
  /** Asks a plug something else; it may take `timeoutMs` over it. Rejects with a PlugError, also if there is no such plug. */
  ask(path: string, query: Query, timeoutMs?: number): Promise<JsonObject>;
  /** Sets the lifetime counter of a plug to so many kWh; false if there is none of that path, or it was never read. */
  setEnergy(path: string, kwh: number): boolean;
  /** Has the lamp of a plug, or those of a place, learnt anew; returns the plugs whose lamp is learnt. */
  relearnLamps(path: string): string[];
  /** Reads a plug, or every plug of a place, now; false if there is none of that path. */
  refresh(path: string): boolean;
}
