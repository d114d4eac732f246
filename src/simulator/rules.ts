import { type JsonObject, numberAt } from '../protocol/json.ts';
import type { DeviceClock } from './device-clock.ts';
import { type Answer, BAD_ARGUMENT, type Method, type Module, NO_ENTRY, NO_TIME, OK } from './plug-device.ts';

/** Refuses everything of a table while the device does not know the time, as the firmware does. */
export function whileTimed(time: DeviceClock, module: Module): Module {
  const timed =
    (method: Method): Method =>
    (argument) =>
      time.isSet ? method(argument) : NO_TIME;
  return Object.fromEntries(Object.entries(module).map(([name, method]) => [name, timed(method)]));
}

/** A table of rules that can be switched off as a whole: the schedule, or away mode. */
export class RuleTable {
  #rules: readonly JsonObject[] = [];
  #enable = 1;
  #made = 0;
  /** Called when rules or their being in force have changed. */
  changed: () => void = () => {};

  /** The rules that are in force. */
  get active(): readonly JsonObject[] {
    return this.#enable === 1 ? this.#rules.filter((rule) => numberAt(rule, 'enable') !== 0) : [];
  }

  /** Adds to a rule, or changes in it, what `change` has. */
  edit(id: unknown, change: JsonObject): Answer {
    if (typeof id !== 'string') return BAD_ARGUMENT;
    if (!this.#rules.some((rule) => rule.id === id)) return NO_ENTRY;
    return this.#become(this.#rules.map((rule) => (rule.id === id ? { ...rule, ...change } : rule)));
  }

  module(): Module {
    return {
      get_rules: () => ({ rule_list: this.#rules, version: 2, enable: this.#enable, err_code: 0 }),
      add_rule: (rule) => {
        const id = (++this.#made).toString(16).toUpperCase().padStart(32, '0');
        this.#become([...this.#rules, { id, ...rule }]);
        return { id, err_code: 0 };
      },
      edit_rule: (rule) => this.edit(rule.id, rule),
      delete_rule: ({ id }) => {
        if (typeof id !== 'string') return BAD_ARGUMENT;
        if (!this.#rules.some((rule) => rule.id === id)) return NO_ENTRY;
        return this.#become(this.#rules.filter((rule) => rule.id !== id));
      },
      delete_all_rules: () => this.#become([]),
      set_overall_enable: (argument) => {
        const enable = numberAt(argument, 'enable');
        if (enable !== 0 && enable !== 1) return BAD_ARGUMENT;
        this.#enable = enable;
        return this.#become(this.#rules);
      },
    };
  }

  #become(rules: readonly JsonObject[]): Answer {
    this.#rules = rules;
    this.changed();
    return OK;
  }
}
