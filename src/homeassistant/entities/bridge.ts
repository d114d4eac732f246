import { LOG_LEVELS } from '../../runtime/log-level.ts';
import {
  CONFIG,
  type Context,
  DIAGNOSTIC,
  type Entity,
  type Options,
  type Subject,
  whileBridgeRuns,
} from '../entity.ts';

/** The entities of the bridge itself. */
export const BRIDGE_ENTITIES: readonly Entity<Subject>[] = [
  {
    key: 'connection',
    platform: 'binary_sensor',
    name: 'Connection',
    options: { device_class: 'connectivity', ...DIAGNOSTIC },
    wiring: (_, { topics }) => ({
      state_topic: topics.bridgeState,
      payload_on: 'online',
      payload_off: 'offline',
      // It is what says that the bridge is away: available as soon as anything is known.
      availability: [{ topic: topics.bridgeState, value_template: "{{ 'online' }}" }],
    }),
  },
  counter('plugs_online', 'Plugs online', 'value_json.plugs.online', { icon: 'mdi:power-plug' }),
  counter('plugs_offline', 'Plugs offline', 'value_json.plugs.offline', { icon: 'mdi:power-plug-off' }),
  counter('failed_commands', 'Failed commands', 'value_json.failed_commands', {
    icon: 'mdi:alert-circle-outline',
    state_class: 'total_increasing',
  }),
  {
    key: 'search',
    platform: 'button',
    name: 'Search for plugs',
    options: { icon: 'mdi:magnify', ...CONFIG },
    wiring: (_, { topics }) => requests(topics.request('discover'), topics),
  },
  {
    key: 'announce',
    platform: 'button',
    name: 'Announce again',
    options: { icon: 'mdi:bullhorn-outline', ...CONFIG },
    wiring: (_, { topics }) => requests(topics.request('homeassistant/announce'), topics),
  },
  {
    key: 'log_level',
    platform: 'select',
    name: 'Log level',
    options: { icon: 'mdi:text-long', options: LOG_LEVELS, ...CONFIG },
    wiring: (_, { topics }) => ({
      state_topic: topics.bridgeInfo,
      value_template: '{{ value_json.log_level }}',
      command_topic: topics.request('log/level'),
      command_template: '{"level":"{{ value }}"}',
      ...whileBridgeRuns(topics),
    }),
    when: (_, { allow }) => allow.has('log/level'),
  },
];

function counter(key: string, name: string, expression: string, options: Options): Entity<Subject> {
  return {
    key,
    platform: 'sensor',
    name,
    options: { state_class: 'measurement', ...options, ...DIAGNOSTIC },
    wiring: (_, { topics }) => ({
      state_topic: topics.bridgeHealth,
      value_template: `{{ ${expression} }}`,
      ...whileBridgeRuns(topics),
    }),
  };
}

function requests(topic: string, topics: Context['topics']): Options {
  return { command_topic: topic, payload_press: '{}', ...whileBridgeRuns(topics) };
}
