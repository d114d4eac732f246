import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Clock } from '../runtime/clock.ts';
import { addBridgeMetrics, type BridgeMetricsOptions } from './bridge-metrics.ts';
import { addPlugMetrics } from './plug-metrics.ts';

export interface FiguresOptions extends BridgeMetricsOptions {
  readonly clock: Clock;
}

/** All figures, and how Prometheus reads them. */
export class Figures {
  readonly #registry = new Registry();
  readonly #clock: Clock;
  readonly #end: () => void;
  #text: Promise<string> | undefined;

  constructor(options: FiguresOptions) {
    this.#clock = options.clock;
    addPlugMetrics(this.#registry, options.bridge);
    this.#end = addBridgeMetrics(this.#registry, options);
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The figures of now as text. Whoever asks meanwhile gets the same. */
  text(): Promise<string> {
    this.#text ??= this.#write().finally(() => {
      this.#text = undefined;
    });
    return this.#text;
  }

  /** Stops counting. */
  end(): void {
    this.#end();
  }

  /** One figure at a time: those of thousands of plugs at once would keep commands waiting. */
  async #write(): Promise<string> {
    const texts: string[] = [];
    for (const { name } of this.#registry.getMetricsAsArray()) {
      texts.push(await this.#registry.getSingleMetricAsString(name));
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
    }
    return `${texts.join('\n\n')}\n`;
  }
}
