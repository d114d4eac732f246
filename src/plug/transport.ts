import type { JsonObject } from '../protocol/json.ts';
import type { Request } from '../protocol/requests.ts';

/**
 * What firmware speaks: the XOR protocol on TCP, or KLAP over HTTP, `klap-singly` if it bears one module in a session. The
 * questions and answers are the same.
 */
export type Protocol = 'xor' | 'klap' | 'klap-singly';

/** Where plugs answer in each. */
export const PLUG_PORT = 9999;
export const KLAP_PORT = 80;

/** Where a plug is. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** What is spoken there, if that is known. */
  readonly protocol?: 'xor' | 'klap';
}

/** Whether two addresses are one: a plug that speaks KLAP has left the one port for the other. */
export function isSamePlace(one: Address, other: Address): boolean {
  return one.host === other.host && (one.port === other.port || (isUsual(one) && isUsual(other)));
}

function isUsual({ port }: Address): boolean {
  return port === PLUG_PORT || port === KLAP_PORT;
}

/** One way of asking a plug, one question at a time. */
export interface Transport {
  /** Where the plug is; `undefined` until it has been found: questions are then rejected as `not-found`. */
  readonly address: Address | undefined;
  readonly protocol: Protocol;
  /** Rises by one with each new connection: what was learnt on an earlier one may not hold for this peer. */
  readonly connection: number;
  /** Whether the next question would travel on the connection of the last answer. */
  readonly connected: boolean;
  /** Whether the plug ended the last connection right after an answer, as hardware 1 does each time. */
  readonly hungUp: boolean;
  /**
   * Asks; rejects with a PlugError within `timeoutMs`, and has then dropped the connection. With `stay` a kept
   * connection that turns out to be gone is not replaced behind the caller's back.
   */
  exchange(request: Request, timeoutMs: number, stay?: boolean): Promise<JsonObject>;
  /** From now on the plug is there; a connection to elsewhere is dropped. */
  moveTo(address: Address): void;
  /** Drops the connection; a question in flight is rejected. */
  close(): void;
}
