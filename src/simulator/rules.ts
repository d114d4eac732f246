import { type Answer, type Method, OK } from './plug-device.ts';

const NO_TIME: Answer = { err_code: -11, err_msg: 'time not sync' };
const NO_ENTRY: Answer = { err_code: -14, err_msg: 'entry not exist' };

/** A table of rules, as schedule and away mode have one. It works only while the plug knows the time. */
export function rulesModule(head: Answer, hasTime: () => boolean): { [method: string]: Method } {
  let rules: Answer[] = [];
  let enabled = head;
  let made = 0;
  const unlessTimeless =
    (method: Method): Method =>
    (argument) =>
      hasTime() ? method(argument) : NO_TIME;
  return {
    get_rules: unlessTimeless(() => ({ rule_list: rules, ...enabled, err_code: 0 })),
    get_next_action: unlessTimeless(() => ({ type: -1, err_code: 0 })),
    add_rule: unlessTimeless((rule) => {
      const id = (++made).toString(16).toUpperCase().padStart(32, '0');
      rules = [...rules, { id, ...rule }];
      return { id, err_code: 0 };
    }),
    edit_rule: unlessTimeless((rule) => {
      if (!rules.some(({ id }) => id === rule.id)) return NO_ENTRY;
      rules = rules.map((old) => (old.id === rule.id ? { ...old, ...rule } : old));
      return OK;
    }),
    delete_rule: ({ id }) => {
      if (!rules.some((rule) => rule.id === id)) return NO_ENTRY;
      rules = rules.filter((rule) => rule.id !== id);
      return OK;
    },
    delete_all_rules: () => {
      rules = [];
      return OK;
    },
    set_overall_enable: ({ enable }) => {
      enabled = { ...enabled, enable };
      return OK;
    },
  };
}
