import type { PlaceState } from '../bridge/places.ts';
import { type Deadbands, dampedValue } from './deadband.ts';
import { placePayload, placeSummary } from './payloads.ts';
import type { RetainedCleaner } from './retained-topics.ts';
import { PLACE_VALUES, type Topics } from './topics.ts';

export interface PlaceReportsOptions {
  readonly topics: Topics;
  readonly output: 'json' | 'flat' | 'both';
  readonly publishPlaces: boolean;
  readonly report: Deadbands;
  readonly cleaner: RetainedCleaner;
  /** Publishes a state, retained. */
  readonly send: (topic: string, payload: string) => void;
}

/** What was last published of a place. */
interface Published extends PlaceState {
  readonly payload: string;
}

/** Publishes the states of places that say something new. */
export class PlaceReports {
  readonly #options: PlaceReportsOptions;
  readonly #published = new Map<string, Published>();
  /** How much values must have changed. */
  report: Deadbands;

  constructor(options: PlaceReportsOptions) {
    this.#options = options;
    this.report = options.report;
  }

  /** Forgets what was published: the broker may have, too. */
  clear(): void {
    this.#published.clear();
  }

  /** Takes back what was published of a place that is no more. */
  remove(path: string): void {
    const { topics, cleaner } = this.#options;
    this.#published.delete(path);
    cleaner.clear('place', topics.of(path));
    cleaner.clear('summary', topics.summary(path));
  }

  /** Publishes a place if its state is another, or its power by more than the deadband. */
  publish(exact: PlaceState): void {
    const { output, topics, publishPlaces, cleaner, send } = this.#options;
    if (!publishPlaces) return;
    const last = this.#published.get(exact.path);
    const isSwitched = last?.on !== exact.on || last.off !== exact.off;
    const power = isSwitched ? exact.power : dampedValue(exact.power, last.power, this.report.power);
    const place = power === exact.power ? exact : { ...exact, power };
    const payload = placePayload(place);
    if (last?.payload === payload) return;
    cleaner.used('place', topics.of(place.path));
    this.#published.set(place.path, { ...place, payload });
    if (output !== 'flat') send(topics.of(place.path), payload);
    if (output !== 'json') {
      for (const name of PLACE_VALUES) send(topics.below(place.path, name), String(place[name] ?? ''));
    }
    const summary = placeSummary(place);
    if (last === undefined || placeSummary(last) !== summary) this.#summarize(place.path, summary);
  }

  #summarize(path: string, summary: string): void {
    const { topics, cleaner, send } = this.#options;
    const topic = topics.summary(path);
    cleaner.used('summary', topic);
    send(topic, summary);
  }
}
