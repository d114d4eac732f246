import type { JsonObject } from '../protocol/json.ts';
import type { Request } from '../protocol/requests.ts';

/** Where a plug is. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * One way of asking a plug, one question at a time. The XOR protocol on TCP is one; the same JSON travels over
 * other transports on newer firmware.
 */
export interface Transport {
  /** Where the plug is; `undefined` until it has been found: questions are then rejected as `not-found`. */
  readonly address: Address | undefined;
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
