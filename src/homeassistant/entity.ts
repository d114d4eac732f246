import type { FlatValue, Topics } from '../mqtt/topics.ts';

export type Platform =
  | 'switch'
  | 'light'
  | 'sensor'
  | 'binary_sensor'
  | 'button'
  | 'number'
  | 'select'
  | 'text'
  | 'event';

/** Options of an entity as Home Assistant names them. */
export type Options = { readonly [option: string]: unknown };

/** What every announcement depends on. */
export interface Context {
  readonly topics: Topics;
  /** Whether plugs and places publish their JSON; else each entity reads a topic of its own. */
  readonly json: boolean;
  /** Whether they publish each value on a topic of its own. */
  readonly flat: boolean;
  /** What the configuration allows beyond reading and switching. */
  readonly allow: ReadonlySet<string>;
}

/** One entity of a kind of device: a row of its table. */
export interface Entity<Subject> {
  /** The end of its unique id. */
  readonly key: string;
  readonly platform: Platform;
  /** `null`: it is called what the device is called. */
  readonly name: string | null;
  readonly options?: Options;
  /** Where it reads and writes. */
  readonly wiring: (subject: Subject, context: Context) => Options;
  /** Whether a device has it; left out for always. */
  readonly when?: (subject: Subject, context: Context) => boolean;
}

/** An entity as it is announced. */
export interface Component {
  readonly key: string;
  readonly platform: Platform;
  readonly options: Options;
}

/** A device in the tables below: what its ids begin with, and what its entity ids are made of. */
export interface Subject {
  readonly id: string;
  /** Words joined by `_`, from its path. */
  readonly slug: string;
}

/** The entities of a table that the device has. */
export function componentsOf<S extends Subject>(
  entities: readonly Entity<S>[],
  subject: S,
  context: Context,
): Component[] {
  return entities
    .filter(({ when }) => when === undefined || when(subject, context))
    .map(({ key, platform, name, options, wiring }) => ({
      key,
      platform,
      options: {
        unique_id: `${subject.id}_${key}`,
        default_entity_id: `${platform}.${name === null ? subject.slug : `${subject.slug}_${key}`}`,
        name,
        ...options,
        ...wiring(subject, context),
        qos: 1,
      },
    }));
}

/** What entity ids are made of: the levels of a path, without the words that a level repeats of the one above. */
export function slugOf(path: string): string {
  let above = '';
  const levels = path.split('/').map((level) => {
    const words = level
      .replaceAll(/[^a-z0-9]+/gi, '_')
      .replaceAll(/^_+|_+$/g, '')
      .toLowerCase();
    const own = above !== '' && words.startsWith(`${above}_`) ? words.slice(above.length + 1) : words;
    above = words;
    return own;
  });
  return levels.filter((level) => level !== '').join('_') || 'plug';
}

/** The options of a sensor that measures. */
export function measured(deviceClass: string, unit: string, precision: number): Options {
  return {
    device_class: deviceClass,
    unit_of_measurement: unit,
    state_class: 'measurement',
    suggested_display_precision: precision,
  };
}

/** The options of a sensor that counts kWh. */
export const COUNTED: Options = { ...measured('energy', 'kWh', 3), state_class: 'total_increasing' };

export const DIAGNOSTIC: Options = { entity_category: 'diagnostic' };
export const CONFIG: Options = { entity_category: 'config' };
export const DISABLED: Options = { enabled_by_default: false };

/** Reads a text, or nothing, of a plug or place. Without a template an entity would keep one that it had before. */
export function reads(value: FlatValue) {
  return ({ path }: { readonly path: string }, { topics, json }: Context): Options =>
    json
      ? { state_topic: topics.of(path), value_template: `{{ value_json.${value} }}` }
      : { state_topic: topics.below(path, value), value_template: UNKNOWN_IF_EMPTY };
}

/** Reads a number of a plug or place, rounded to what is shown: what nobody sees needs no row in the recorder. */
export function readsNumber(value: FlatValue, decimals: number) {
  const json = `value_json.${value}`;
  return ({ path }: { readonly path: string }, context: Context): Options =>
    context.json
      ? {
          state_topic: context.topics.of(path),
          value_template: `{{ ${json} | round(${decimals}) if ${json} is number else None }}`,
        }
      : {
          state_topic: context.topics.below(path, value),
          value_template: `{{ value | float | round(${decimals}) if value else 'None' }}`,
        };
}

/** Home Assistant ignores an empty value; this word is what it takes for "unknown". */
export const UNKNOWN_IF_EMPTY = "{{ value or 'None' }}";

/** The relay of a plug or place, as a switch. */
export function switches({ path }: { readonly path: string }, { topics }: Context): Options {
  return { command_topic: topics.below(path, 'set') };
}

/** Available as long as the bridge runs. */
export function whileBridgeRuns(topics: Topics): Options {
  return { availability: [{ topic: topics.bridgeState }] };
}

/** A light calls the template of its state otherwise than all others. */
export function asLight({ value_template, ...options }: Options): Options {
  return { ...options, state_value_template: value_template };
}
