import type { PageClock } from '../clock.ts';
import { within } from '../clock.ts';
import type { Happening } from './reducer.ts';

/** What the stream needs of the browser; passed in, so that it is tested without one. */
export interface Surroundings {
  readonly clock: PageClock;
  /** Opens the stream of events. */
  readonly open: () => EventStream;
  /**
   * Asks the bridge who is logged in, before each connection: the browser does not tell why a stream was refused.
   * Resolves with false if nobody is, and the stream then ends.
   */
  readonly admitted: () => Promise<boolean>;
  readonly tell: (happening: Happening) => void;
}

/** An event of the stream, with its data as JSON text. */
export interface StreamEvent {
  readonly data: string;
}

/** The part of EventSource that is used. */
export interface EventStream {
  onerror: ((event: Event) => void) | null;
  addEventListener(type: string, listener: (event: StreamEvent) => void): void;
  close(): void;
}

/** The bridge sends something every 15 s; two and a half times that in silence, and the connection is taken for dead. */
const SILENCE_MS = 40_000;
const CONNECT_MS = 10_000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000, 10_000];
/** A hidden page gives its connection back, of which a browser has six for all its tabs. */
const HIDDEN_MS = 30_000;

const EVENTS = ['snapshot', 'change', 'pending', 'receipt', 'journal', 'ping'] as const;

/**
 * Keeps one stream of events open for as long as the page is seen. It never gives up; each connection begins with a
 * snapshot, so that nothing missed meanwhile matters.
 */
export class LiveStream {
  readonly #surroundings: Surroundings;
  #stream: EventStream | null = null;
  #heardAt = 0;
  #failures = 0;
  /** Counts connections: what belongs to an older one is not listened to. */
  #attempt = 0;
  #cancelTimer = () => {};
  #cancelHiding = () => {};

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Opens the stream, or opens it anew. */
  start(): void {
    this.stop();
    void this.#connect(this.#attempt);
  }

  /** Closes the stream for good. */
  stop(): void {
    this.#attempt++;
    this.#close();
    this.#cancelHiding();
  }

  /** The page is seen again, or the network is back: what is shown may be old, however alive the stream looks. */
  wake(): void {
    this.#cancelHiding();
    const { clock } = this.#surroundings;
    if (this.#stream === null || clock.now() - this.#heardAt > SILENCE_MS / 2) this.start();
  }

  /** The page is not seen any more. */
  hide(): void {
    this.#cancelHiding();
    this.#cancelHiding = this.#surroundings.clock.after(HIDDEN_MS, () => {
      this.stop();
      this.#surroundings.tell({ type: 'link', link: 'lost' });
    });
  }

  async #connect(attempt: number): Promise<void> {
    const { clock, open, admitted, tell } = this.#surroundings;
    tell({ type: 'link', link: 'connecting' });
    try {
      const late = () => new Error('no answer in time');
      if (!(await within(clock, CONNECT_MS, admitted(), late))) return;
    } catch {
      this.#lost(attempt);
      return;
    }
    if (attempt !== this.#attempt) return;
    const stream = open();
    this.#stream = stream;
    this.#expect(attempt, CONNECT_MS);
    stream.onerror = () => this.#lost(attempt);
    for (const type of EVENTS) {
      stream.addEventListener(type, ({ data }) => {
        if (attempt === this.#attempt) this.#hear(attempt, type, data);
      });
    }
  }

  #hear(attempt: number, type: (typeof EVENTS)[number], data: string): void {
    const { clock, tell } = this.#surroundings;
    this.#heardAt = clock.now();
    this.#failures = 0;
    this.#expect(attempt, SILENCE_MS);
    tell({ ...JSON.parse(data), type, at: this.#heardAt });
  }

  #expect(attempt: number, ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#surroundings.clock.after(ms, () => this.#lost(attempt));
  }

  #lost(attempt: number): void {
    if (attempt !== this.#attempt) return;
    const { clock, tell } = this.#surroundings;
    this.#attempt++;
    this.#close();
    tell({ type: 'link', link: 'lost' });
    const pauseMs = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)] ?? 0;
    const next = this.#attempt;
    this.#cancelTimer = clock.after(pauseMs, () => void this.#connect(next));
  }

  #close(): void {
    this.#cancelTimer();
    this.#stream?.close();
    this.#stream = null;
  }
}
