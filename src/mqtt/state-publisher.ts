import { placesOf } from '../bridge/places.ts';
import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeEvents, BridgeView } from '../bridge/view.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { type Deadbands, damped, hasDeadband, saysTheSame } from './deadband.ts';
import { FirstReports } from './first-report.ts';
import { flatPayloads, plugValues, withoutValues } from './payloads.ts';
import { PlaceReports } from './place-reports.ts';
import { RetainedCleaner, type RetainedTopics } from './retained-topics.ts';
import type { MqttSession } from './session.ts';
import { FLAT_VALUES, type Topics } from './topics.ts';

export interface PublisherOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly retained: RetainedTopics;
  readonly clock: Clock;
  readonly output: 'json' | 'flat' | 'both';
  /** Whether the values of a plug that is offline stay, or are taken back. */
  readonly offlineValues: 'keep' | 'clear';
  readonly publishPlaces: boolean;
  readonly qos: 0 | 1;
  /** The state of a plug that answers is published again after this time, so that `last_seen` stays meaningful. */
  readonly heartbeatMs: number;
  /** How much values must have changed to be published again. */
  readonly report: Deadbands;
}

/** What was last published of a plug. */
interface Published {
  readonly availability: PlugState['availability'];
  readonly lastSeen: number | null;
  readonly flat: readonly (string | undefined)[];
  /** Only where there are deadbands. */
  readonly values: ReturnType<typeof plugValues> | undefined;
  readonly at: number;
}

/** A place of which only the power changes is published at most this often. */
const PLACE_POWER_MS = 1000;

/** Plugs are published so many at a time. */
const AT_A_TIME = 16;

/** Heartbeats are not looked for more often than this: each time wakes the processor. */
const CALM_MS = 500;

/**
 * Publishes what changed of plugs and places, retained. Nothing is queued: a plug that changed is noted, and its
 * state of the moment is sent once the input at hand is dealt with and the broker takes more.
 */
export class StatePublisher implements Task {
  readonly name = 'state';
  readonly #options: PublisherOptions;
  /** The longest ago first. */
  readonly #published = new Map<string, Published>();
  readonly #placeReports: PlaceReports;
  readonly #plugs = new Set<string>();
  /** Plugs that were switched: they are waited for, and go first. */
  readonly #switched = new Set<string>();
  readonly #places = new Set<string>();
  /** Places of which only the power changed; they wait for the timer. */
  readonly #idlePlaces = new Set<string>();
  readonly #cleaner: RetainedCleaner;
  readonly #first: FirstReports;
  #report: Deadbands;
  #isDamped: boolean;
  readonly #timer: Timer;
  readonly #heartbeat: Timer;
  #waiting = false;
  #flushing = false;
  /** The broker takes no more; it has been asked to say when it does. */
  #blocked = false;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#cleaner = new RetainedCleaner({ ...options, kinds: ['plug', 'place', 'bridge', 'summary'] });
    this.#first = new FirstReports(options.clock, (path) => {
      this.#plugs.add(path);
      this.#later();
    });
    this.#report = options.report;
    this.#isDamped = hasDeadband(options.report);
    const send = (topic: string, payload: string) => this.#state(topic, payload);
    this.#placeReports = new PlaceReports({ ...options, cleaner: this.#cleaner, send });
    this.#timer = options.clock.timer(() => this.#promote());
    this.#heartbeat = options.clock.timer(() => this.#beat());
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session, heartbeatMs } = this.#options;
    const unsubscribe = [
      bridge.on('plug', (event) => this.#note(event)),
      bridge.on('removed', (event) => this.#remove(event)),
    ];
    session.onConnect(() => this.publishAll());
    this.#heartbeat.set(heartbeatMs);
    ready();
    await aborted(signal);
    for (const end of unsubscribe) end();
    this.#timer.clear();
    this.#heartbeat.clear();
    this.#first.stop();
    this.#flush(true);
    this.#stopped = true;
    for (const plug of bridge.plugs()) this.#offline(plug);
    this.#cleaner.finish();
  }

  /** From now on values are reported when they have changed by so much. */
  setReport(report: Deadbands): void {
    this.#report = report;
    this.#isDamped = hasDeadband(report);
    this.#placeReports.report = report;
  }

  /** Publishes everything anew, as after a connect: the broker may have forgotten it all. */
  publishAll(): void {
    if (this.#stopped) return;
    this.#blocked = false;
    this.#published.clear();
    this.#placeReports.clear();
    const { bridge } = this.#options;
    for (const plug of bridge.plugs()) {
      // What a former run retained says nothing about now.
      if (plug.availability === 'unknown') this.#offline(plug);
      else this.#plugs.add(plug.path);
    }
    for (const place of bridge.places()) this.#places.add(place);
    this.#clearOthers();
    this.#later();
  }

  /** Clears what is retained of plugs and places that are no longer configured, or elsewhere by now. */
  #clearOthers(): void {
    const { bridge, topics, publishPlaces } = this.#options;
    const inUse = new Map<string, 'plug' | 'place' | 'bridge' | 'summary'>([
      [`${topics.base}/bridge`, 'bridge'],
    ]);
    for (const path of publishPlaces ? bridge.places() : []) {
      inUse.set(topics.of(path), 'place');
      inUse.set(topics.summary(path), 'summary');
    }
    for (const { path } of bridge.plugs()) inUse.set(topics.of(path), 'plug');
    this.#cleaner.clearOthers(inUse);
    this.#cleaner.used('bridge', `${topics.base}/bridge`);
  }

  /** Takes back what was retained of a plug that is no more, and of the places that went with it. */
  #remove({ path, places }: BridgeEvents['removed']): void {
    const { topics } = this.#options;
    this.#published.delete(path);
    this.#plugs.delete(path);
    this.#switched.delete(path);
    this.#first.forget(path);
    this.#availability(path, 'offline');
    this.#cleaner.clear('plug', topics.of(path));
    for (const place of places) this.#placeReports.remove(place);
    for (const place of placesOf(path)) this.#places.add(place);
    this.#later();
  }

  #note({ before, after, asked }: BridgeEvents['plug']): void {
    const { session } = this.#options;
    if (asked) this.#published.delete(after.path);
    // Who asks or switches waits for the state, complete or not.
    const isAwaited = asked || (before.relay !== null && before.relay !== after.relay);
    if (isAwaited && !this.#published.has(after.path)) this.#first.release(after.path);
    // A user waits for a plug that was switched: it is published at once, unless many were.
    const isSwitched = before.relay !== after.relay;
    if (isSwitched && !this.#flushing && !session.congested) this.#publishPlug(after);
    else this.#noteFor(after.path, isSwitched);
    const counts = before.relay !== after.relay || before.availability !== after.availability;
    for (const place of placesOf(after.path)) (counts ? this.#places : this.#idlePlaces).add(place);
    if (this.#idlePlaces.size > 0 && !this.#waiting) {
      this.#waiting = true;
      this.#timer.set(PLACE_POWER_MS);
    }
    this.#later();
  }

  #noteFor(path: string, isSwitched: boolean): void {
    if (isSwitched) this.#plugs.delete(path);
    if (isSwitched || this.#switched.has(path)) this.#switched.add(path);
    else this.#plugs.add(path);
  }

  #promote(): void {
    this.#waiting = false;
    for (const place of this.#idlePlaces) this.#places.add(place);
    this.#idlePlaces.clear();
    this.#later();
  }

  /** Publishes again what was published too long ago, if the plug has answered since. */
  #beat(): void {
    const { bridge, clock, heartbeatMs } = this.#options;
    const now = clock.now();
    let next = now + heartbeatMs;
    for (const [path, last] of this.#published) {
      if (last.at + heartbeatMs > now) {
        next = last.at + heartbeatMs;
        break;
      }
      if (bridge.plug(path)?.lastSeen === last.lastSeen) this.#keep(path, { ...last, at: now });
      else this.#plugs.add(path);
    }
    this.#heartbeat.set(Math.max(next - now, CALM_MS));
    this.#later();
  }

  #keep(path: string, published: Published): void {
    this.#published.delete(path);
    this.#published.set(path, published);
  }

  #later(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.clock.soon(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** Publishes a part of what is noted at a time, so that input is dealt with in between; `all` of it at the end. */
  #flush(all = false): void {
    if (!this.#flushSome(this.#switched, Number.POSITIVE_INFINITY)) return;
    if (!this.#flushSome(this.#plugs, all ? Number.POSITIVE_INFINITY : AT_A_TIME)) return;
    if (this.#plugs.size > 0) {
      this.#later();
      return;
    }
    const { bridge } = this.#options;
    for (const path of this.#places) {
      this.#places.delete(path);
      this.#idlePlaces.delete(path);
      const place = bridge.place(path);
      if (place !== undefined) this.#placeReports.publish(place);
    }
  }

  /** Publishes at most so many of the plugs; false if the broker takes no more. */
  #flushSome(plugs: Set<string>, most: number): boolean {
    const { bridge, session } = this.#options;
    let published = 0;
    for (const path of plugs) {
      if (published++ >= most) return true;
      if (session.congested) {
        this.#waitForRoom();
        return false;
      }
      plugs.delete(path);
      const plug = bridge.plug(path);
      if (plug !== undefined) this.#publishPlug(plug);
    }
    return true;
  }

  #waitForRoom(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    this.#options.session.whenFree(() => {
      this.#blocked = false;
      this.#later();
    });
  }

  #publishPlug(plug: PlugState): void {
    const { clock, offlineValues } = this.#options;
    const last = this.#published.get(plug.path);
    if (last === undefined && this.#first.holds(plug)) return;
    const isCleared = offlineValues === 'clear' && plug.availability !== 'online';
    const exact = isCleared ? withoutValues(plugValues(plug)) : plugValues(plug);
    const values = this.#isDamped ? damped(exact, last?.values, this.#report) : exact;
    if (this.#isDamped && last !== undefined && !this.#isNews(plug, values, last)) return;
    const flat = plug.lastSeen === null ? [] : this.#publishValues(plug.path, values, last?.flat);
    if (last?.availability !== plug.availability && plug.availability !== 'unknown') {
      this.#availability(plug.path, plug.availability);
    }
    const { availability, lastSeen } = plug;
    const at = clock.now();
    if (last === undefined) this.#first.forget(plug.path);
    this.#keep(plug.path, { availability, lastSeen, flat, values: this.#isDamped ? values : undefined, at });
  }

  /** Whether a report says more than the last one, or that is long ago. */
  #isNews({ availability }: PlugState, values: ReturnType<typeof plugValues>, last: Published): boolean {
    const { clock, heartbeatMs } = this.#options;
    const isDue = clock.now() >= last.at + heartbeatMs;
    return isDue || availability !== last.availability || !last.values || !saysTheSame(values, last.values);
  }

  /** Publishes values, one by one only those that differ from `last`; returns what they are one by one. */
  #publishValues(
    path: string,
    values: ReturnType<typeof plugValues>,
    last?: Published['flat'],
  ): Published['flat'] {
    const { output, topics } = this.#options;
    if (output !== 'flat') this.#state(topics.of(path), JSON.stringify(values));
    if (output === 'json') return [];
    const flat = flatPayloads(values);
    flat.forEach((payload, index) => {
      const name = FLAT_VALUES[index];
      if (name !== undefined && payload !== undefined && payload !== last?.[index])
        this.#state(topics.below(path, name), payload);
    });
    return flat;
  }

  /** Says that a plug is offline of which nothing is known, or that is left alone from now on. */
  #offline(plug: PlugState): void {
    if (this.#options.offlineValues === 'clear')
      this.#publishValues(plug.path, withoutValues(plugValues(plug)));
    this.#availability(plug.path, 'offline');
  }

  #availability(path: string, availability: 'online' | 'offline'): void {
    this.#cleaner.used('plug', this.#options.topics.of(path));
    this.#send(this.#options.topics.below(path, 'availability'), availability, 1);
  }

  #state(topic: string, payload: string): void {
    this.#send(topic, payload, this.#options.qos);
  }

  #send(topic: string, payload: string, qos: 0 | 1): void {
    this.#options.session.publish({ topic, payload, retain: true, qos });
  }
}
