import type { Origin, PlugInfo } from '../../bridge/plug-state.ts';
import {
  asLight,
  CONFIG,
  COUNTED,
  type Context,
  DIAGNOSTIC,
  DISABLED,
  type Entity,
  measured,
  type Options,
  reads,
  readsNumber,
  type Subject,
  switches,
  whileBridgeRuns,
} from '../entity.ts';
import { receipts } from './receipts.ts';

/** One plug, or one outlet of a device, as its announcement sees it. */
export interface PlugSubject extends Subject {
  readonly path: string;
  readonly info: PlugInfo;
  readonly as: 'switch' | 'light';
  /** Whether its lamp is checked. */
  readonly hasLamp: boolean;
}

/** The longest that "on for" can be told from Home Assistant, in minutes. */
const LONGEST_MIN = 1440;

/** Characters of an alias that plugs keep. */
const LONGEST_ALIAS = 31;

const ORIGINS = { mqtt: true, web: true, schedule: true, bridge: true, plug: true } satisfies Record<
  Origin,
  true
>;

const hasMeter = ({ info }: PlugSubject) => info.hasMeter;

/** Bulbs have no relay, but a light: they measure power alone, and have no LED. */
const isBulb = ({ info }: PlugSubject) => info.light !== null && info.light.service !== 'dimmer';

/** The entities of a plug. The relay has no name of its own: it is the device. */
export const PLUG_ENTITIES: readonly Entity<PlugSubject>[] = [
  {
    key: 'relay',
    platform: 'switch',
    name: null,
    options: { device_class: 'outlet' },
    wiring: (plug, context) => ({ ...reads('state')(plug, context), ...switches(plug, context) }),
    when: ({ as }) => as === 'switch',
  },
  {
    key: 'light',
    platform: 'light',
    name: null,
    wiring: (plug, context) => ({
      ...asLight(readsWord(plug, context)),
      ...switches(plug, context),
      ...dims(plug, context),
    }),
    when: ({ as }) => as === 'light',
  },
  meter('power', 'Power', measured('power', 'W', 1), 1),
  { ...meter('voltage', 'Voltage', measured('voltage', 'V', 1), 1), when: hasWholeMeter },
  { ...meter('current', 'Current', measured('current', 'A', 2), 2), when: hasWholeMeter },
  meter('energy', 'Energy', COUNTED, 3),
  meter('energy_today', 'Energy today', { ...COUNTED, ...DIAGNOSTIC }, 3),
  past('energy_yesterday', 'Energy yesterday'),
  meter('energy_month', 'Energy this month', { ...COUNTED, ...DIAGNOSTIC }, 3),
  past('energy_last_month', 'Energy last month'),
  meter('energy_boot', 'Energy since boot', { ...COUNTED, ...DIAGNOSTIC, ...DISABLED }, 3),
  {
    key: 'motion',
    platform: 'binary_sensor',
    name: 'Motion',
    options: { device_class: 'motion' },
    wiring: reads('motion'),
    when: hasSensors,
  },
  {
    key: 'ambient_light',
    platform: 'sensor',
    name: 'Ambient light',
    options: {
      icon: 'mdi:brightness-percent',
      unit_of_measurement: '%',
      state_class: 'measurement',
    },
    wiring: reads('ambient_light'),
    when: hasSensors,
  },
  {
    key: 'lamp',
    platform: 'binary_sensor',
    name: 'Lamp',
    options: { device_class: 'problem', icon: 'mdi:lightbulb-alert-outline' },
    wiring: ({ path }, { topics }) => ({
      state_topic: topics.details(path),
      value_template:
        "{{ 'OFF' if value_json.lamp_check == 'ok' else 'ON' if value_json.lamp_check else 'None' }}",
      json_attributes_topic: topics.details(path),
      json_attributes_template: "{{ {'reason': value_json.lamp_check} | to_json }}",
    }),
    when: ({ hasLamp }) => hasLamp,
  },
  {
    key: 'on_for',
    platform: 'number',
    name: 'On for',
    options: {
      icon: 'mdi:timer-outline',
      device_class: 'duration',
      unit_of_measurement: 'min',
      min: 1,
      max: LONGEST_MIN,
      mode: 'box',
      ...CONFIG,
    },
    wiring: (plug, context) => ({
      ...switches(plug, context),
      command_template: '{"state":"ON","for":"{{ value | int }}m"}',
    }),
  },
  {
    key: 'led',
    platform: 'switch',
    name: 'LED',
    options: {
      icon: 'mdi:led-on',
      ...CONFIG,
      payload_on: '{"led":"ON"}',
      payload_off: '{"led":"OFF"}',
      state_on: 'ON',
      state_off: 'OFF',
    },
    wiring: (plug, context) => ({ ...reads('led')(plug, context), ...switches(plug, context) }),
    when: (plug) => !isBulb(plug),
  },
  {
    key: 'alias',
    platform: 'text',
    name: 'Name in the Kasa app',
    options: { icon: 'mdi:form-textbox', max: LONGEST_ALIAS, ...CONFIG },
    wiring: (plug, { topics }) => ({
      state_topic: topics.details(plug.path),
      value_template: `{{ (value_json.alias or '')[:${LONGEST_ALIAS}] }}`,
      command_topic: topics.request('plug/command'),
      command_template: `{{ {'plug': '${plug.path}', 'command': 'alias', 'args': [value]} | to_json }}`,
    }),
    when: (_, { allow }) => allow.has('alias'),
  },
  {
    key: 'restart',
    platform: 'button',
    name: 'Restart',
    options: { device_class: 'restart', ...CONFIG, ...DISABLED },
    wiring: ({ path }, { topics }) => ({
      command_topic: topics.request('plug/command'),
      payload_press: JSON.stringify({ plug: path, command: 'reboot' }),
    }),
    when: (_, { allow }) => allow.has('reboot'),
  },
  {
    key: 'problem',
    platform: 'binary_sensor',
    name: 'Problem',
    options: { device_class: 'problem', ...DIAGNOSTIC },
    wiring: (plug, context) => ({
      ...detail("'OFF' if value_json.problem is none else 'ON'")(plug, context),
      json_attributes_topic: context.topics.details(plug.path),
      json_attributes_template: "{{ {'reason': value_json.problem} | to_json }}",
    }),
  },
  {
    key: 'last_seen',
    platform: 'sensor',
    name: 'Last seen',
    options: { device_class: 'timestamp', ...DIAGNOSTIC },
    wiring: detail('value_json.last_seen'),
  },
  {
    key: 'changed_by',
    platform: 'sensor',
    name: 'Changed by',
    options: {
      icon: 'mdi:account-switch',
      device_class: 'enum',
      options: Object.keys(ORIGINS),
      ...DIAGNOSTIC,
    },
    wiring: detail('value_json.changed_by'),
  },
  {
    key: 'firmware_risk',
    platform: 'binary_sensor',
    name: 'Firmware risk',
    options: { device_class: 'problem', icon: 'mdi:update', ...DIAGNOSTIC },
    wiring: (plug, context) => ({
      ...detail("'OFF' if value_json.warning is none else 'ON'")(plug, context),
      json_attributes_topic: context.topics.details(plug.path),
      json_attributes_template: "{{ {'warning': value_json.warning} | to_json }}",
    }),
  },
  {
    key: 'locked',
    platform: 'binary_sensor',
    name: 'Locked',
    options: { icon: 'mdi:lock', ...DIAGNOSTIC },
    wiring: detail("'ON' if value_json.locked else 'OFF'"),
  },
  {
    key: 'rssi',
    platform: 'sensor',
    name: 'Signal strength',
    options: {
      device_class: 'signal_strength',
      unit_of_measurement: 'dBm',
      state_class: 'measurement',
      ...DIAGNOSTIC,
      ...DISABLED,
    },
    wiring: reads('rssi'),
  },
  {
    key: 'on_since',
    platform: 'sensor',
    name: 'On since',
    options: { device_class: 'timestamp', ...DIAGNOSTIC, ...DISABLED },
    wiring: ({ path }, { topics }) => ({
      state_topic: topics.details(path),
      value_template: '{{ value_json.on_since }}',
    }),
  },
  {
    key: 'cloud',
    platform: 'binary_sensor',
    name: 'Cloud connection',
    options: { device_class: 'connectivity', ...DIAGNOSTIC },
    wiring: reads('cloud'),
  },
  receipts(DISABLED),
];

function hasSensors({ info }: PlugSubject): boolean {
  return info.hasSensors;
}

function hasWholeMeter(plug: PlugSubject): boolean {
  return hasMeter(plug) && !isBulb(plug);
}

/** Brightness and colour temperature of a light that has them. Every version of Home Assistant takes mireds. */
function dims({ path, info: { light } }: PlugSubject, { topics, json }: Context): Options {
  if (light === null) return {};
  const set = topics.below(path, 'set');
  const read = (name: 'brightness' | 'color_temp') =>
    json
      ? { topic: topics.of(path), value: `value_json.${name}` }
      : { topic: topics.below(path, name), value: 'value' };
  const [brightness, colorTemp] = [read('brightness'), read('color_temp')];
  return {
    ...(light.isDimmable
      ? {
          brightness_state_topic: brightness.topic,
          brightness_value_template: `{{ ${brightness.value} or '' }}`,
          brightness_command_topic: set,
          brightness_command_template: '{"brightness":{{ value }}}',
          brightness_scale: 100,
        }
      : {}),
    ...(light.kelvin === null
      ? {}
      : {
          color_temp_state_topic: colorTemp.topic,
          color_temp_value_template: `{{ (1000000 / (${colorTemp.value} | float)) | round(0) | int if ${colorTemp.value} else '' }}`,
          color_temp_command_topic: set,
          color_temp_command_template: '{"color_temp":{{ (1000000 / value) | round(0) | int }}}',
          min_mireds: Math.ceil(1_000_000 / light.kelvin[1]),
          max_mireds: Math.floor(1_000_000 / light.kelvin[0]),
        }),
  };
}

function meter(
  key: 'power' | 'voltage' | 'current' | 'energy' | 'energy_today' | 'energy_month' | 'energy_boot',
  name: string,
  options: Options,
  decimals: number,
): Entity<PlugSubject> {
  return { key, platform: 'sensor', name, options, wiring: readsNumber(key, decimals), when: hasMeter };
}

/** What was used in a time that is over: nothing is added to it any more, so that no statistics are made of it. */
function past(key: 'energy_yesterday' | 'energy_last_month', name: string): Entity<PlugSubject> {
  const value = `value_json.${key}`;
  return {
    key,
    platform: 'sensor',
    name,
    options: {
      icon: 'mdi:calendar-clock',
      unit_of_measurement: 'kWh',
      suggested_display_precision: 3,
      ...DIAGNOSTIC,
    },
    wiring: ({ path }, { topics }) => ({
      state_topic: topics.details(path),
      value_template: `{{ ${value} | round(3) if ${value} is number else None }}`,
    }),
    when: hasMeter,
  };
}

/** Reads the relay's own topic where there is one: a light's state is a word. */
function readsWord(plug: PlugSubject, context: Context): Options {
  return reads('state')(plug, { ...context, json: !context.flat });
}

/** Reads what is known of a plug also while it is away, and is therefore available as long as the bridge is. */
function detail(expression: string) {
  return ({ path }: PlugSubject, { topics }: Context): Options => ({
    state_topic: topics.details(path),
    value_template: `{{ ${expression} }}`,
    ...whileBridgeRuns(topics),
  });
}
