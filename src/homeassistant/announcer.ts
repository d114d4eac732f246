import type { Logger } from 'pino';
import type { PlugInfo } from '../bridge/model.ts';
import type { BridgeEvent, BridgeView } from '../bridge/view.ts';
import type { Incoming, MqttSession } from '../mqtt/session.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import {
  type Announcement,
  announceBridge,
  announcePlug,
  bridgeId,
  type DiscoveryOptions,
  type Naming,
  plugId,
} from './discovery.ts';
import { FormerForm } from './former-form.ts';

export interface AnnouncerOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly discovery: DiscoveryOptions;
  /** What the site calls its plugs, by path. */
  readonly names: ReadonlyMap<string, Naming>;
  /** Publishes all states anew, once Home Assistant knows what they belong to. */
  readonly republish: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** After Home Assistant's birth message it needs a moment, and not all bridges should speak at once. */
const BIRTH_DELAY_MS = 1000;
const BIRTH_SPREAD_MS = 9000;
/** Between the announcements and the states: Home Assistant subscribes to new topics in batches. */
const SUBSCRIBE_MS = 2000;

/** Announcements of another form come in crowds when the broker tells what it retains. */
const CHANGED_FORM_MS = 500;

/** Announces bridge and plugs to Home Assistant: when they are first seen or change, and when either side returns. */
export class Announcer implements Task {
  readonly name = 'homeassistant';
  readonly #options: AnnouncerOptions;
  readonly #former: FormerForm;
  /** Which plug an id was given to: a plug that is configured twice must not be announced twice. */
  readonly #owners = new Map<string, string>();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#former = new FormerForm(options.discovery);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, discovery, clock, random } = this.#options;
    const states = clock.timer(() => this.#options.republish());
    const birth = clock.timer(() => {
      this.#all();
      states.set(SUBSCRIBE_MS);
    });
    const unsubscribe = bridge.subscribe((event) => this.#noted(event));
    session.onConnect(() => this.#all());
    const changedForm = clock.timer(() => this.#all());
    session.listen([`${discovery.prefix}/status`, ...this.#former.filters], (incoming) => {
      if (isBirth(incoming, discovery.prefix)) birth.set(BIRTH_DELAY_MS + random() * BIRTH_SPREAD_MS);
      else if (this.#former.note(incoming)) changedForm.set(CHANGED_FORM_MS);
    });
    ready();
    await aborted(signal);
    unsubscribe();
    birth.clear();
    changedForm.clear();
    states.clear();
  }

  #all(): void {
    const { discovery } = this.#options;
    this.#publish(bridgeId(discovery.topics), announceBridge(discovery));
    for (const { path, info } of this.#options.bridge.plugs()) {
      if (info !== null) this.#announce(path, info);
    }
  }

  #noted(event: BridgeEvent): void {
    if (event.type === 'removed') this.#release(event.path);
    else if (event.after.info !== null && event.after.info !== event.before.info)
      this.#announce(event.after.path, event.after.info);
  }

  /** The ids may go to another path: a plug that is renamed stays the same device. */
  #release(path: string): void {
    for (const [mac, owner] of this.#owners) if (owner === path) this.#owners.delete(mac);
  }

  #announce(path: string, info: PlugInfo): void {
    const { discovery, names, log } = this.#options;
    if (info.mac === null) return;
    const owner = this.#owners.get(info.mac) ?? path;
    this.#owners.set(info.mac, owner);
    if (owner === path)
      this.#publish(
        plugId(info.mac),
        announcePlug(names.get(path) ?? { path, name: undefined, area: undefined }, info, discovery),
      );
    else log.warn({ plug: path, sameAs: owner }, 'two paths lead to one plug; only the first is announced');
  }

  /** Announces a device; where it was announced in the other form before, Home Assistant is told to migrate. */
  #publish(id: string, announcements: readonly Announcement[]): void {
    const former = this.#former.take(id);
    if (announcements.length > 0)
      for (const topic of former) this.#send({ topic, payload: '{"migrate_discovery":true}' });
    for (const announcement of announcements) this.#send(announcement);
    for (const topic of former) this.#send({ topic, payload: '' });
  }

  #send({ topic, payload }: Announcement): void {
    this.#options.session.publish({ topic, payload, retain: true, qos: 1 });
  }
}

/** A retained birth message is from long ago. */
function isBirth({ topic, payload, retain }: Incoming, prefix: string): boolean {
  return !retain && topic === `${prefix}/status` && payload.toString() === 'online';
}
