import { numberAt } from '../protocol/json.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Answer, BAD_ARGUMENT, type Method, OK } from './plug-device.ts';

const TABLE_FULL: Answer = { err_code: -10, err_msg: 'table is full' };

/** The one countdown that a plug has room for. */
export class SimulatedCountdown {
  readonly #clock: Clock;
  #rule: Answer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Once it is over, when that was and whether it switches on; it is forgotten then. */
  over(): { readonly at: number; readonly on: boolean } | undefined {
    if (this.#rule === undefined || this.#clock.date() < this.#dueAt) return undefined;
    const over = { at: this.#dueAt, on: this.#rule.act === 1 };
    this.#forget();
    return over;
  }

  module(): { [method: string]: Method } {
    const remain = () => Math.max(0, Math.ceil((this.#dueAt - this.#clock.date()) / 1000));
    return {
      get_rules: () => ({
        rule_list: this.#rule === undefined ? [] : [{ ...this.#rule, remain: remain() }],
        err_code: 0,
      }),
      add_rule: (rule) => {
        const delay = numberAt(rule, 'delay');
        if (delay === undefined) return BAD_ARGUMENT;
        if (this.#rule !== undefined) return TABLE_FULL;
        const id = 'C0'.repeat(16);
        this.#rule = { id, ...rule };
        this.#dueAt = rule.enable === 0 ? Number.POSITIVE_INFINITY : this.#clock.date() + delay * 1000;
        return { id, err_code: 0 };
      },
      delete_all_rules: () => {
        this.#forget();
        return OK;
      },
    };
  }

  #forget(): void {
    this.#rule = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
  }
}
