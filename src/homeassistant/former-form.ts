import type { Incoming } from '../mqtt/session.ts';
import { type DiscoveryOptions, ID_PREFIX } from './discovery.ts';

/** More than any site has; a broker may retain anything. */
const MOST_IDS = 20_000;

/**
 * Where the broker still retains announcements of the other form, from before the configuration was changed: Home
 * Assistant refuses to have both.
 */
export class FormerForm {
  /** The filter to which the broker answers with what it retains. */
  readonly filters: readonly string[];
  readonly #topics = new Map<string, Set<string>>();

  constructor({ form, prefix }: DiscoveryOptions) {
    const device = `${prefix}/device/+/config`;
    const single = `${prefix}/+/+/+/config`;
    this.filters = form === 'device' ? [single] : form === 'single' ? [device] : [single, device];
  }

  /** Takes note of a retained announcement of one of our devices; says whether it was one. */
  note({ topic, payload, retain }: Incoming): boolean {
    const levels = topic.split('/');
    const id = levels.at(levels.at(-3) === 'device' ? -2 : -3) ?? '';
    if (!retain || payload.length === 0 || levels.at(-1) !== 'config' || !id.startsWith(ID_PREFIX))
      return false;
    if (this.#topics.size >= MOST_IDS) return false;
    this.#topics.set(id, (this.#topics.get(id) ?? new Set()).add(topic));
    return true;
  }

  /** The topics to be cleared of one device, once. */
  take(id: string): readonly string[] {
    const topics = [...(this.#topics.get(id) ?? [])];
    this.#topics.delete(id);
    return topics;
  }
}
