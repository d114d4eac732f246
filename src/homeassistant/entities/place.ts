import {
  asLight,
  COUNTED,
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
    key: 'energy',
    platform: 'sensor',
    name: 'Energy',
    options: COUNTED,
    wiring: readsNumber('energy', 3),
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

/** What the bridge says of the place in one word; the attributes count its plugs. */
function relay(place: PlaceSubject, context: Context): Options {
  const { topics, json } = context;
  return {
    state_topic: topics.summary(place.path),
    value_template: '{{ value }}',
    ...(json ? { json_attributes_topic: topics.of(place.path), json_attributes_template: COUNTS } : {}),
    ...switches(place, context),
    ...(place.members.length === 0 ? {} : { group: place.members }),
  };
}

const COUNTS =
  "{{ {'on': value_json.on, 'off': value_json.off, 'unknown': value_json.unknown, 'total': value_json.total} | to_json }}";
