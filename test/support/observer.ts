import mqtt, { type MqttClient } from 'mqtt';

/** One message as a client of the broker saw it. */
export interface Seen {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly correlationData: string | undefined;
}

/** A client of the broker as any other program would be: it sees everything and can say everything. */
export class Observer {
  readonly client: MqttClient;
  /** Everything seen, oldest first. */
  readonly seen: Seen[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, packet) => {
      const correlationData = packet.properties?.correlationData?.toString();
      this.seen.push({ topic, payload: payload.toString(), retain: packet.retain, correlationData });
      for (const look of this.#waiting) look();
    });
  }

  static async connect(
    url: string,
    protocolVersion: 4 | 5 = 4,
    filter: string | string[] = '#',
  ): Promise<Observer> {
    const client = await mqtt.connectAsync(url, { protocolVersion, reconnectPeriod: 100 });
    const observer = new Observer(client);
    await client.subscribeAsync(filter, { qos: 1 });
    return observer;
  }

  /** The first message on `topic` that `matches`, among those after the first `after` seen or still to come. */
  async message(topic: string, matches: (payload: string) => boolean = () => true, after = 0): Promise<Seen> {
    const find = () => this.seen.slice(after).find((seen) => seen.topic === topic && matches(seen.payload));
    return await new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(patience);
        this.#waiting.delete(look);
        resolve(found);
      };
      const patience = setTimeout(() => {
        this.#waiting.delete(look);
        const last = this.seen.filter((seen) => seen.topic === topic).at(-1)?.payload ?? 'nothing';
        reject(new Error(`waited in vain for a message on ${topic}; last seen: ${last}`));
      }, 8000);
      this.#waiting.add(look);
      look();
    });
  }

  /** The same, read as JSON. */
  async json(topic: string, matches: (value: Json) => boolean = () => true, after = 0): Promise<Json> {
    const parses = (payload: string) => payload !== '' && matches(JSON.parse(payload));
    return JSON.parse((await this.message(topic, parses, after)).payload);
  }

  /** The latest payload seen on `topic`. */
  latest(topic: string): string | undefined {
    return this.seen.findLast((seen) => seen.topic === topic)?.payload;
  }

  /** Says something at QoS 1, and remembers how much had been seen before: for `message(…, after)`. */
  async say(
    topic: string,
    payload: string,
    options: { retain?: boolean; properties?: object } = {},
  ): Promise<number> {
    const after = this.seen.length;
    await this.client.publishAsync(topic, payload, { qos: 1, ...options });
    return after;
  }

  async end(): Promise<void> {
    await this.client.endAsync(true);
  }
}

/** JSON of ours, of which a test looks at single keys. */
export interface Json {
  readonly [key: string]: unknown;
}
