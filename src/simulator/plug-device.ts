import type { JsonObject } from '../protocol/json.ts';

/** The inside of a plug, as far as the network sees it. */
export interface PlugDevice {
  /** Whether it ends the connection after each reply, as hardware 1 does. */
  readonly closesAfterReply: boolean;
  /** Answers a query, module by module in the order asked. */
  answer(query: JsonObject): JsonObject;
}

/** The answer to one method, or that of a module which knows none. */
export type Answer = { [key: string]: unknown };

export const OK: Answer = { err_code: 0 };
export const UNKNOWN_MODULE: Answer = { err_code: -1, err_msg: 'module not support' };
export const UNKNOWN_METHOD: Answer = { err_code: -2, err_msg: 'member not support' };
export const BAD_ARGUMENT: Answer = { err_code: -3, err_msg: 'invalid argument' };

/** How a method makes its answer of its argument. */
export type Method = (argument: JsonObject) => Answer;
