import type { Address } from '../plug/transport.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';
import type { Command, Receipt } from './command.ts';
import type { PlugState } from './model.ts';
import type { PlaceState } from './places.ts';

/** What a listener is told. */
export type BridgeEvent =
  | PlugEvent
  | { readonly type: 'removed'; readonly path: string; readonly places: readonly string[] };

/** A plug's state is another, or was asked for and is to be told even if it is the same. */
export interface PlugEvent {
  readonly type: 'plug';
  readonly before: PlugState;
  readonly after: PlugState;
  readonly asked: boolean;
}

/** All that MQTT, Home Assistant and the web ever see of the bridge. */
export interface BridgeView {
  plugs(): Iterable<PlugState>;
  plug(path: string): PlugState | undefined;
  /** Paths of all places, the site `''` among them. */
  places(): Iterable<string>;
  place(path: string): PlaceState | undefined;
  /** Whether the configuration lets nothing change this plug. */
  isLocked(path: string): boolean;
  /** Tells `listener` of every change until the returned function is called. */
  subscribe(listener: (event: BridgeEvent) => void): () => void;
  /** Carries out a command on a plug or a place; resolves with its one receipt, never rejects. */
  command(path: string, command: Command): Promise<Receipt>;
  /** Takes up the commands that were open when the bridge was last killed; their receipts, as for a new command. */
  resume(): Promise<Receipt>[];
  /** Where a plug is, if that is known. */
  address(path: string): Address | undefined;
  /** Asks a plug something else; it may take `timeoutMs` over it. Rejects with a BridgeError: why not, also if there is no such plug. */
  ask(path: string, query: Query, timeoutMs?: number): Promise<JsonObject>;
  /** Reads a plug, or every plug of a place, now; false if there is none of that path. */
  refresh(path: string): boolean;
}
