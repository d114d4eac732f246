import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.ts';
import {
  type Cost,
  commandsInTurn,
  costs,
  halt,
  isolation,
  type Latencies,
  place,
  ratio,
  resume,
  rounds,
  sequence,
  start,
  typical,
} from './measures.ts';
import { median, percentile } from './numbers.ts';
import { Observer } from './observer.ts';
import { ROOM } from './plugs.ts';
import type { Site, Subject, SubjectOptions } from './site.ts';

export const PARTS = ['poll', 'library', 'latency', 'place', 'isolation', 'memory', 'soak'] as const;

export type Part = (typeof PARTS)[number];

export type Library = 'tplink-smarthome-api' | 'python-kasa';

export interface PollResult {
  readonly kept: boolean;
  readonly plugs: number;
  readonly client: 'bridge' | Library;
  /** Share of the polls that showed another reading. */
  readonly changing: number | null;
  readonly cost: Cost;
  readonly floor: Cost;
  /** CPU per poll, as a multiple of the floor's. */
  readonly ratio: number;
}

export interface LatencyResult {
  readonly broker: 'Mosquitto' | 'embedded';
  /** Plugs polled every second meanwhile by either; 1 is idle. */
  readonly plugs: number;
  /** Between a confirmed state and the next command. */
  readonly pauseMs: number;
  readonly bridge: Latency;
  readonly minimal: Latency;
}

/** Milliseconds. */
export interface Latency {
  readonly toPlugP50: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Results {
  readonly polls: PollResult[];
  readonly latencies: LatencyResult[];
  readonly places: { plugs: number; bridgeMs: number; sequenceMs: number }[];
  readonly isolation: { plugs: number; alive: Cost; dead: Cost }[];
  readonly memory: { plugs: number; rssKb: number; floorRssKb: number | null }[];
  readonly starts: { plugs: number; firstMs: number; allMs: number }[];
  readonly soak: { plugs: number; seconds: number; cost: Cost; rssKb: number; rssKbAfter: number }[];
}

export interface RunOptions {
  readonly quick: boolean;
  /** A Python that has python-kasa. */
  readonly python: string | undefined;
  readonly parts: ReadonlySet<Part>;
  readonly note: (text: string) => void;
}

/** Before this a new bridge reads the statistics of its plugs. */
const WARM_MS = 11_500;

/** Polls a second by which libraries are compared: enough for a steady cost, and the slowest can still follow. */
const LIBRARY_PLUGS = 4000;

/** Commands in a row, and so far apart that no acknowledgement of the one before is held back any more. */
const PAUSES_MS = [3, 60];

interface Group {
  readonly options: SubjectOptions;
  readonly bridge: Subject;
  readonly floor: Subject;
}

/** Measures everything that is wanted, one after the other. */
export class Run {
  readonly results: Results = {
    polls: [],
    latencies: [],
    places: [],
    isolation: [],
    memory: [],
    starts: [],
    soak: [],
  };
  readonly #site: Site;
  readonly #options: RunOptions;
  readonly #url: string;
  readonly #observer: Observer;

  constructor(site: Site, options: RunOptions, url: string, observer: Observer) {
    this.#site = site;
    this.#options = options;
    this.#url = url;
    this.#observer = observer;
  }

  async all(): Promise<void> {
    if (!this.#options.quick) await this.#empty();
    await (this.#options.quick ? this.#quick() : this.#full());
    if (this.#wants('library') && !this.#options.quick) await this.#libraries();
    await this.#observer.end();
    if (!this.#wants('latency')) return;
    if (!this.#options.quick) await this.#idleLatency('Mosquitto', this.#url);
    await this.#idleLatency('embedded', await freePort());
  }

  /** All clients start at once and share the time until they are warm. */
  async #quick(): Promise<void> {
    const kept = await this.#open(1000, true);
    const groups = [kept, await this.#open(100, true), await this.#open(1000, false)];
    await Promise.all([delay(WARM_MS), this.#empty()]);
    for (const group of groups) halt(members(group));
    for (const group of groups.toReversed()) {
      await resume(members(group), 500);
      await this.#measure(group);
      if (group !== kept) await this.#close(group);
    }
    await this.#close(kept);
  }

  async #full(): Promise<void> {
    if ([...this.#options.parts].every((part) => part === 'library')) return;
    for (const plugs of [100, 1000, 10_000]) {
      for (const kept of [true, false]) {
        if (!kept && !this.#wants('poll')) continue;
        await this.#group(plugs, kept);
      }
    }
  }

  /** What fails is said and left out: the rest of a long run is worth having. */
  async #group(plugs: number, kept: boolean): Promise<void> {
    try {
      const group = await this.#open(plugs, kept);
      await delay(WARM_MS);
      await this.#measure(group);
    } catch (error) {
      this.#note(`left out the rest of ${plugs} plugs: ${error}`);
    }
    await this.#site.endSubjects();
  }

  async #measure(group: Group): Promise<void> {
    const { plugs, kept } = group.options;
    this.#note(`${plugs} plugs, ${kept ? 'connections kept' : 'a connection per poll'}`);
    if (this.#wants('poll')) await this.#polls(group);
    if (!kept) return;
    if (this.#wants('memory')) this.#memory(group);
    if (plugs === 100) return;
    if (this.#wants('soak') && plugs === 10_000) await this.#soak(group);
    if (this.#wants('latency')) await this.#busyLatency(group);
    if (this.#wants('place')) await this.#places(group);
    if (this.#wants('isolation')) await this.#isolation(group);
  }

  async #open(plugs: number, kept: boolean): Promise<Group> {
    const options = { base: this.#site.newBase(), plugs, kept, intervalMs: 1000, broker: this.#url };
    this.#note(`starting clients of ${plugs} plugs`);
    const bridge = kept ? await this.#start(options) : await this.#site.bridge(options);
    const floor = await this.#site.floor(options);
    return { options, bridge, floor };
  }

  /** Without kept connections so many plugs may never all be there: only kept ones are waited for. */
  async #start(options: SubjectOptions): Promise<Subject> {
    const { subject, firstMs, allMs } = await start(
      () => this.#site.bridge(options),
      this.#observer,
      options,
    );
    // In a quick run others start or run already.
    if (!(this.#options.quick && options.plugs === 100))
      this.results.starts.push({ plugs: options.plugs, firstMs, allMs });
    return subject;
  }

  async #close(group: Group): Promise<void> {
    await this.#site.end(...members(group));
  }

  async #polls(group: Group): Promise<void> {
    const { options, bridge, floor } = group;
    const { plugs, kept } = options;
    for (const changing of [1, 0.1]) {
      if (this.#options.quick && changing === 1 && (plugs === 100 || !kept)) continue;
      await bridge.order({ changing });
      const [all = [], floors = []] = await rounds([bridge, floor], this.#pace(plugs, changing));
      this.#add({ kept, plugs, client: 'bridge', changing }, all, floors);
    }
  }

  /** The bridge beside what others use, each in turn: together they are too much for the machine. */
  async #libraries(): Promise<void> {
    const { python } = this.#options;
    const { options, bridge, floor } = await this.#open(LIBRARY_PLUGS, true);
    const { plugs } = options;
    const libraries: [Library, Subject][] = [['tplink-smarthome-api', await this.#site.library(options)]];
    if (python !== undefined) libraries.push(['python-kasa', await this.#site.library(options, python)]);
    await delay(WARM_MS);
    const subjects = [bridge, floor, ...libraries.map(([, subject]) => subject)];
    const [all = [], floors = [], ...others] = await rounds(subjects, {
      ...this.#pace(plugs, 0.1),
      sideBySide: false,
    });
    this.#add({ kept: true, plugs, client: 'bridge', changing: 0.1 }, all, floors);
    for (const [i, [client]] of libraries.entries())
      this.#add({ kept: client === 'python-kasa', plugs, client, changing: null }, others[i] ?? [], floors);
    await this.#site.endSubjects();
  }

  #add(
    what: Pick<PollResult, 'kept' | 'plugs' | 'client' | 'changing'>,
    all: readonly Cost[],
    floors: readonly Cost[],
  ) {
    const result = { ...what, cost: typical(all), floor: typical(floors), ratio: ratio(all, floors) };
    this.results.polls.push(result);
  }

  #pace(plugs: number, changing: number) {
    const sideBySide = plugs <= 1000;
    if (this.#options.quick) return { rounds: changing === 1 ? 2 : 3, ms: 1200, settleMs: 0, sideBySide };
    return { rounds: 3, ms: 5000, settleMs: sideBySide ? 500 : 2500, sideBySide };
  }

  async #empty(): Promise<void> {
    if (!this.#wants('memory')) return;
    const base = this.#site.newBase();
    const bridge = await this.#site.bridge({
      base,
      plugs: 0,
      kept: true,
      intervalMs: 1000,
      broker: this.#url,
    });
    await delay(4000);
    this.results.memory.push({ plugs: 0, rssKb: bridge.client.rssKb(), floorRssKb: null });
    await this.#site.end(bridge);
  }

  #memory({ options, bridge, floor }: Group): void {
    this.results.memory.push({
      plugs: options.plugs,
      rssKb: bridge.client.rssKb(),
      floorRssKb: floor.client.rssKb(),
    });
  }

  async #soak({ options, bridge, floor }: Group): Promise<void> {
    const seconds = 60;
    halt([floor]);
    const rssKb = bridge.client.rssKb();
    await delay(2000);
    const [cost = undefined] = await costs([bridge], seconds * 1000);
    if (cost !== undefined)
      this.results.soak.push({
        plugs: options.plugs,
        seconds,
        cost,
        rssKb,
        rssKbAfter: bridge.client.rssKb(),
      });
    await resume([floor], 2000);
  }

  async #busyLatency({ options, bridge, floor }: Group): Promise<void> {
    const both = [bridge, floor].map((subject) => ({ subject, observer: this.#observer }));
    await this.#latencies('Mosquitto', options.plugs, both);
  }

  async #idleLatency(name: LatencyResult['broker'], broker: string | number): Promise<void> {
    this.#note(`commands, idle, ${name} broker`);
    const options = { base: this.#site.newBase(), plugs: 1, kept: true, intervalMs: 5000 };
    const other = typeof broker === 'number' ? await freePort() : broker;
    const bridge = await this.#site.bridge({ ...options, broker });
    const floor = await this.#site.floor({ ...options, broker: other });
    const both = [
      { subject: bridge, observer: await observerAt(broker) },
      { subject: floor, observer: await observerAt(other) },
    ];
    await delay(2000);
    await this.#latencies(name, 1, both);
    for (const { observer } of both) await observer.end();
    await this.#site.end(bridge, floor);
  }

  async #latencies(
    broker: LatencyResult['broker'],
    plugs: number,
    both: readonly { subject: Subject; observer: Observer }[],
  ): Promise<void> {
    const { quick } = this.#options;
    const settleMs = plugs > 1000 ? 2500 : 300;
    for (const pauseMs of quick && plugs === 1 ? [3] : PAUSES_MS) {
      const pace = quick ? { commands: 40, blocks: 1 } : { commands: pauseMs < 10 ? 200 : 80, blocks: 3 };
      const [bridge, minimal] = await commandsInTurn(both, { plugs, pauseMs, settleMs, ...pace });
      if (bridge === undefined || minimal === undefined) continue;
      const result = { broker, plugs, pauseMs, bridge: summary(bridge), minimal: summary(minimal) };
      this.results.latencies.push(result);
    }
  }

  async #places({ options, bridge, floor }: Group): Promise<void> {
    const { plugs } = options;
    halt([floor]);
    await this.#place(bridge, plugs, bridge.base, plugs > 1000 ? 3 : 5);
    if (plugs === 1000) await this.#place(bridge, ROOM, `${bridge.base}/room0`, 7);
    await resume([floor], 0);
  }

  async #place(bridge: Subject, plugs: number, base: string, repeats: number): Promise<void> {
    const bridgeMs = await place(this.#observer, base, this.#options.quick ? 2 : repeats);
    this.results.places.push({ plugs, bridgeMs, sequenceMs: await sequence(bridge, plugs) });
  }

  async #isolation({ options, bridge, floor }: Group): Promise<void> {
    halt([floor]);
    await delay(this.#options.quick ? 500 : 3000);
    const pace = this.#options.quick ? { ms: 2000, settleMs: 500 } : { ms: 15_000, settleMs: 1000 };
    this.results.isolation.push({ plugs: options.plugs, ...(await isolation(bridge, pace)) });
    await resume([floor], 0);
  }

  #wants(part: Part): boolean {
    return this.#options.parts.has(part);
  }

  #note(text: string): void {
    this.#options.note(text);
  }
}

function members({ bridge, floor }: Group): Subject[] {
  return [bridge, floor];
}

function observerAt(broker: string | number): Promise<Observer> {
  return Observer.at(typeof broker === 'number' ? `mqtt://127.0.0.1:${broker}` : broker);
}

function summary({ toPlug, total }: Latencies): Latency {
  return { toPlugP50: median(toPlug), p50: median(total), p99: percentile(total, 0.99) };
}
