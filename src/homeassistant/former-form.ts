import type { Incoming } from '../mqtt/session.ts';
import { ID_PREFIX } from './ids.ts';
import type { MessageOptions } from './message.ts';

/** More than any site has; a broker may retain anything. */
const MOST_TOPICS = 200_000;

/**
 * Where announcements of the other form are retained, from before the configuration was changed: Home Assistant refuses
 * to have both. They are known from what was remembered, and from what the broker still holds.
 */
export class FormerForm {
  /** The filter to which the broker answers with what it retains. */
  readonly filters: readonly string[];
  readonly #isFormer: (topic: string) => boolean;
  /** By id. */
  readonly #topics = new Map<string, Set<string>>();
  #count = 0;

  /** Begins with the announcements among the `remembered` topics that are of another form than the one in `options`. */
  constructor({ form, prefix }: Pick<MessageOptions, 'form' | 'prefix'>, remembered: Iterable<string>) {
    const device = `${prefix}/device/+/config`;
    const single = `${prefix}/+/+/+/config`;
    this.filters = form === 'device' ? [single] : form === 'single' ? [device] : [single, device];
    this.#isFormer = (topic) => {
      if (!topic.startsWith(`${prefix}/`)) return false;
      const isDevice = topic.startsWith(`${prefix}/device/`);
      return form === 'off' || (form === 'single') === isDevice;
    };
    for (const topic of remembered) if (this.#isFormer(topic)) this.#add(topic);
  }

  /** Takes note of a retained announcement of one of our devices; says whether it was one that was not known. */
  note({ topic, payload, retain }: Incoming): boolean {
    if (!retain || !this.#isFormer(topic)) return false;
    if (payload.length > 0) return this.#add(topic);
    if (this.#topics.get(idOf(topic))?.delete(topic)) this.#count--;
    return false;
  }

  /** Takes the topics to be cleared of one device, once. */
  take(id: string): readonly string[] {
    const topics = [...(this.#topics.get(id) ?? [])];
    this.#count -= topics.length;
    this.#topics.delete(id);
    return topics;
  }

  #add(topic: string): boolean {
    const id = idOf(topic);
    if (!id.startsWith(ID_PREFIX) || !topic.endsWith('/config') || this.#count >= MOST_TOPICS) return false;
    const topics = this.#topics.get(id) ?? new Set();
    if (topics.has(topic)) return false;
    this.#count++;
    this.#topics.set(id, topics.add(topic));
    return true;
  }
}

/** The id of the device in the topic of an announcement, in either form. */
export function idOf(topic: string): string {
  const levels = topic.split('/');
  return levels.at(levels.at(-3) === 'device' ? -2 : -3) ?? '';
}
