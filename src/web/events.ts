import { Doers } from '../bridge/doers.ts';
import type { Names } from '../bridge/names.ts';
import type { BridgeEvents, BridgeView } from '../bridge/view.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { JournalWriter } from '../store/journal-writer.ts';
import { type Happening, happeningText, type SiteSnapshot, snapshotText } from './happening.ts';
import { pendingJson, placeJson, plugJson, receiptOf } from './json.ts';
import { problemsOfPlug } from './problems.ts';
import type { Places } from './rights.ts';
import type { Pending } from './schemas.ts';

export interface EventsOptions {
  readonly bridge: BridgeView;
  readonly names: Names;
  readonly journal: Pick<JournalWriter, 'onAdded'>;
  /** Tells this run of the bridge from others. */
  readonly epoch: string;
  readonly clock: Clock;
}

/** A browser that listens: where its events are written, and how much of them waits. */
export interface Listener {
  /** What of the site it may see. */
  readonly places: Places;
  write(bytes: Buffer): void;
  /** Bytes that were written and not taken. */
  readonly waiting: number;
  /** Whether it may still listen: its user may have logged out. */
  isAllowed(): boolean;
  /** It does not keep up, may not listen any more, or the bridge stops. */
  end(): void;
}

/** Changes that come within this time are told together. */
const TOGETHER_MS = 100;
const HEARTBEAT_MS = 15_000;
/** A listener that does not read is dropped, not waited for; it has the time to read a snapshot besides. */
const MOST_WAITING_BYTES = 4_000_000;
/** What has been missed by less than this is told to whom returns; else it begins with a snapshot. */
const MOST_KEPT_BYTES = 1_000_000;

/**
 * What happens, as server-sent events: a snapshot, and then what changes. Each event is written down once for all
 * listeners that see the same part of the site.
 */
export class Events {
  readonly #options: EventsOptions;
  readonly #listeners = new Set<Listener>();
  readonly #changed = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #pending = new Map<number, Pending>();
  readonly #doers = new Doers();
  /** How much is wrong with each plug of which something is. */
  readonly #problems = new Map<string, number>();
  readonly #kept: { readonly number: number; readonly bytes: Buffer }[] = [];
  #keptBytes = 0;
  #snapshotBytes = 0;
  readonly #timer: Timer;
  readonly #heartbeat: Timer;
  #number = 0;
  #unsubscribe: (() => void)[] = [];

  constructor(options: EventsOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#tellChanges());
    this.#heartbeat = options.clock.timer(() => this.#beat());
  }

  /** Who switched the plug last, by name, where that is known. */
  userOf(path: string): string | null {
    return this.#doers.of(path);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  start(): void {
    const { bridge, names, journal } = this.#options;
    for (const { path } of bridge.plugs()) this.#countProblems(path);
    this.#unsubscribe = [
      bridge.on('plug', (event) => {
        this.#doers.changed(event);
        this.#note(event.after.path);
      }),
      bridge.on('removed', ({ path, places }) => {
        for (const one of [path, ...places]) this.#removed.add(one);
        this.#doers.removed(path);
        this.#note(path);
      }),
      bridge.on('command', (event) => this.#taken(event)),
      bridge.on('receipt', (event) => this.#ended(event)),
      names.onChange((path) => this.#note(path)),
      journal.onAdded(() => this.#tell({ event: 'journal', path: '' })),
    ];
    this.#heartbeat.set(HEARTBEAT_MS);
  }

  stop(): void {
    for (const end of this.#unsubscribe) end();
    this.#timer.clear();
    this.#heartbeat.clear();
    for (const listener of [...this.#listeners]) this.#drop(listener);
  }

  /** Tells a listener everything, or what it has missed since `lastId`, and from then on what happens. */
  add(listener: Listener, lastId: string | undefined): () => void {
    // What has changed and was not told yet is in the snapshot, and for the others not later than that.
    this.#tellChanges();
    const missed = listener.places === null ? this.#missedSince(lastId) : undefined;
    if (missed === undefined) {
      const bytes = snapshotText(this.#snapshot(), listener.places);
      this.#snapshotBytes = bytes.length;
      listener.write(bytes);
    } else for (const { bytes } of missed) listener.write(bytes);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the streams of those who may not listen any more. */
  recheck(): void {
    for (const listener of [...this.#listeners]) if (!listener.isAllowed()) this.#drop(listener);
  }

  #drop(listener: Listener): void {
    this.#listeners.delete(listener);
    listener.end();
  }

  /** Events after the one of that id, if it is of this run and they are all kept. */
  #missedSince(lastId: string | undefined) {
    const [epoch, number = ''] = lastId?.split('-') ?? [];
    const last = /^\d+$/.test(number) ? Number(number) : Number.NaN;
    if (epoch !== this.#options.epoch || !(last <= this.#number)) return undefined;
    const oldest = this.#kept[0]?.number ?? this.#number + 1;
    return last + 1 < oldest ? undefined : this.#kept.filter((one) => one.number > last);
  }

  #note(path: string): void {
    if (this.#changed.size === 0) this.#timer.set(TOGETHER_MS);
    this.#changed.add(path);
  }

  #taken(event: BridgeEvents['command']): void {
    this.#doers.asked(event);
    const pending = pendingJson(event, this.#options.clock.date());
    this.#pending.set(event.command, pending);
    this.#tell({ event: 'pending', pending });
  }

  #ended({ command, receipt, repeated }: BridgeEvents['receipt']): void {
    this.#pending.delete(command);
    // The states that led to the receipt go before it.
    this.#tellChanges();
    this.#tell({ event: 'receipt', command, receipt: receiptOf(receipt, repeated) });
  }

  #tellChanges(): void {
    this.#timer.clear();
    if (this.#changed.size === 0) return;
    const { bridge, names } = this.#options;
    const changed = [...this.#changed];
    const removed = [...this.#removed];
    this.#changed.clear();
    this.#removed.clear();
    for (const path of changed) this.#countProblems(path);
    this.#tell(() => ({
      event: 'change',
      plugs: changed.flatMap((path) => {
        const plug = bridge.plug(path);
        return plug === undefined ? [] : [plugJson(plug, bridge, names, this.#doers.of(plug.path))];
      }),
      places: [...withPlaces(changed)].flatMap((path) => {
        const place = bridge.place(path);
        return place === undefined ? [] : [placeJson(place, names)];
      }),
      removed: removed.filter((path) => bridge.plug(path) === undefined && bridge.place(path) === undefined),
      problems: this.#problems,
    }));
  }

  #countProblems(path: string): void {
    const plug = this.#options.bridge.plug(path);
    const count = plug === undefined ? 0 : problemsOfPlug(plug).length;
    if (count === 0) this.#problems.delete(path);
    else this.#problems.set(path, count);
  }

  #beat(): void {
    this.#heartbeat.set(HEARTBEAT_MS);
    // Users are also changed by the command line.
    this.recheck();
    const bytes = Buffer.from(`event: ping\ndata: {"at":${this.#options.clock.date()}}\n\n`);
    for (const listener of [...this.#listeners]) this.#write(listener, bytes);
  }

  /** Tells all listeners; nothing is made up while nobody listens and nobody may return. */
  #tell(happening: Happening | (() => Happening)): void {
    const number = ++this.#number;
    if (this.#listeners.size === 0) {
      this.#forget();
      return;
    }
    const made = typeof happening === 'function' ? happening() : happening;
    const id = `${this.#options.epoch}-${number}`;
    const texts = new Map<string, Buffer | undefined>();
    const textFor = (places: Places) => {
      const key = JSON.stringify(places);
      if (!texts.has(key)) texts.set(key, happeningText(made, { id, number }, places));
      return texts.get(key);
    };
    this.#keep(number, textFor(null));
    for (const listener of [...this.#listeners]) {
      const bytes = textFor(listener.places);
      if (bytes !== undefined) this.#write(listener, bytes);
    }
  }

  /** What nobody heard cannot be repeated: who returns begins with a snapshot. */
  #forget(): void {
    this.#kept.length = 0;
    this.#keptBytes = 0;
  }

  #keep(number: number, bytes: Buffer = Buffer.alloc(0)): void {
    this.#kept.push({ number, bytes });
    this.#keptBytes += bytes.length;
    while (this.#keptBytes > MOST_KEPT_BYTES) this.#keptBytes -= this.#kept.shift()?.bytes.length ?? 0;
  }

  #write(listener: Listener, bytes: Buffer): void {
    if (listener.waiting > MOST_WAITING_BYTES + this.#snapshotBytes) this.#drop(listener);
    else listener.write(bytes);
  }

  #snapshot(): SiteSnapshot {
    const { bridge, names, epoch } = this.#options;
    return {
      epoch,
      number: this.#number,
      plugs: [...bridge.plugs()].map((plug) => plugJson(plug, bridge, names, this.#doers.of(plug.path))),
      places: [...bridge.places()].flatMap((path) => {
        const place = bridge.place(path);
        return place === undefined ? [] : [placeJson(place, names)];
      }),
      pending: [...this.#pending.values()],
      problems: this.#problems,
    };
  }
}

/** The places around all these paths. */
function withPlaces(paths: readonly string[]): ReadonlySet<string> {
  const places = new Set(['', ...paths]);
  for (const path of paths) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      places.add(path.slice(0, end));
  }
  return places;
}
