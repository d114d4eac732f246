import type { Socket } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { sharedNow } from './process.ts';

type Wanted = (topic: string, payload: string) => boolean;

/** Somebody at the broker who sends commands and watches. */
export class Observer {
  readonly #client: MqttClient;
  #wanted: Wanted | undefined;

  constructor(client: MqttClient) {
    this.#client = client;
    client.on('message', (topic, payload) => this.#wanted?.(topic, payload.toString()));
  }

  /** Waits for the broker, for it may only just be starting. */
  static async at(url: string): Promise<Observer> {
    const client = mqtt.connect(url, { reconnectPeriod: 50 });
    client.on('error', () => {});
    await new Promise((resolve) => client.once('connect', resolve));
    if ('setNoDelay' in client.stream) (client.stream as Socket).setNoDelay(true);
    return new Observer(client);
  }

  async subscribe(filter: string): Promise<void> {
    await this.#client.subscribeAsync(filter);
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#client.unsubscribeAsync(filter);
  }

  publish(topic: string, payload: string, retain = false): void {
    this.#client.publish(topic, payload, { retain });
  }

  /** Resolves with the time when `wanted` says yes to a message. */
  until(wanted: Wanted, timeoutMs = 60_000): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came in time')), timeoutMs);
      this.#wanted = (topic, payload) => {
        if (!wanted(topic, payload)) return false;
        clearTimeout(timer);
        this.#wanted = undefined;
        resolve(sharedNow());
        return true;
      };
    });
  }

  async end(): Promise<void> {
    await this.#client.endAsync(true);
  }
}
