import type { Component, Options, Platform } from './entity.ts';

/** What a discovery message says of this program. */
export interface Origin {
  readonly name: string;
  readonly sw_version: string;
  readonly support_url: string;
}

/** How devices are announced: in one message each, entity by entity, or not at all. */
export type Form = 'device' | 'single' | 'off';

export interface MessageOptions {
  /** Home Assistant's discovery prefix. */
  readonly prefix: string;
  readonly form: Form;
  readonly origin: Origin;
}

/** A device with its entities, whatever form it is announced in. */
export interface Device {
  readonly id: string;
  /** The device map. It is strict: what is not known is left out. */
  readonly description: Options;
  /** What holds for all entities that do not say otherwise. */
  readonly shared: Options;
  readonly components: readonly Component[];
}

/** One retained message to Home Assistant; an empty payload withdraws what was announced there. */
export interface Announcement {
  readonly topic: string;
  readonly payload: string;
}

/** An entity that was announced: all that is needed to withdraw it. */
export type ComponentRef = Pick<Component, 'platform' | 'key'>;

/** The messages that announce a device; before them those that withdraw the entities which are `gone`. */
export function announcementsOf(
  device: Device,
  gone: readonly ComponentRef[],
  options: MessageOptions,
): Announcement[] {
  if (options.form === 'off') return [];
  return options.form === 'device' ? asDevice(device, gone, options) : asSingles(device, gone, options);
}

/** Leaving an entity out withdraws nothing: it is named once with its platform alone. */
function asDevice(
  { id, description, shared, components }: Device,
  gone: readonly ComponentRef[],
  { prefix, origin }: MessageOptions,
): Announcement[] {
  const topic = deviceTopic(prefix, id);
  const entities = Object.fromEntries(
    components.map(({ key, platform, options }) => [key, { platform, ...options }]),
  );
  const message = (more: object) =>
    JSON.stringify({ device: description, origin, ...shared, components: { ...entities, ...more } });
  const withdrawn = Object.fromEntries(gone.map(({ key, platform }) => [key, { platform }]));
  return [
    ...(gone.length === 0 ? [] : [{ topic, payload: message(withdrawn) }]),
    { topic, payload: message({}) },
  ];
}

function asSingles(
  { id, description, shared, components }: Device,
  gone: readonly ComponentRef[],
  { prefix, origin }: MessageOptions,
): Announcement[] {
  return [
    ...gone.map((component) => ({ topic: singleTopic(prefix, id, component), payload: '' })),
    ...components.map(({ key, platform, options }) => ({
      topic: singleTopic(prefix, id, { key, platform }),
      payload: JSON.stringify({ ...shared, ...options, device: description, origin }),
    })),
  ];
}

function deviceTopic(prefix: string, id: string): string {
  return `${prefix}/device/${id}/config`;
}

/** The keys are such that Home Assistant can migrate: what is a key in one form is a level of the topic in the other. */
function singleTopic(prefix: string, id: string, { platform, key }: ComponentRef): string {
  return `${prefix}/${platform}/${id}/${key}/config`;
}

/** Entities as a text that can be remembered: `switch/relay sensor/power`. */
export function textOfComponents(components: readonly ComponentRef[]): string {
  return components.map(({ platform, key }) => `${platform}/${key}`).join(' ');
}

/** The entities that such a text names and that are not among `now`. */
export function goneSince(text: string, now: readonly ComponentRef[]): ComponentRef[] {
  const current = new Set(now.map(({ platform, key }) => `${platform}/${key}`));
  return text.split(' ').flatMap((entry) => {
    const [platform = '', key = ''] = entry.split('/');
    return current.has(entry) || !isPlatform(platform) ? [] : [{ platform, key }];
  });
}

const PLATFORMS = {
  switch: true,
  light: true,
  sensor: true,
  binary_sensor: true,
  button: true,
  number: true,
  select: true,
  text: true,
  event: true,
} satisfies Record<Platform, true>;

function isPlatform(text: string): text is Platform {
  return Object.hasOwn(PLATFORMS, text);
}
