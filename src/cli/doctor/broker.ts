import type { Config } from '../../config/schema.ts';
import { BridgeError, messageOf } from '../../errors.ts';
import { sleep } from '../../runtime/clock.ts';
import { BridgeClient, brokersOf } from '../bridge-client.ts';
import type { Shell } from '../shell.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** How long the broker may take over one message. */
const ANSWER_MS = 3000;

/** Messages that are timed, and the pause between them: after a longer one the system acknowledges at once. */
const ROUNDS = 9;
const PAUSE_MS = 20;

/** Systems put off an acknowledgement by 40 ms; a small message behind another waits for it (Nagle's algorithm). */
const HELD_BACK_MS = 35;
const SLOW_MS = 250;

/** Looks at each broker that is configured: login, what may be read and written, what is kept, how fast it is. */
export async function examineBrokers(shell: Shell, config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const url of brokersOf(config)) findings.push(...(await examineBroker(url, shell, config)));
  return findings;
}

async function examineBroker(url: string, shell: Shell, config: Config): Promise<Finding[]> {
  let client: BridgeClient;
  try {
    client = await BridgeClient.connectTo(url, config, shell);
  } catch (error) {
    return [problem('broker', messageOf(error), cureFor(messageOf(error), config))];
  }
  try {
    return await new Examination(client, shell, config).findings();
  } catch (error) {
    if (shell.signal.aborted) throw error;
    const cure = 'let the login of the bridge read and write everything below its base topic (ACL)';
    const isForbidden = error instanceof BridgeError && error.code === 'not-allowed';
    return [problem('broker', messageOf(error), isForbidden ? cure : undefined)];
  } finally {
    await client.end();
  }
}

function cureFor(message: string, { mqtt }: Config): string {
  if (/not authorized|bad user ?name|identifier/i.test(message))
    return 'check mqtt.username and mqtt.password (broker.username and broker.password with the embedded broker)';
  if (/certificate|self.signed|SSL|TLS/i.test(message)) return 'check mqtt.ca, mqtt.cert and mqtt.key';
  if (mqtt.url === undefined)
    return 'the embedded broker runs only while the bridge does: is the bridge running?';
  return 'is the broker running, and is mqtt.url its address and port?';
}

/** One broker that has taken the login. */
class Examination {
  readonly #client: BridgeClient;
  readonly #shell: Shell;
  readonly #config: Config;
  readonly #name: string;

  constructor(client: BridgeClient, shell: Shell, config: Config) {
    this.#client = client;
    this.#shell = shell;
    this.#config = config;
    this.#name = Math.floor(shell.random() * 0xffff_ffff).toString(16);
  }

  async findings(): Promise<Finding[]> {
    const { broker, topics } = this.#client;
    const probe = `${topics.base}/bridge/doctor/${this.#name}`;
    const welcome = ok('broker', `${broker} takes the login`);
    // The bridge does not log in at the broker inside, which lets nobody else speak for it.
    if (this.#config.mqtt.url === undefined) return [welcome];
    if (!(await this.#returns(probe))) {
      const cure = `let the login of the bridge read and write ${topics.base}/# (ACL)`;
      return [
        welcome,
        problem('broker', `${broker} keeps back what is published below ${topics.base}`, cure),
      ];
    }
    const retained = await this.#retained(`${probe}/kept`);
    const first = [welcome, ok('broker', `what is published below ${topics.base} arrives`), ...retained];
    if (this.#client.isLost) return first;
    return [...first, ...(await this.#speed(probe)), ...(await this.#homeAssistant())];
  }

  /** Whether what is published there is sent back. */
  async #returns(topic: string): Promise<boolean> {
    const isBack = await this.#client.wait<true>(ANSWER_MS, async (settled) => {
      // At QoS 0 nothing is sent in return, with which the acknowledgement would go.
      await this.#client.listen(topic, () => {}, 0);
      await this.#echo(topic, 'there', settled);
    });
    return isBack === true;
  }

  /** Whether the broker keeps retained messages, and for a filter with wildcards too, as dashboards use them. */
  async #retained(topic: string): Promise<Finding[]> {
    const filter = `${topic.slice(0, topic.lastIndexOf('/'))}/+`;
    const cure =
      'allow retained messages; without them who connects later sees nothing until something changes';
    const none = [problem('broker', 'it does not give out retained messages', cure)];
    try {
      await this.#client.publish(topic, 'kept', true);
      const kept = await this.#client.wait<true>(ANSWER_MS, (settled) =>
        this.#client.listen(filter, (on, payload, retained) => {
          if (on === topic && retained && payload.length > 0) settled(true);
        }),
      );
      await this.#client.publish(topic, '', true);
      return kept ? [ok('broker', 'it keeps retained messages')] : none;
    } catch (error) {
      // Some close the connection over such a message.
      if (error instanceof BridgeError && error.code === 'broker-lost') return none;
      throw error;
    }
  }

  async #speed(topic: string): Promise<Finding[]> {
    const { clock, signal } = this.#shell;
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(clock, PAUSE_MS, signal);
      const began = clock.now();
      const payload = `${round}`;
      await this.#client.wait<true>(ANSWER_MS, (settled) => this.#echo(topic, payload, settled));
      times.push(clock.now() - began);
    }
    const median = Math.round(times.sort((one, other) => one - other)[Math.floor(ROUNDS / 2)] ?? 0);
    if (median >= SLOW_MS)
      return [
        note('broker', `a message and its confirmation take ${median} ms`, 'is the way to the broker slow?'),
      ];
    if (median < HELD_BACK_MS) return [ok('broker', `a message and its confirmation take ${median} ms`)];
    const cure = 'turn Nagle off at the broker: set_tcp_nodelay true in mosquitto.conf';
    return [
      note('broker', `a message and its confirmation take ${median} ms: one waits for the other`, cure),
    ];
  }

  /** Publishes, and settles once the broker has confirmed the message and sent it back. */
  async #echo(topic: string, payload: string, settled: (value: true) => void): Promise<void> {
    let missing = 2;
    const part = () => {
      if (--missing === 0) settled(true);
    };
    this.#client.onMessage((on, said) => {
      if (on === topic && said.toString() === payload) part();
    });
    await this.#client.publish(topic, payload);
    part();
  }

  /** Whether Home Assistant has said that it is there; it need not retain that. */
  async #homeAssistant(): Promise<Finding[]> {
    const { discovery, prefix } = this.#config.homeassistant;
    if (discovery === 'off')
      return [note('home assistant', 'plugs are not announced (homeassistant.discovery: off)')];
    const birth = `${prefix}/status`;
    let said: string | undefined;
    await this.#client.listen(birth, (on, payload) => {
      if (on === birth) said = payload.toString().slice(0, 20);
    });
    const probe = `${prefix}/device/hs110-mqtt-doctor-${this.#name}/probe`;
    if (!(await this.#returns(probe))) {
      const cure = `let the login of the bridge write ${prefix}/# (ACL), or set homeassistant.discovery: off`;
      return [problem('home assistant', `the broker keeps back what is published below ${prefix}`, cure)];
    }
    if (said === undefined)
      return [
        ok('home assistant', `may be announced to; it keeps no ${birth}, so whether it runs is not known`),
      ];
    if (said === 'online') return [ok('home assistant', `${birth} is online`)];
    return [note('home assistant', `${birth} is ${JSON.stringify(said)}`, 'is Home Assistant running?')];
  }
}
