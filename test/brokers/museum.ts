import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { stringify } from 'yaml';
import { buildApp } from '../../src/app/app.ts';
import { LiveConfig } from '../../src/config/live-config.ts';
import { Running, type SitePlug, SURROUNDINGS, startPlug } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { waitFor } from '../trials/wait-for.ts';
import type { TestedBroker } from './broker.ts';

const { clock } = SURROUNDINGS;

export const PLUGS = 20;
export const CLIENT_ID = 'museum-bridge';

/** How long anything may take that is waited for. */
const PATIENCE_MS = 90_000;

/** A bridge with simulated plugs at the broker under test, a proxy in between, and a client that watches. */
export class Museum {
  readonly broker: TestedBroker;
  readonly #proxies: readonly TcpProxy[];
  readonly #plugs: readonly SitePlug[];
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'hs110-mqtt-data-'));
  #bridge: Running | undefined;
  #client: MqttClient | undefined;
  /** The newest message on each topic, since `forget`. */
  readonly seen = new Map<string, string>();
  /** By id: how many receipts came that do not say that they are repeated. */
  readonly receipts = new Map<string, number>();
  /** By id: called when its receipt comes. */
  readonly #waiting = new Map<string, () => void>();
  #sent = 0;
  readonly #unsent: { readonly topic: string; readonly payload: string }[] = [];
  #inFlight = 0;

  private constructor(broker: TestedBroker, proxies: readonly TcpProxy[], plugs: readonly SitePlug[]) {
    this.broker = broker;
    this.#proxies = proxies;
    this.#plugs = plugs;
  }

  static async open(broker: TestedBroker): Promise<Museum> {
    const numbers = Array.from({ length: PLUGS }, (_, index) => index + 1);
    const plugs = await Promise.all(numbers.map((number) => startPlug(`lamp-${number}`, number)));
    const proxies = await Promise.all(broker.ports.map((port) => TcpProxy.started(port)));
    return new Museum(broker, proxies, plugs);
  }

  /** The number of the node at which the bridge is. */
  get node(): number {
    return Math.max(
      0,
      this.#proxies.findIndex(({ isUsed }) => isUsed),
    );
  }

  /** What is between the bridge and a node. */
  proxy(node: number): TcpProxy {
    const proxy = this.#proxies[node];
    if (proxy === undefined) throw new Error(`there is no node ${node}`);
    return proxy;
  }

  /** Lines of the bridge's log. */
  get lines() {
    return this.#bridge?.lines ?? [];
  }

  get clientUrl(): string {
    return `${this.broker.scheme}://127.0.0.1:${this.broker.clientPort}`;
  }

  /** Connects the client that watches everything; it connects again by itself. */
  async watch(): Promise<void> {
    const client = await this.connect({ reconnectPeriod: 100 });
    this.#client = client;
    client.on('message', (topic, payload) => this.#received(topic, payload.toString()));
    await client.subscribeAsync('museum/#', { qos: 1 });
  }

  /** Another client of the broker. */
  connect(options: object = {}): Promise<MqttClient> {
    return mqtt.connectAsync(this.clientUrl, { ...this.broker.client, ...options });
  }

  startBridge(): void {
    const { broker } = this;
    const urls = this.#proxies.map(({ url }) => url.replace('mqtt:', `${broker.scheme}:`));
    const way = broker.isEmbedded
      ? { broker: { listen: `127.0.0.1:${broker.clientPort}` } }
      : { mqtt: { url: urls, clientId: CLIENT_ID, ...broker.mqtt } };
    const plugs = this.#plugs.map(({ path, server }) => ({ path, host: `${server.host}:${server.port}` }));
    const text = stringify({
      poll: { interval: '1s' },
      web: { listen: 'off' },
      dataDir: this.#dataDir,
      plugs,
      ...way,
    });
    const { readFile } = SURROUNDINGS;
    const live = LiveConfig.of({ file: { name: 'suite.yaml', text }, env: {}, flags: new Map(), readFile });
    this.#bridge = new Running((log) => buildApp(live, { ...SURROUNDINGS, random: Math.random, log }));
  }

  async stopBridge(): Promise<void> {
    await this.#bridge?.stop();
  }

  forget(): void {
    this.seen.clear();
  }

  get isOnline(): boolean {
    return this.seen.get('museum/bridge/state') === 'online';
  }

  /** Whether the state of every plug has been seen, and that it is online. */
  get hasAllStates(): boolean {
    return this.#plugs.every(
      ({ path }) =>
        this.seen.get(`museum/${path}/availability`) === 'online' && this.seen.has(`museum/${path}/state`),
    );
  }

  /** Sends a command to the next plug, and returns its id. */
  send(): string {
    const number = this.#sent++;
    const id = `c${number}`;
    const state = Math.floor(number / PLUGS) % 2 === 0 ? 'ON' : 'OFF';
    const payload = JSON.stringify({ id, state });
    this.#unsent.push({ topic: `museum/lamp-${(number % PLUGS) + 1}/set`, payload });
    this.#pump();
    return id;
  }

  /** Sends as much as the broker lets a client have on its way; MQTT.js alone sends all. */
  #pump(): void {
    const most = this.broker.inFlight ?? Number.POSITIVE_INFINITY;
    while (this.#inFlight < most) {
      const next = this.#unsent.shift();
      if (next === undefined) return;
      this.#inFlight++;
      this.#client?.publish(next.topic, next.payload, { qos: 1 }, () => {
        this.#inFlight--;
        this.#pump();
      });
    }
  }

  /** Resolves when a command has its receipt. */
  receipt(id: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** How many of these commands have a receipt. */
  answered(ids: readonly string[]): number {
    return ids.filter((id) => this.receipts.has(id)).length;
  }

  /** How many of them have more than one. */
  doubled(ids: readonly string[]): number {
    return ids.filter((id) => (this.receipts.get(id) ?? 0) > 1).length;
  }

  /** Resolves with how long it took until `holds`, in ms; with `undefined` if it does not. */
  async time(holds: () => boolean, withinMs = PATIENCE_MS): Promise<number | undefined> {
    const began = clock.now();
    return (await waitFor(clock, holds, withinMs)) ? Math.round(clock.now() - began) : undefined;
  }

  async close(): Promise<void> {
    await this.stopBridge();
    this.#client?.end(true);
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
    await Promise.all(this.#plugs.map(({ server }) => server.stop()));
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  #received(topic: string, payload: string): void {
    this.seen.set(topic, payload);
    if (!topic.endsWith('/result')) return;
    const { id, repeated } = JSON.parse(payload);
    this.#waiting.get(id)?.();
    if (typeof id === 'string' && repeated !== true) this.receipts.set(id, (this.receipts.get(id) ?? 0) + 1);
  }
}
