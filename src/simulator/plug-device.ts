import { isObject, type JsonObject } from '../protocol/json.ts';

/** The inside of a device, as far as the network sees it. */
export interface PlugDevice {
  /** Whether it ends the connection after each reply, as hardware 1 does. */
  readonly closesAfterReply: boolean;
  /** Answers a query, module by module in the order asked. A strip names its outlets differently over UDP. */
  answer(query: JsonObject, transport: 'tcp' | 'udp'): JsonObject;
}

/** The answer to one method, or that of a module which knows none. */
export type Answer = { [key: string]: unknown };

/** How a method makes its answer of its argument. */
export type Method = (argument: JsonObject) => Answer;

export type Module = { readonly [method: string]: Method };

export type Modules = { readonly [module: string]: Module };

// Codes and messages as real plugs send them, spelling included.
export const OK: Answer = { err_code: 0 };
export const UNKNOWN_MODULE: Answer = { err_code: -1, err_msg: 'module not support' };
export const UNKNOWN_METHOD: Answer = { err_code: -2, err_msg: 'member not support' };
export const BAD_ARGUMENT: Answer = { err_code: -3, err_msg: 'invalid argument' };
export const NO_MEMORY: Answer = { err_code: -5, err_msg: 'not enough memory' };
export const UNKNOWN_ERROR: Answer = { err_code: -7, err_msg: 'unknown error' };
export const NOT_BOUND: Answer = { err_code: -8, err_msg: 'not bind yet' };
export const TABLE_FULL: Answer = { err_code: -10, err_msg: 'table is full' };
export const NO_TIME: Answer = { err_code: -11, err_msg: 'time not sync' };
export const NO_ENTRY: Answer = { err_code: -14, err_msg: 'entry not exist' };
export const NO_SERVER: Answer = { err_code: -21, err_msg: 'can not connect to the server' };

/** What bulbs say of a module, or of a method, that they do not have. */
export const NO_BULB_MODULE: Answer = { err_code: -2001, err_msg: 'Module not support' };
export const NO_BULB_METHOD: Answer = { err_code: -2000, err_msg: 'Method not support' };

/** How a firmware refuses what it does not know. */
export interface Dialect {
  readonly unknownModule: Answer;
  readonly unknownMethod: Answer;
  /** Whether one answer stands for a whole unknown module, or one for each of the methods asked of it. */
  readonly refusesModules: boolean;
}

export const BULB_DIALECT: Dialect = {
  unknownModule: NO_BULB_MODULE,
  unknownMethod: NO_BULB_METHOD,
  refusesModules: true,
};

/** The dialect of plugs and strips; the first generation refuses modules as a whole. */
export function plugDialect(refusesModules: boolean): Dialect {
  return { unknownModule: UNKNOWN_MODULE, unknownMethod: UNKNOWN_METHOD, refusesModules };
}

/**
 * Answers a query from a table of modules. `refusal` may refuse a module (`emeter`) or a method
 * (`system.set_relay_state`) by name before the table is asked.
 */
export function answerFrom(
  modules: Modules,
  query: JsonObject,
  dialect: Dialect,
  refusal: (name: string) => Answer | undefined = () => undefined,
): Answer {
  const reply: Answer = {};
  for (const [name, asked] of Object.entries(query)) {
    if (name === 'context') continue;
    const module = own(modules, name);
    const methods = Object.entries(isObject(asked) ? asked : {});
    const whole = module === undefined && dialect.refusesModules ? dialect.unknownModule : refusal(name);
    const answerTo = ([method, argument]: [string, unknown]): Answer =>
      refusal(`${name}.${method}`) ?? answerOf(module, method, argument, dialect);
    reply[name] = whole ?? Object.fromEntries(methods.map((one) => [one[0], answerTo(one)]));
  }
  return reply;
}

function answerOf(module: Module | undefined, method: string, argument: unknown, dialect: Dialect): Answer {
  if (module === undefined) return dialect.unknownModule;
  const run = own(module, method);
  return run === undefined ? dialect.unknownMethod : run(isObject(argument) ? argument : {});
}

/** What an object has under `key` itself: `toString` is no module. */
function own<T>(table: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
