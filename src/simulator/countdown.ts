import { type JsonObject, numberAt } from '../protocol/json.ts';
import type { DeviceClock } from './device-clock.ts';
import { type Answer, BAD_ARGUMENT, type Module, NO_ENTRY, OK, TABLE_FULL } from './plug-device.ts';
import { whileTimed } from './rules.ts';

const ID = 'C0'.repeat(16);
const NEVER = Number.POSITIVE_INFINITY;

/** The one countdown that an outlet has room for. */
export class SimulatedCountdown {
  readonly #time: DeviceClock;
  #rule: JsonObject | undefined;
  #dueAt = NEVER;

  constructor(time: DeviceClock) {
    this.#time = time;
  }

  /** When it will switch, and to what. */
  get next(): { readonly at: number; readonly on: boolean } | undefined {
    return this.#dueAt === NEVER ? undefined : { at: this.#dueAt, on: this.#rule?.act === 1 };
  }

  /** It has switched, or is not wanted any more. */
  forget(): Answer {
    this.#rule = undefined;
    this.#dueAt = NEVER;
    return OK;
  }

  module(): Module {
    return whileTimed(this.#time, {
      get_rules: () => ({
        rule_list: this.#rule === undefined ? [] : [this.#shown(this.#rule)],
        err_code: 0,
      }),
      add_rule: (rule) => {
        if (this.#rule !== undefined) return TABLE_FULL;
        return this.#start(rule) ? { id: ID, err_code: 0 } : BAD_ARGUMENT;
      },
      edit_rule: (rule) => {
        if (this.#rule === undefined || rule.id !== ID) return NO_ENTRY;
        return this.#start({ ...this.#rule, ...rule }) ? OK : BAD_ARGUMENT;
      },
      delete_rule: ({ id }) => (this.#rule !== undefined && id === ID ? this.forget() : NO_ENTRY),
      delete_all_rules: () => this.forget(),
    });
  }

  #start(rule: JsonObject): boolean {
    const delay = numberAt(rule, 'delay');
    if (delay === undefined || delay < 0) return false;
    this.#rule = { id: ID, ...rule };
    this.#dueAt = rule.enable === 0 ? NEVER : this.#time.now() + delay * 1000;
    return true;
  }

  #shown(rule: JsonObject): Answer {
    const remainMs = this.#dueAt === NEVER ? 0 : this.#dueAt - this.#time.now();
    return { ...rule, remain: Math.max(0, Math.ceil(remainMs / 1000)) };
  }
}
