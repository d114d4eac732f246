import { PlugError } from '../../errors.ts';
import { type JsonObject, textAt } from '../../protocol/json.ts';
import { LEAST_KELVIN, type LightSetting, MOST_KELVIN } from '../../protocol/light.ts';
import { answerTo, readSysinfo } from '../../protocol/replies.ts';
import { GET_SYSINFO, type Query, type Settings, setAndConfirm } from '../../protocol/requests.ts';
import { CLOCK_PRESETS } from './clock.ts';
import { ENERGY_PRESETS } from './energy.ts';
import { NETWORK_PRESETS } from './network.ts';
import { checkAll, doing, onOrOff, type Plan, type Preset, reading, wholeNumberIn, wrong } from './preset.ts';
import { RULE_PRESETS } from './rules.ts';

/** A plug restarts after it has answered, so that the answer gets through. */
const RESTART_DELAY_S = 1;

const SWITCH = 'ON, OFF or TOGGLE';

/** All that a plug can be asked by name; the names of the old script among them. */
export const PRESETS: readonly Preset[] = [
  reading('info', 'what the plug is and how it stands', GET_SYSINFO.query, readInfo),
  switching('on', 'switch on, and say what the plug then reports', { relay: true }),
  switching('off', 'switch off, and say what the plug then reports', { relay: false }),
  {
    name: 'toggle',
    does: 'switch to the other state',
    parameters: [],
    readOnly: false,
    asCommand: SWITCH,
    before: () => GET_SYSINFO.query,
    plan: (_given, { before }) => settingsPlan({ relay: !relayIn(before) }),
  },
  {
    name: 'led',
    does: 'light of the plug; the relay is not touched',
    parameters: ['on|off'],
    readOnly: false,
    plan: ([word]) => settingsPlan({ led: onOrOff(word) }),
  },
  {
    name: 'brightness',
    does: 'switch a dimmer or bulb on and make it so bright, in percent',
    parameters: ['PERCENT'],
    readOnly: false,
    asCommand: '{"brightness":40}',
    plan: ([percent]) => lightPlan({ brightness: wholeNumberIn(percent, 'the brightness', 1, 100) }),
  },
  {
    name: 'temperature',
    does: 'switch a bulb on, its white in so many kelvin',
    parameters: ['KELVIN'],
    readOnly: false,
    asCommand: '{"color_temp":2700}',
    plan: ([kelvin]) =>
      lightPlan({ colorTemp: wholeNumberIn(kelvin, 'the temperature', LEAST_KELVIN, MOST_KELVIN) }),
  },
  ...ENERGY_PRESETS,
  ...CLOCK_PRESETS,
  ...RULE_PRESETS,
  ...NETWORK_PRESETS,
  {
    name: 'alias',
    does: 'give the plug another name',
    parameters: ['NAME'],
    readOnly: false,
    plan: ([alias = '']) => aliasPlan(alias),
  },
  doing('reboot', 'restart the plug', 'it restarts in a second', {
    system: { reboot: { delay: RESTART_DELAY_S } },
  }),
  doing('reset', 'reset the plug to its factory state', 'it forgets everything in a second', {
    system: { reset: { delay: RESTART_DELAY_S } },
  }),
];

/** The preset of this name. */
export function presetOf(name: string): Preset | undefined {
  return PRESETS.find((preset) => preset.name === name);
}

function switching(name: string, does: string, settings: Settings): Preset {
  return {
    name,
    does,
    parameters: [],
    readOnly: false,
    asCommand: SWITCH,
    plan: () => settingsPlan(settings),
  };
}

function lightPlan(light: LightSetting): Plan {
  return settingsPlan({ relay: true, light });
}

function settingsPlan(settings: Settings): Plan {
  const { query } = setAndConfirm(settings, false);
  return {
    query,
    settings,
    read: (reply) => {
      checkAll(reply, query);
      const { state, led } = readInfo(reply);
      return { state, led };
    },
  };
}

function relayIn(reply: JsonObject): boolean {
  const { relay } = readSysinfo(answerTo(reply, 'system', 'get_sysinfo'));
  if (relay === undefined)
    throw new PlugError(
      'unsupported',
      'the device does not say whether it is on or off; only plugs, outlets of strips, and bulbs are switched',
    );
  return relay;
}

/** Fields of the sysinfo that are shown under our own names. */
const OURS: ReadonlySet<string> = new Set([
  'err_code',
  'alias',
  'model',
  'hw_ver',
  'sw_ver',
  'mac',
  'mic_mac',
  'relay_state',
  'led_off',
  'on_time',
  'rssi',
]);

/** The sysinfo in our names, then whatever else the plug says, in its own. */
function readInfo(reply: JsonObject): JsonObject {
  const answer = answerTo(reply, 'system', 'get_sysinfo');
  const { alias, model, hardware, firmware, mac, relay, led, rssi, onTimeS } = readSysinfo(answer);
  return {
    alias: alias ?? null,
    model: model ?? null,
    hardware: hardware ?? null,
    firmware: firmware ?? null,
    mac: mac ?? null,
    state: onOff(relay),
    led: onOff(led),
    on_time: onTimeS ?? null,
    rssi: rssi ?? null,
    ...Object.fromEntries(Object.entries(answer).filter(([key]) => !OURS.has(key))),
  };
}

function onOff(value: boolean | undefined): 'ON' | 'OFF' | null {
  return value === undefined ? null : value ? 'ON' : 'OFF';
}

function aliasPlan(alias: string): Plan {
  if (alias.trim() === '') throw wrong('the name must not be empty');
  const query: Query = { system: { set_dev_alias: { alias }, get_sysinfo: {} } };
  return {
    query,
    read: (reply) => {
      checkAll(reply, query);
      return { alias: textAt(answerTo(reply, 'system', 'get_sysinfo'), 'alias') ?? null };
    },
  };
}
