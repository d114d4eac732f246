import type { Logger } from 'pino';
import type { BridgeEvents, BridgeView } from '../bridge/view.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { type Names, placeJson, plugJson, receiptText } from './json.ts';
import type { Pending } from './schemas.ts';

export interface EventsOptions {
  readonly bridge: BridgeView;
  readonly names: Names;
  /** Tells this run of the bridge from others. */
  readonly epoch: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A browser that listens: where its events are written, and how much of them waits. */
export interface Listener {
  write(text: string): void;
  readonly waiting: number;
  /** It does not keep up, or the bridge stops. */
  end(): void;
}

/** Changes that come within this time are told together. */
const TOGETHER_MS = 100;
const HEARTBEAT_MS = 15_000;
/** Characters that may wait for a listener; one that does not read is dropped, not waited for. */
const MOST_WAITING = 4_000_000;
/** What has been missed by less than this is told to whom returns; else it begins with a snapshot. */
const KEPT_EVENTS = 200;

/**
 * What happens, as server-sent events: a snapshot, and then what changes. Each event is written down once, whoever
 * listens.
 */
export class Events {
  readonly #options: EventsOptions;
  readonly #listeners = new Set<Listener>();
  readonly #changed = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #pending = new Map<number, Pending>();
  readonly #kept: { readonly number: number; readonly text: string }[] = [];
  readonly #timer: Timer;
  readonly #heartbeat: Timer;
  #number = 0;
  #snapshot: { readonly number: number; readonly text: string } | undefined;
  #unsubscribe: (() => void)[] = [];

  constructor(options: EventsOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#tellChanges());
    this.#heartbeat = options.clock.timer(() => this.#beat());
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  start(): void {
    const { bridge } = this.#options;
    this.#unsubscribe = [
      bridge.on('plug', ({ after }) => this.#note(after.path)),
      bridge.on('removed', ({ path, places }) => {
        for (const one of [path, ...places]) this.#removed.add(one);
        this.#note(path);
      }),
      bridge.on('command', (event) => this.#taken(event)),
      bridge.on('receipt', (event) => this.#ended(event)),
    ];
    this.#heartbeat.set(HEARTBEAT_MS);
  }

  stop(): void {
    for (const end of this.#unsubscribe) end();
    this.#timer.clear();
    this.#heartbeat.clear();
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }

  /** Tells a listener everything, or what it has missed since `lastId`, and from then on what happens. */
  add(listener: Listener, lastId: string | undefined): () => void {
    const missed = this.#missedSince(lastId);
    if (missed === undefined) listener.write(this.#snapshotText());
    else for (const { text } of missed) listener.write(text);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #missedSince(lastId: string | undefined): readonly { readonly text: string }[] | undefined {
    const [epoch, number] = lastId?.split('-') ?? [];
    const last = Number(number);
    if (epoch !== this.#options.epoch || !Number.isInteger(last) || last > this.#number) return undefined;
    const oldest = this.#kept[0]?.number ?? this.#number + 1;
    return last + 1 < oldest ? undefined : this.#kept.filter((one) => one.number > last);
  }

  #note(path: string): void {
    if (this.#changed.size === 0) this.#timer.set(TOGETHER_MS);
    this.#changed.add(path);
    this.#snapshot = undefined;
  }

  #taken({ command, target, given }: BridgeEvents['command']): void {
    const { id, relay, origin, user } = given;
    const since = new Date(this.#options.clock.date()).toISOString();
    const wanted = relay === undefined ? null : relay.toUpperCase();
    const pending = { command, id, target, wanted, who: { origin, user }, since };
    this.#pending.set(command, pending);
    this.#tell('pending', `"pending":${JSON.stringify(pending)}`);
  }

  #ended({ command, receipt, repeated }: BridgeEvents['receipt']): void {
    this.#pending.delete(command);
    // The states that led to the receipt go before it.
    this.#tellChanges();
    this.#tell('receipt', `"command":${command},"receipt":${receiptText(receipt, repeated)}`);
  }

  #tellChanges(): void {
    this.#timer.clear();
    if (this.#changed.size === 0) return;
    const { bridge, names } = this.#options;
    const plugs = [];
    const places = new Set<string>(['']);
    for (const path of this.#changed) {
      const plug = bridge.plug(path);
      if (plug !== undefined) plugs.push(plugJson(plug, bridge, names));
      for (const [index] of [...path].entries()) if (path[index] === '/') places.add(path.slice(0, index));
    }
    const removed = [...this.#removed].filter(
      (path) => bridge.plug(path) === undefined && bridge.place(path) === undefined,
    );
    this.#changed.clear();
    this.#removed.clear();
    if (this.#listeners.size === 0 && this.#kept.length === 0) return;
    const sums = [...places].flatMap((path) => {
      const place = bridge.place(path);
      return place === undefined ? [] : [placeJson(place, names)];
    });
    const body = JSON.stringify({ plugs, places: sums, removed });
    this.#tell('change', body.slice(1, -1));
  }

  #beat(): void {
    this.#heartbeat.set(HEARTBEAT_MS);
    this.#send(`event: ping\ndata: {"at":${this.#options.clock.date()}}\n\n`);
  }

  #tell(event: string, fields: string): void {
    const number = ++this.#number;
    this.#snapshot = undefined;
    const { epoch } = this.#options;
    const text = `id: ${epoch}-${number}\nevent: ${event}\ndata: {"number":${number},${fields}}\n\n`;
    this.#kept.push({ number, text });
    if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
    this.#send(text);
  }

  #send(text: string): void {
    for (const listener of this.#listeners) {
      if (listener.waiting > MOST_WAITING) {
        this.#listeners.delete(listener);
        listener.end();
      } else listener.write(text);
    }
  }

  #snapshotText(): string {
    if (this.#snapshot?.number === this.#number) return this.#snapshot.text;
    const { bridge, names, epoch } = this.#options;
    const data = JSON.stringify({
      epoch,
      number: this.#number,
      plugs: [...bridge.plugs()].map((plug) => plugJson(plug, bridge, names)),
      places: [...bridge.places()].flatMap((path) => {
        const place = bridge.place(path);
        return place === undefined ? [] : [placeJson(place, names)];
      }),
      pending: [...this.#pending.values()],
    });
    const text = `id: ${epoch}-${this.#number}\nevent: snapshot\ndata: ${data}\n\n`;
    this.#snapshot = { number: this.#number, text };
    return text;
  }
}
