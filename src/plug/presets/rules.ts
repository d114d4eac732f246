import { PlugError } from '../../errors.ts';
import { isObject, type JsonObject, numberAt, objectsAt, textAt } from '../../protocol/json.ts';
import { answerTo } from '../../protocol/replies.ts';
import type { Query } from '../../protocol/requests.ts';
import { parseDuration } from '../../runtime/duration.ts';
import { checkAll, dateText, onOrOff, type Plan, type Preset, wrong } from './preset.ts';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/** As numbers of {@link DAYS}. */
const DAY_GROUPS: { readonly [name: string]: readonly number[] } = {
  daily: [0, 1, 2, 3, 4, 5, 6],
  weekdays: [1, 2, 3, 4, 5],
  weekend: [0, 6],
  ...Object.fromEntries(DAYS.map((name, day) => [name, [day]])),
};

/** The longest countdown: a day. */
const LONGEST_S = 86_400;

const GET_RULES: Query = { schedule: { get_rules: {} } };

/** What the plug does by itself: schedule, countdown, away mode. */
export const RULE_PRESETS: readonly Preset[] = [
  {
    name: 'schedule',
    does: 'rules of the schedule, and what it does next',
    parameters: [],
    readOnly: true,
    plan: () => ({
      query: { schedule: { get_rules: {}, get_next_action: {} } },
      read: (reply) => ({ ...readRules(reply, 'schedule'), next: readNext(reply) }),
    }),
  },
  {
    name: 'schedule add',
    does: 'switch at TIME (07:30, sunrise, sunset) on DAYS: daily, weekdays, weekend, mon,thu or a date; daily if left out',
    parameters: ['TIME', 'on|off', '[DAYS]'],
    readOnly: false,
    switchesLater: true,
    plan: ([time, action, days]) =>
      scheduleWith({ add_rule: ruleOf(time, action, days), set_overall_enable: { enable: 1 } }),
  },
  {
    name: 'schedule remove',
    does: 'delete the rule of that number, or of the id that begins so',
    parameters: ['RULE'],
    readOnly: false,
    before: () => GET_RULES,
    plan: ([rule = ''], { before }) => scheduleWith({ delete_rule: { id: idOf(rule, before) } }),
  },
  simple('schedule clear', 'delete all rules', scheduleWith({ delete_all_rules: {} })),
  simple('schedule enable', 'follow the schedule', scheduleWith({ set_overall_enable: { enable: 1 } })),
  simple(
    'schedule disable',
    'keep the schedule but do not follow it',
    scheduleWith({ set_overall_enable: { enable: 0 } }),
  ),
  { ...simple('countdown', 'the countdown that runs', countdownWith({})), readOnly: true },
  {
    name: 'countdown on',
    does: 'switch on after SECONDS (or 30m, 2h); replaces the countdown that runs',
    parameters: ['SECONDS'],
    readOnly: false,
    switchesLater: true,
    plan: ([after]) => countdownTo(true, after),
  },
  {
    name: 'countdown off',
    does: 'switch off after SECONDS (or 30m, 2h); replaces the countdown that runs',
    parameters: ['SECONDS'],
    readOnly: false,
    switchesLater: true,
    plan: ([after]) => countdownTo(false, after),
  },
  simple('countdown clear', 'stop the countdown', countdownWith({ delete_all_rules: {} })),
  {
    ...simple('antitheft', 'rules of the away mode', {
      query: { anti_theft: { get_rules: {} } },
      read: (reply) => readRules(reply, 'anti_theft'),
    }),
    readOnly: true,
  },
];

function simple(name: string, does: string, plan: Plan): Preset {
  return { name, does, parameters: [], readOnly: false, plan: () => plan };
}

/** Does something with the schedule and shows what it then holds. */
function scheduleWith(methods: { readonly [method: string]: JsonObject }): Plan {
  const query: Query = { schedule: { ...methods, ...GET_RULES.schedule } };
  return {
    query,
    read: (reply) => {
      checkAll(reply, query);
      return readRules(reply, 'schedule');
    },
  };
}

function countdownWith(methods: { readonly [method: string]: JsonObject }): Plan {
  const query: Query = { count_down: { ...methods, get_rules: {} } };
  return {
    query,
    read: (reply) => {
      checkAll(reply, query);
      return {
        countdowns: objectsAt(answerTo(reply, 'count_down', 'get_rules'), 'rule_list').map(readCountdown),
      };
    },
  };
}

/** The plug has room for one countdown only. */
function countdownTo(on: boolean, after: string | undefined): Plan {
  const ms = parseDuration(/^\d+$/.test(after ?? '') ? `${after}s` : (after ?? ''));
  const delay = Math.round((ms ?? 0) / 1000);
  if (delay < 1 || delay > LONGEST_S)
    throw wrong(
      `it must be a number of seconds or a duration such as 30m, at most 24h, not ${JSON.stringify(after)}`,
    );
  const rule = { enable: 1, delay, act: on ? 1 : 0, name: `hs110-mqtt ${on ? 'on' : 'off'}` };
  return countdownWith({ delete_all_rules: {}, add_rule: rule });
}

function readCountdown(rule: JsonObject): JsonObject {
  return {
    action: actionText(numberAt(rule, 'act')),
    remaining: numberAt(rule, 'remain') ?? null,
    delay: numberAt(rule, 'delay') ?? null,
    enabled: numberAt(rule, 'enable') === 1,
    name: textAt(rule, 'name') ?? null,
  };
}

function readRules(reply: JsonObject, module: string): JsonObject {
  const answer = answerTo(reply, module, 'get_rules');
  const rules = objectsAt(answer, 'rule_list').map((rule, index) => ({
    nr: index + 1,
    time: timeOf(rule, 's'),
    days: daysOf(rule),
    action: actionText(numberAt(rule, 'sact')),
    // Only away mode and old rules have an end.
    ...((numberAt(rule, 'etime_opt') ?? -1) < 0 ? {} : { until: timeOf(rule, 'e') }),
    enabled: numberAt(rule, 'enable') === 1,
    name: textAt(rule, 'name') ?? null,
    id: textAt(rule, 'id') ?? null,
  }));
  const enable = numberAt(answer, 'enable');
  return { enabled: enable === undefined ? null : enable === 1, rules };
}

/** Start (`s`) or end (`e`) of a rule. */
function timeOf(rule: JsonObject, edge: 's' | 'e'): string | null {
  const option = numberAt(rule, `${edge}time_opt`);
  const offset = numberAt(rule, `${edge}offset`) ?? 0;
  const sun = option === 1 ? 'sunrise' : option === 2 ? 'sunset' : undefined;
  if (sun !== undefined) return offset === 0 ? sun : `${sun} ${offset > 0 ? '+' : ''}${offset} min`;
  const minute = numberAt(rule, `${edge}min`);
  return minute === undefined ? null : clockText(minute);
}

function clockText(minuteOfDay: number): string {
  const [hour, minute] = [Math.floor(minuteOfDay / 60), minuteOfDay % 60];
  return [hour, minute].map((part) => String(part).padStart(2, '0')).join(':');
}

function daysOf(rule: JsonObject): string {
  const { wday } = rule;
  if (numberAt(rule, 'repeat') !== 1)
    return dateText(numberAt(rule, 'year'), numberAt(rule, 'month'), numberAt(rule, 'day'));
  const on = DAYS.filter((_, day) => Array.isArray(wday) && wday[day] === 1);
  return on.length === DAYS.length ? 'daily' : on.join(',');
}

function actionText(action: number | undefined): 'ON' | 'OFF' | null {
  return action === 1 ? 'ON' : action === 0 ? 'OFF' : null;
}

/** What comes next; `null` if nothing does. Hardware differs in how it calls the time. */
function readNext(reply: JsonObject): JsonObject | null {
  const next = isObject(reply.schedule) ? reply.schedule.get_next_action : undefined;
  if (!isObject(next) || numberAt(next, 'type') !== 1) return null;
  const second = numberAt(next, 'schd_sec') ?? numberAt(next, 'schd_time');
  return {
    time: second === undefined ? null : clockText(Math.floor(second / 60)),
    action: actionText(numberAt(next, 'action')),
  };
}

/** A rule as the plug stores it; unused fields are there because the app sends them. Throws CommandError. */
function ruleOf(time = '', action: string | undefined, days = 'daily'): JsonObject {
  const on = onOrOff(action);
  return {
    name: `hs110-mqtt ${on ? 'on' : 'off'}`,
    enable: 1,
    ...startOf(time),
    soffset: 0,
    sact: on ? 1 : 0,
    etime_opt: -1,
    emin: 0,
    eoffset: 0,
    eact: -1,
    ...repetitionOf(days),
    force: 0,
    longitude: 0,
    latitude: 0,
  };
}

function startOf(time: string): JsonObject {
  if (time === 'sunrise') return { stime_opt: 1, smin: 0 };
  if (time === 'sunset') return { stime_opt: 2, smin: 0 };
  const [, hour = '', minute = ''] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  if (minute === '')
    throw wrong(`the time must be as 07:30, or sunrise or sunset, not ${JSON.stringify(time)}`);
  return { stime_opt: 0, smin: Number(hour) * 60 + Number(minute) };
}

function repetitionOf(days: string): JsonObject {
  const [, year, month, day] = /^(20\d\d)-(\d\d)-(\d\d)$/.exec(days) ?? [];
  if (day !== undefined) {
    const date = { year: Number(year), month: Number(month), day: Number(day) };
    if (!isInCalendar(date)) throw wrong(`there is no ${days} in the calendar`);
    return { repeat: 0, wday: DAYS.map(() => 0), ...date };
  }
  const chosen = days
    .toLowerCase()
    .split(',')
    .flatMap((name) => {
      const numbers = Object.hasOwn(DAY_GROUPS, name.trim()) ? DAY_GROUPS[name.trim()] : undefined;
      if (numbers === undefined)
        throw wrong(
          `the days must be daily, weekdays, weekend, names as mon,thu or a date as 2026-12-24, not ${JSON.stringify(name)}`,
        );
      return numbers;
    });
  return { repeat: 1, wday: DAYS.map((_, day) => (chosen.includes(day) ? 1 : 0)), year: 0, month: 0, day: 0 };
}

function isInCalendar({ year, month, day }: { year: number; month: number; day: number }): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** The id of the rule that the user means: by its number in the list, or by the beginning of its id. */
function idOf(rule: string, before: JsonObject): string {
  const ids = objectsAt(answerTo(before, 'schedule', 'get_rules'), 'rule_list').map((known) =>
    textAt(known, 'id'),
  );
  const byNumber = /^\d{1,3}$/.test(rule) ? ids[Number(rule) - 1] : undefined;
  if (byNumber !== undefined) return byNumber;
  const [id, other] = ids.filter(
    (known) => rule !== '' && known?.toUpperCase().startsWith(rule.toUpperCase()),
  );
  if (id === undefined || other !== undefined)
    throw new PlugError(
      'plug-error',
      `the plug has ${other === undefined ? 'no rule' : 'more than one rule'} ${JSON.stringify(rule)}: \`schedule\` lists its ${ids.length} rules with number and id`,
    );
  return id;
}
