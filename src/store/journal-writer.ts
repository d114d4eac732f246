import { Doers } from '../bridge/doers.ts';
import type { BridgeEvents, BridgeView } from '../bridge/view.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { addToJournal, type JournalEntry } from './journal.ts';
import type { Store } from './store.ts';

export interface JournalWriterOptions {
  readonly bridge: BridgeView;
  readonly store: Store;
  readonly clock: Clock;
  /** Older entries go, and those beyond so many. */
  readonly keptMs: number;
  readonly mostEntries: number;
}

/** What happens within this time is one transaction; as much may be lost by a kill. */
const TOGETHER_MS = 1000;
const CLEANED_EVERY_MS = 86_400_000;

type Entry = Omit<JournalEntry, 'id'>;

/** Writes down every change of a relay and every receipt, with who it was. The oldest entries go. */
export class JournalWriter implements Task {
  readonly name = 'journal';
  readonly #options: JournalWriterOptions;
  readonly #timer: Timer;
  readonly #doers = new Doers();
  /** Who gave the commands that are open, by their numbers. */
  readonly #givers = new Map<number, Pick<Entry, 'origin' | 'user'>>();
  readonly #listeners = new Set<() => void>();
  #waiting: Entry[] = [];
  #cleanedAt = Number.NEGATIVE_INFINITY;

  constructor(options: JournalWriterOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#write());
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge } = this.#options;
    const ends = [
      bridge.on('command', (event) => this.#taken(event)),
      bridge.on('plug', (event) => this.#changed(event)),
      bridge.on('receipt', (event) => this.#ended(event)),
      bridge.on('removed', ({ path }) => this.#doers.removed(path)),
    ];
    ready();
    await aborted(signal);
    for (const end of ends) end();
    this.#timer.clear();
    this.#write();
  }

  /** Calls `listener` whenever entries were added, until the returned function is called. */
  onAdded(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #taken(event: BridgeEvents['command']): void {
    const { origin, user } = event.given;
    this.#givers.set(event.command, { origin, user });
    this.#doers.asked(event);
  }

  /** What a plug is found to be at first is no change. */
  #changed(event: BridgeEvents['plug']): void {
    this.#doers.changed(event);
    const { before, after } = event;
    if (before.lamp !== after.lamp && after.lamp !== null) this.add(lampEntry(after.path, after.lamp));
    if (before.relay === null || after.relay === null || before.relay === after.relay) return;
    this.add({
      kind: 'relay',
      path: after.path,
      what: after.relay ? 'ON' : 'OFF',
      origin: after.changedBy,
      user: this.#doers.of(after.path),
      outcome: null,
      ms: null,
      detail: null,
    });
  }

  /** A receipt that comes again after a restart was written down before it. */
  #ended({ command, receipt, repeated }: BridgeEvents['receipt']): void {
    const giver = this.#givers.get(command) ?? { origin: null, user: null };
    this.#givers.delete(command);
    if (repeated) return;
    const { id, target, relay, outcome, reason, confirmed, total, missing, ms } = receipt;
    this.add({
      ...giver,
      kind: 'receipt',
      path: target,
      what: relay?.toUpperCase() ?? null,
      outcome,
      ms,
      detail: {
        id,
        ...(reason === undefined ? {} : { reason }),
        confirmed,
        total,
        missing: missing.map((one) => ({ ...one })),
      },
    });
  }

  /** Writes something down that has just happened. */
  add(entry: Omit<Entry, 'at'>): void {
    if (this.#waiting.length === 0) this.#timer.set(TOGETHER_MS);
    this.#waiting.push({ ...entry, at: this.#options.clock.date() });
  }

  #write(): void {
    const entries = this.#waiting;
    if (entries.length === 0) return;
    this.#waiting = [];
    const { store, clock, keptMs, mostEntries } = this.#options;
    store.transaction(() => {
      for (const entry of entries) addToJournal(store, entry);
      store.write('DELETE FROM journal WHERE id <= (SELECT max(id) FROM journal) - ?', [mostEntries]);
      if (clock.now() - this.#cleanedAt < CLEANED_EVERY_MS) return;
      this.#cleanedAt = clock.now();
      store.write('DELETE FROM journal WHERE at < ?', [clock.date() - keptMs]);
    });
    for (const listener of this.#listeners) listener();
  }
}

/** The lamp on a plug is found to be otherwise: nobody did that. */
function lampEntry(path: string, what: string): Omit<Entry, 'at'> {
  return { kind: 'lamp', path, what, origin: null, user: null, outcome: null, ms: null, detail: null };
}
