import type { Logger } from 'pino';
import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { RetainedTopics } from '../mqtt/retained-topics.ts';
import type { Incoming, MqttSession } from '../mqtt/session.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import {
  type Announcement,
  announceBridge,
  announcePlug,
  bridgeId,
  type DiscoveryOptions,
  deviceId,
  ID_PREFIX,
  type Naming,
  plugId,
} from './discovery.ts';
import { FormerForm } from './former-form.ts';

export interface AnnouncerOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly retained: RetainedTopics;
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

/** Announcements of another form arrive together when the broker sends what it retains. */
const CHANGED_FORM_MS = 500;

/** Plugs come in crowds at the start: whom to withdraw is looked up once they have come. */
const CLEAR_MS = 2000;

/** Announces bridge and plugs to Home Assistant: when they are first seen or change, and when either side returns. */
export class Announcer implements Task {
  readonly name = 'homeassistant';
  readonly #options: AnnouncerOptions;
  readonly #former: FormerForm;
  /** Which path an id was given to: a plug that is configured twice must not be announced twice. */
  readonly #owners = new Map<string, string>();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#former = new FormerForm(options.discovery);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, discovery, clock, random } = this.#options;
    const states = clock.timer(() => this.#options.republish());
    const clearing = clock.timer(() => this.#clear());
    const birth = clock.timer(() => {
      this.#all();
      states.set(SUBSCRIBE_MS);
    });
    const unsubscribe = [
      bridge.on('plug', ({ before, after }) => {
        if (after.info === before.info) return;
        this.#announce(after);
        clearing.set(CLEAR_MS);
      }),
      bridge.on('removed', ({ path }) => {
        this.#release(path);
        clearing.set(CLEAR_MS);
      }),
    ];
    session.onConnect(() => this.#all());
    const changedForm = clock.timer(() => this.#all());
    session.listen([`${discovery.prefix}/status`, ...this.#former.filters], (incoming) => {
      if (isBirth(incoming, discovery.prefix)) birth.set(BIRTH_DELAY_MS + random() * BIRTH_SPREAD_MS);
      else if (this.#former.note(incoming)) changedForm.set(CHANGED_FORM_MS);
    });
    ready();
    await aborted(signal);
    for (const end of unsubscribe) end();
    birth.clear();
    clearing.clear();
    changedForm.clear();
    states.clear();
  }

  #all(): void {
    const { bridge, discovery } = this.#options;
    this.#publish(bridgeId(discovery.topics), announceBridge(discovery));
    for (const plug of bridge.plugs()) this.#announce(plug);
    this.#clear();
  }

  /** The ids may go to another path: a plug that is renamed stays the same device. */
  #release(path: string): void {
    for (const [id, owner] of this.#owners) if (owner === path) this.#owners.delete(id);
  }

  #announce({ path, info, problem }: PlugState): void {
    const { discovery, names, log } = this.#options;
    if (info === null || info.mac === null || problem === 'unsupported' || problem === 'duplicate') return;
    const id = plugId(info.mac, info.outlet);
    const owner = this.#owners.get(id) ?? path;
    this.#owners.set(id, owner);
    if (owner === path)
      this.#publish(
        id,
        announcePlug(names.get(path) ?? { path, name: undefined, area: undefined }, info, discovery),
      );
    else log.warn({ plug: path, sameAs: owner }, 'two paths lead to one plug; only the first is announced');
  }

  /** Withdraws what was announced of plugs that are no more, once it is known of every plug which one it is. */
  #clear(): void {
    const { bridge, discovery, retained } = this.#options;
    const macs = bridge.macs();
    if (macs === undefined) return;
    const current = new Set([...macs].map((mac) => plugId(mac, null)));
    for (const topic of retained.retained('homeassistant')) {
      const id = topic.split('/').find((level) => level.startsWith(ID_PREFIX)) ?? '';
      const isOurs = id === bridgeId(discovery.topics) || current.has(deviceId(id));
      if (!isOurs || !topic.startsWith(`${discovery.prefix}/`)) this.#withdraw(topic);
    }
  }

  #withdraw(topic: string): void {
    const { session, retained } = this.#options;
    const taken = () => retained.forgetRetained(topic);
    session.publish({ topic, payload: '', retain: true, qos: 1, taken });
  }

  /** Announces a device; where it was announced in the other form before, Home Assistant is asked to migrate. */
  #publish(id: string, announcements: readonly Announcement[]): void {
    const former = this.#former.take(id);
    if (announcements.length > 0)
      for (const topic of former) this.#send({ topic, payload: '{"migrate_discovery":true}' });
    for (const announcement of announcements) this.#send(announcement);
    for (const topic of former) this.#send({ topic, payload: '' });
  }

  #send({ topic, payload }: Announcement): void {
    if (payload !== '') this.#options.retained.keepRetained('homeassistant', topic);
    this.#options.session.publish({ topic, payload, retain: true, qos: 1 });
  }
}

/** A retained birth message is from long ago. */
function isBirth({ topic, payload, retain }: Incoming, prefix: string): boolean {
  return !retain && topic === `${prefix}/status` && payload.toString() === 'online';
}
