import type { Logger } from 'pino';
import { placesOf } from '../bridge/places.ts';
import type { PlugInfo, PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { RetainedTopics } from '../mqtt/retained-topics.ts';
import type { Incoming, MqttSession } from '../mqtt/session.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { bridgeDevice, type DeviceContext, placeDevice, plugDevice, stripDevice } from './devices.ts';
import { FormerForm, idOf } from './former-form.ts';
import { bridgeId, deviceId, type Facts, isPlugId, type PlaceIds } from './ids.ts';
import { announcementsOf, type Device, type Form, goneSince, textOfComponents } from './message.ts';
import { Migration } from './migration.ts';

export interface AnnouncerOptions extends DeviceContext {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  /** Home Assistant's discovery prefix. */
  readonly prefix: string;
  readonly form: Form;
  /** Whether places are announced too. */
  readonly places: boolean;
  readonly placeIds: PlaceIds;
  /** Remembers what was announced. */
  readonly memory: RetainedTopics & Facts;
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

/** Nothing is announced before the broker has been silent for so long about what it retains of the other form. */
const SETTLE_MS = 500;

/** Plugs come and go in crowds: what is left of them is looked at once they have. */
const CROWD_MS = 500;
const PLACES_MS = 2000;

/** What versions announced that did not remember it, and that may be gone by now. */
const FORMERLY_ANNOUNCED = 'button/restart';

/** Announces bridge, plugs and places to Home Assistant: when they are first seen or change, and when either side returns. */
export class Announcer implements Task {
  readonly name = 'homeassistant';
  readonly #options: AnnouncerOptions;
  readonly #former: FormerForm;
  readonly #migration: Migration;
  /** Ids of what an earlier run announced. */
  readonly #remembered: ReadonlySet<string>;
  /** Which path an id was given to: a plug that is configured twice must not be announced twice. */
  readonly #owners = new Map<string, string>();
  /** Ids of plugs that were removed, and have no path again. */
  readonly #released = new Set<string>();
  /** Ids of what was announced since the start. */
  readonly #announced = new Set<string>();
  /** Places whose members have changed. */
  readonly #changedPlaces = new Set<string>();
  readonly #settle: Timer;
  readonly #birth: Timer;
  readonly #states: Timer;
  readonly #crowd: Timer;
  readonly #placesTimer: Timer;
  /** Whether it is known what the broker retains of the other form. */
  #isSettled = false;
  #placesWait = false;

  constructor(options: AnnouncerOptions) {
    const { clock, memory } = options;
    this.#options = options;
    const remembered = memory.retained('homeassistant');
    this.#remembered = new Set([...remembered].map(idOf));
    this.#former = new FormerForm(options, remembered);
    this.#migration = new Migration({ clock, send: (topic, payload) => this.#send(topic, payload) });
    this.#settle = clock.timer(() => this.#settled());
    this.#birth = clock.timer(() => this.announceAll());
    this.#states = clock.timer(() => options.republish());
    this.#crowd = clock.timer(() => this.#withdrawOthers());
    this.#placesTimer = clock.timer(() => this.#announcePlaces());
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, names, prefix, random } = this.#options;
    const unsubscribe = [
      bridge.on('plug', ({ before, after }) => {
        if (after.info !== before.info) this.#changed(after);
      }),
      bridge.on('removed', ({ path }) => this.#removed(path)),
      names.onChange((path) => this.#renamed(path)),
    ];
    session.onConnect(() => {
      this.#isSettled = false;
      this.#migration.clear();
      this.#settle.set(SETTLE_MS);
    });
    session.listen([`${prefix}/status`, ...this.#former.filters], (incoming) => {
      if (isBirth(incoming, prefix)) this.#birth.set(BIRTH_DELAY_MS + random() * BIRTH_SPREAD_MS);
      else if (this.#former.note(incoming) && this.#isOurs(incoming.topic)) this.#settle.set(SETTLE_MS);
    });
    ready();
    await aborted(signal);
    for (const end of unsubscribe) end();
    for (const timer of [this.#settle, this.#birth, this.#states, this.#crowd, this.#placesTimer])
      timer.clear();
    this.#migration.clear();
  }

  /**
   * Announces everything anew, once, also what a user has deleted, and publishes all states thereafter. Returns how many
   * devices that were; none while it is not known what the broker retains.
   */
  announceAll(): number {
    if (!this.#isSettled || this.#options.form === 'off') return 0;
    this.#announced.clear();
    this.#all();
    this.#announcePlaces();
    this.#states.set(SUBSCRIBE_MS);
    return this.#announced.size;
  }

  /** Before anything is announced it is not known what is ours; another bridge may have devices of the same program. */
  #isOurs(topic: string): boolean {
    return !this.#isSettled || this.#announced.has(idOf(topic));
  }

  #settled(): void {
    this.#isSettled = true;
    this.#all();
  }

  /** Announces bridge and plugs at once, and the places when it is known which plugs they have. */
  #all(): void {
    const { bridge } = this.#options;
    this.#announce(bridgeDevice(this.#options));
    for (const plug of bridge.plugs()) this.#announcePlug(plug);
    this.#changePlaces(bridge.places());
    this.#withdrawOthers();
  }

  #changed(plug: PlugState): void {
    this.#announcePlug(plug);
    this.#changePlaces(placesOf(plug.path));
    this.#crowd.set(CROWD_MS);
  }

  /** The ids may go to another path: a plug that is renamed stays the same device. */
  #removed(path: string): void {
    for (const [id, owner] of this.#owners) {
      if (owner !== path) continue;
      this.#owners.delete(id);
      this.#released.add(id);
    }
    this.#changePlaces(placesOf(path));
    this.#crowd.set(CROWD_MS);
  }

  #renamed(path: string): void {
    const { bridge } = this.#options;
    // The area of whatever is in a place may be called as the place is.
    for (const plug of bridge.plugs())
      if (plug.path === path || path === '' || plug.path.startsWith(`${path}/`)) this.#announcePlug(plug);
    this.#changePlaces(bridge.places());
  }

  #announcePlug({ path, info, problem }: PlugState): void {
    if (info === null || info.mac === null || problem === 'unsupported' || problem === 'duplicate') return;
    const id = this.#options.plugIds.of(info.mac, info.outlet);
    const owner = this.#owners.get(id) ?? path;
    this.#owners.set(id, owner);
    this.#released.delete(id);
    const device = plugDevice(path, info, this.#options);
    if (owner !== path)
      this.#options.log.warn(
        { plug: path, sameAs: owner },
        'two paths lead to one plug; only the first is announced',
      );
    else if (device !== undefined) {
      this.#announceStrip(path, info);
      this.#announce(device);
    }
  }

  /** A strip is announced before the first of its outlets that is known here, and with it. */
  #announceStrip(path: string, info: PlugInfo): void {
    if (info.outlet === null || info.mac === null) return;
    const id = this.#options.plugIds.of(info.mac, null);
    if ((this.#owners.get(id) ?? path) !== path) return;
    this.#owners.set(id, path);
    this.#released.delete(id);
    const strip = stripDevice(path, info, this.#options);
    if (strip !== undefined) this.#announce(strip);
  }

  #changePlaces(places: Iterable<string>): void {
    if (!this.#options.places) return;
    for (const place of places) this.#changedPlaces.add(place);
    if (this.#placesWait) return;
    this.#placesWait = true;
    this.#placesTimer.set(PLACES_MS);
  }

  #announcePlaces(): void {
    const { bridge, plugIds, placeIds } = this.#options;
    this.#placesWait = false;
    this.#placesTimer.clear();
    const places = new Set(bridge.places());
    const members = new Map<string, { readonly id: string; readonly path: string }[]>();
    for (const path of this.#changedPlaces) if (places.has(path)) members.set(path, []);
    this.#changedPlaces.clear();
    for (const { path } of bridge.plugs()) {
      const identity = bridge.identity(path);
      if (identity === undefined || identity.mac === null) continue;
      const id = plugIds.of(identity.mac, identity.outlet);
      for (const place of placesOf(path)) members.get(place)?.push({ id, path });
    }
    for (const [path, plugs] of members)
      this.#announce(placeDevice(placeIds.of(path), path, plugs, this.#options));
  }

  /** Withdraws what was announced of plugs and places that are no more, of plugs once it is known of each which one it is. */
  #withdrawOthers(): void {
    const { bridge, memory, prefix, form, topics, places, plugIds, placeIds } = this.#options;
    const macs = bridge.macs();
    const plugs = macs && new Set([...macs].map((mac) => plugIds.of(mac, null)));
    const others = new Set([bridgeId(topics)]);
    if (places) for (const path of bridge.places()) others.add(placeIds.of(path));
    const isCurrent = (id: string) =>
      others.has(id) || (isPlugId(id) && (plugs === undefined ? !this.#isGone(id) : plugs.has(deviceId(id))));
    for (const topic of memory.retained('homeassistant')) {
      const id = idOf(topic);
      if (form !== 'off' && topic.startsWith(`${prefix}/`) && isCurrent(id)) continue;
      this.#send(topic, '');
      memory.forgetFact(componentsFact(id));
    }
  }

  /** Whether the plug of that id was removed; the device may still be there under another path. */
  #isGone(id: string): boolean {
    const { bridge, plugIds } = this.#options;
    if (!this.#released.has(id)) return false;
    for (const { path } of bridge.plugs()) {
      const identity = bridge.identity(path);
      if (identity?.mac && plugIds.of(identity.mac, identity.outlet) === id) return false;
    }
    return true;
  }

  /** Announces a device; where it was announced in the other form before, Home Assistant migrates it first. */
  #announce(device: Device): void {
    if (!this.#isSettled) return;
    this.#announced.add(device.id);
    const former = this.#former.take(device.id);
    if (this.#options.form === 'off') {
      for (const topic of former) this.#send(topic, '');
      return;
    }
    const publish = () => this.#publish(device);
    if (former.length > 0) this.#migration.begin(device.id, former, publish);
    else if (!this.#migration.replace(device.id, publish)) publish();
  }

  #publish(device: Device): void {
    const { memory } = this.#options;
    const fact = componentsFact(device.id);
    const before = memory.fact(fact) ?? (this.#remembered.has(device.id) ? FORMERLY_ANNOUNCED : '');
    const now = textOfComponents(device.components);
    if (before !== now) memory.keepFact(fact, now);
    const gone = goneSince(before, device.components);
    for (const { topic, payload } of announcementsOf(device, gone, this.#options)) this.#send(topic, payload);
  }

  #send(topic: string, payload: string): void {
    const { session, memory } = this.#options;
    if (payload === '') {
      const taken = () => memory.forgetRetained(topic);
      session.publish({ topic, payload, retain: true, qos: 1, taken });
      return;
    }
    memory.keepRetained('homeassistant', topic);
    session.publish({ topic, payload, retain: true, qos: 1 });
  }
}

function componentsFact(id: string): string {
  return `announced of ${id}`;
}

/** A retained birth message is from long ago. */
function isBirth({ topic, payload, retain }: Incoming, prefix: string): boolean {
  return !retain && topic === `${prefix}/status` && payload.toString() === 'online';
}
