import type { JsonObject } from '../protocol/json.ts';

/** The inside of a plug, as far as the network sees it. */
export interface PlugDevice {
  /** Whether it ends the connection after each reply, as hardware 1 does. */
  readonly closesAfterReply: boolean;
  /** Answers a query, module by module in the order asked. */
  answer(query: JsonObject): JsonObject;
}
