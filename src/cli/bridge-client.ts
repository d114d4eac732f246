import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import type { Config } from '../config/schema.ts';
import { BridgeError, messageOf } from '../errors.ts';
import { publicAddress } from '../mqtt/disconnect.ts';
import { nearUrl } from '../mqtt/near-url.ts';
import { Topics } from '../mqtt/topics.ts';
import { interrupted } from './input.ts';
import type { Shell } from './shell.ts';

/** How long a broker may take to answer CONNECT. */
const CONNECT_MS = 5000;

type Received = (topic: string, payload: Buffer, retained: boolean) => void;

/** A running bridge, as every client of its broker sees it. */
export class BridgeClient {
  /** The broker, as it may be shown. */
  readonly broker: string;
  readonly topics: Topics;
  /** Rejects when the connection is lost. */
  readonly lost: Promise<never>;
  readonly #client: MqttClient;
  readonly #shell: Shell;
  #ending = false;
  #isLost = false;

  private constructor(client: MqttClient, broker: string, topics: Topics, shell: Shell) {
    this.#client = client;
    this.broker = broker;
    this.topics = topics;
    this.#shell = shell;
    client.setMaxListeners(0);
    this.lost = new Promise((_resolve, reject) => {
      client.once('close', () => {
        this.#isLost = true;
        if (!this.#ending)
          reject(new BridgeError('broker-lost', `the connection to the broker ${broker} is lost`));
      });
    });
    // It is looked at by those who wait.
    this.lost.catch(() => {});
  }

  /** Connects to the broker of the bridge so configured, the first that answers; rejects with what each said. */
  static async connect(config: Config, shell: Shell): Promise<BridgeClient> {
    const problems: string[] = [];
    for (const url of brokersOf(config)) {
      if (shell.signal.aborted) throw interrupted();
      try {
        return await BridgeClient.connectTo(url, config, shell);
      } catch (error) {
        problems.push(messageOf(error));
      }
    }
    throw new BridgeError('no-broker', problems.join('; '));
  }

  /** Connects to one of its brokers, with the bridge's login. */
  static async connectTo(url: string, config: Config, shell: Shell): Promise<BridgeClient> {
    const broker = publicAddress(url);
    try {
      const client = await connectAsync(url, clientOptions(config, shell), false);
      // Errors of a connection end it, and its end is what matters.
      client.on('error', () => {});
      return new BridgeClient(client, broker, new Topics(config.mqtt.baseTopic), shell);
    } catch (error) {
      throw new BridgeError('no-broker', `the broker ${broker} cannot be used: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Hands every message that arrives from now on to `received`. */
  onMessage(received: Received): void {
    this.#client.on('message', (topic, payload, { retain }) => received(topic, payload, retain));
  }

  /** The same, and has the broker send what matches; rejects if it does not let this client read that. */
  async listen(filter: string, received: Received, qos: 0 | 1 = 1): Promise<void> {
    this.onMessage(received);
    try {
      await Promise.race([this.#client.subscribeAsync(filter, { qos }), this.lost]);
    } catch (cause) {
      if (cause instanceof BridgeError) throw cause;
      const message = `the broker ${this.broker} does not let this login read ${filter}`;
      throw new BridgeError('not-allowed', message, { cause });
    }
  }

  /** Resolves once the broker has the message. */
  async publish(topic: string, payload: string, retain = false): Promise<void> {
    await Promise.race([this.#client.publishAsync(topic, payload, { qos: 1, retain }), this.lost]);
  }

  /**
   * Resolves with what `settled` is called with, `undefined` after `timeoutMs`. Rejects as `begin` does, and when the
   * connection or the program ends.
   */
  wait<T>(
    timeoutMs: number,
    begin: (settled: (value: T) => void) => Promise<unknown>,
  ): Promise<T | undefined> {
    const { clock, signal } = this.#shell;
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        timer.clear();
        signal.removeEventListener('abort', abort);
        settle();
      };
      const timer = clock.timer(() => done(() => resolve(undefined)));
      const abort = () => done(() => reject(interrupted()));
      timer.set(timeoutMs);
      signal.addEventListener('abort', abort, { once: true });
      this.lost.catch((error: unknown) => done(() => reject(error)));
      if (signal.aborted) abort();
      else begin((value) => done(() => resolve(value))).catch((error: unknown) => done(() => reject(error)));
    });
  }

  /** Ends the connection. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#client.endAsync(true);
  }
}

/** The addresses of the brokers of a bridge so configured; the embedded one is where it listens. */
export function brokersOf({ mqtt, broker }: Config): readonly string[] {
  return mqtt.url ?? [nearUrl(broker.listen)];
}

function clientOptions({ mqtt, broker }: Config, { readFile, random }: Shell): IClientOptions {
  const { username, password } = mqtt.url === undefined ? broker : mqtt;
  return {
    // No name that is configured: under the bridge's name it would take the bridge's place at the broker.
    clientId: `hs110-cli-${Math.floor(random() * 0xffff_ffff).toString(16)}`,
    protocolVersion: mqtt.version === '5' ? 5 : 4,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_MS,
    rejectUnauthorized: mqtt.rejectUnauthorized,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(mqtt.ca === undefined ? {} : { ca: readFile(mqtt.ca) }),
    ...(mqtt.cert === undefined ? {} : { cert: readFile(mqtt.cert) }),
    ...(mqtt.key === undefined ? {} : { key: readFile(mqtt.key) }),
  };
}

/** What went wrong, where an error of several addresses has no message of its own. */
function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return messageOf(error) || code;
}
