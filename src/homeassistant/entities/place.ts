import {
  asLight,
  type Context,
  type Entity,
  measured,
  type Options,
  readsNumber,
  type Subject,
  switches,
} from '../entity.ts';
import { receipts } from './receipts.ts';

/** A place as its announcement sees it. */
export interface PlaceSubject extends Subject {
  readonly path: string;
  readonly as: 'switch' | 'light';
  /** Unique ids of the entities of its plugs that are of its own kind. */
  readonly members: readonly string[];
}

/** The entities of a place. They are available while the bridge is, whatever its plugs do. */
export const PLACE_ENTITIES: readonly Entity<PlaceSubject>[] = [
  {
    key: 'relay',
    platform: 'switch',
    name: null,
    wiring: relay,
    when: ({ as }) => as === 'switch',
  },
  {
    key: 'light',
    platform: 'light',
    name: null,
    wiring: (place, context) => asLight(relay(place, context)),
    when: ({ as }) => as === 'light',
  },
  {
    key: 'power',
    platform: 'sensor',
    name: 'Power',
    options: measured('power', 'W', 1),
    wiring: readsNumber('power', 1),
  },
  {
    key: 'all_off',
    platform: 'button',
    name: 'All off',
    options: { icon: 'mdi:lightbulb-group-off' },
    wiring: ({ path }, { topics }) => ({
      command_topic: topics.below(path, 'set'),
      payload_press: 'OFF',
    }),
  },
  receipts(),
];

/** On if any plug is on; unknown while none is known to be on and not all are known to be off. */
function relay(place: PlaceSubject, context: Context): Options {
  const { topics, json } = context;
  return {
    ...(json
      ? {
          state_topic: topics.of(place.path),
          value_template: "{{ 'ON' if value_json.on > 0 else value_json.state }}",
          json_attributes_topic: topics.of(place.path),
          json_attributes_template:
            "{{ {'on': value_json.on, 'off': value_json.off, 'unknown': value_json.unknown, 'total': value_json.total} | to_json }}",
        }
      : {
          state_topic: topics.below(place.path, 'state'),
          value_template: "{{ 'ON' if value == 'MIXED' else value or 'None' }}",
        }),
    ...switches(place, context),
    ...(place.members.length === 0 ? {} : { group: place.members }),
  };
}
