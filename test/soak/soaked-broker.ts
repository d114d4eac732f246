import mqtt, { type MqttClient } from 'mqtt';
import { Mosquitto, noMosquitto } from '../support/mosquitto.ts';
import { type Running, startBroker } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { REPLIES } from './ledger.ts';

/** The broker of the soak, a way to it that can be barred, and a client that sees everything. */
export class SoakedBroker {
  readonly name: string;
  readonly url: string;
  readonly way: TcpProxy;
  client: MqttClient;
  readonly #seen: (topic: string, payload: string) => void;
  readonly #mosquitto: Mosquitto | undefined;
  #embedded: Running | undefined;
  #marks = 0;
  #lastMark = '';
  #bridgeThere = false;

  private constructor(
    broker: { mosquitto: Mosquitto | undefined; embedded: Running | undefined; url: string },
    way: TcpProxy,
    client: MqttClient,
    seen: (topic: string, payload: string) => void,
  ) {
    this.name = broker.mosquitto === undefined ? 'the embedded broker' : 'Mosquitto';
    this.url = broker.url;
    this.#mosquitto = broker.mosquitto;
    this.#embedded = broker.embedded;
    this.way = way;
    this.client = client;
    this.#seen = seen;
  }

  /** Mosquitto where there is one, unless the embedded broker is wanted. */
  static async started(
    seen: (topic: string, payload: string) => void,
    embedded: boolean,
  ): Promise<SoakedBroker> {
    const mosquitto = noMosquitto === undefined && !embedded ? await Mosquitto.started(PATIENT) : undefined;
    const own = mosquitto === undefined ? await startBroker(0) : undefined;
    const url = mosquitto?.url ?? own?.url ?? '';
    const way = await TcpProxy.started(Number(new URL(url).port));
    const broker = { mosquitto, embedded: own?.running, url };
    const one = new SoakedBroker(broker, way, await connected(url, mosquitto !== undefined), seen);
    await one.#listen();
    return one;
  }

  /** Whether commands outlast an absence of the bridge: with MQTT 5 its session does. */
  get keepsSessions(): boolean {
    return this.#mosquitto !== undefined;
  }

  /** Says something; with `reply`, its receipt is wanted on a response topic, which takes MQTT 5. */
  say(topic: string, payload: string, reply = false): Promise<unknown> {
    const properties = reply ? { responseTopic: REPLIES } : {};
    return this.client.publishAsync(topic, payload, { qos: 1, properties });
  }

  /** Resolves once the bridge has taken all that was said before. */
  async drained(): Promise<void> {
    await this.#mark('museum/bridge/request/soak', 'museum/bridge/response/soak');
  }

  /** Resolves once the bridge is there; it is not before it has said so again. */
  async bridgeBack(): Promise<void> {
    await until(() => this.#bridgeThere, 'the bridge to be back', 60_000);
  }

  bridgeGone(): void {
    this.#bridgeThere = false;
  }

  /**
   * Takes the broker away and brings it back with an empty memory. What it has confirmed to the bridge has been
   * passed on before: a broker that loses what it confirmed is no fault of the bridge's.
   */
  async restart(lost: () => void): Promise<void> {
    await this.drained();
    lost();
    this.way.close();
    await this.#mark('soak/mark', 'soak/mark');
    this.client.on('error', () => {});
    if (this.#mosquitto !== undefined) {
      await this.#mosquitto.kill();
      await this.#mosquitto.start();
    } else {
      await this.#embedded?.stop();
      this.#embedded = (await startBroker(Number(new URL(this.url).port))).running;
    }
    this.client.end(true);
    this.client = await connected(this.url, this.keepsSessions);
    await this.#listen();
    lost();
    this.bridgeGone();
    this.way.open();
    await this.bridgeBack();
  }

  async stop(): Promise<void> {
    this.client.end(true);
    await this.way.stop();
    await this.#embedded?.stop();
    await this.#mosquitto?.stop();
  }

  async #listen(): Promise<void> {
    this.client.on('message', (topic, payload) => {
      if (topic === 'soak/mark' || topic === 'museum/bridge/response/soak')
        this.#lastMark = String(JSON.parse(payload.toString()).transaction);
      else this.#seen(topic, payload.toString());
      // By then it has subscribed: what is said from now on reaches it.
      if (topic === 'museum/bridge/state') this.#bridgeThere = payload.toString() === 'online';
    });
    await this.client.subscribeAsync(['museum/#', 'soak/#'], { qos: 1 });
  }

  /** Sends something and waits for its echo: all that was sent before has then arrived as well. */
  async #mark(to: string, from: string): Promise<void> {
    const mark = `${++this.#marks}`;
    await this.say(to, JSON.stringify({ transaction: mark }));
    await until(() => this.#lastMark === mark, `an answer on ${from}`);
  }
}

function connected(url: string, isVersion5: boolean): Promise<MqttClient> {
  return mqtt.connectAsync(url, { reconnectPeriod: 0, protocolVersion: isVersion5 ? 5 : 4 });
}

/** A broker that drops nothing on a client that is busy, and has little to say. */
const PATIENT = {
  global: ['allow_anonymous true', 'max_queued_messages 0', 'max_inflight_messages 0'],
  log: ['error', 'warning', 'notice', 'information'],
};
