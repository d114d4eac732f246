import { BridgeError, CommandError, PlugError, type Reason } from '../errors.ts';
import { dangersIn } from '../plug/dangers.ts';
import { type Applied, type Observation, PlugClient } from '../plug/plug-client.ts';
import { PlugTransport } from '../plug/plug-transport.ts';
import type { Address } from '../plug/transport.ts';
import { printable, printableJson } from '../printable.ts';
import { asAsked, askBulb, isOfBulb } from '../protocol/bulb-modules.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Login } from '../protocol/klap.ts';
import { answerTo, type OutletReading, readSysinfo, type Sysinfo } from '../protocol/replies.ts';
import { GET_SYSINFO, type Query, type Request, request, type Settings } from '../protocol/requests.ts';
import { interrupted } from './input.ts';
import { textOf } from './plug-text.ts';
import type { Shell } from './shell.ts';
import { asOfPlug, outletCalled, replyAsOfPlug } from './strip-outlet.ts';

export interface PlugOptions {
  readonly json?: true;
  /** Do what is dangerous without asking. */
  readonly yes?: true;
  /** How long a plug may take to answer, in ms, where the user said so. */
  readonly timeout?: number;
  /** Of a strip: the number or the name of the outlet that is meant. */
  readonly outlet?: string;
}

/** How long a plug may take to answer, in ms. */
const TIMEOUT_MS = 5000;

/** What a person may do about a plug that does not answer as it should. */
export const ADVICE: { readonly [reason in Reason]?: string } = {
  refused: 'Is that the right address? `hs110-mqtt discover` shows. If it is, unplug the plug for a moment.',
  'login-refused':
    'Give it in the configuration, or as HS110_MQTT_KASA_USERNAME and HS110_MQTT_KASA_PASSWORD (or …_PASSWORD_FILE).',
  timeout: 'Is the plug plugged in, and in a network that this machine reaches?',
  unreachable: 'Is the plug plugged in, and in a network that this machine reaches?',
  'unknown-host': 'Its address is in the list of your router, and `hs110-mqtt discover` finds it.',
  'bad-answer': 'Is that a plug? `hs110-mqtt discover` lists those that are there.',
};

const NAME_AN_OUTLET = 'Name the outlet: --outlet 2, or by its name in the Kasa app.';

/** One plug at one address, asked by a person at a shell. */
export class PlugSession {
  readonly shell: Shell;
  readonly options: PlugOptions;
  readonly address: Address;
  readonly #logins: () => readonly Login[];
  readonly #transport: PlugTransport;
  #outlet: OutletReading | undefined;
  /** The client that the bridge uses: what it sets is confirmed. */
  readonly client: PlugClient;

  constructor(shell: Shell, address: Address, options: PlugOptions, logins: () => readonly Login[]) {
    this.shell = shell;
    this.address = address;
    this.options = options;
    this.#logins = logins;
    this.#transport = this.transportTo(address);
    this.client = new PlugClient(this.#transport, options.timeout ?? TIMEOUT_MS, undefined);
  }

  /** A way to that address, with the logins of the session. */
  transportTo(address: Address): PlugTransport {
    return new PlugTransport(address, { logins: this.#logins, clock: this.shell.clock });
  }

  /** Does `work` and closes; a failure gets words of advice, the end of the program interrupts it. */
  async run(work: () => Promise<void>): Promise<void> {
    const { signal } = this.shell;
    const close = () => this.#transport.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      await work();
    } catch (error) {
      throw signal.aborted ? interrupted() : this.#advised(error);
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** Asks; throws PlugError. A question that takes the plug longer than usual says so with `timeoutMs`. */
  async ask(request: Request, timeoutMs = TIMEOUT_MS): Promise<JsonObject> {
    if (this.shell.signal.aborted) throw interrupted();
    return this.#transport.exchange(request, this.options.timeout ?? timeoutMs);
  }

  /** The outlet that is meant; `undefined` if that is the device. */
  async outlet(): Promise<OutletReading | undefined> {
    const { outlet } = this.options;
    if (outlet !== undefined) this.#outlet ??= outletCalled(outlet, await this.sysinfo());
    return this.#outlet;
  }

  /** Reads state and meter, of the outlet that is meant. */
  async read(): Promise<Observation> {
    const outlet = await this.outlet();
    const seen = await this.client.read();
    return outlet === undefined ? seen : asOfPlug(seen, outlet.id);
  }

  /** Sets what is given, on the outlet that is meant. */
  async apply(settings: Settings): Promise<Applied> {
    const outlet = await this.outlet();
    if (outlet === undefined) return this.client.apply(settings);
    const applied = await this.client.applyTo(() => [outlet.id], settings);
    return { ...asOfPlug(applied, outlet.id), refusal: applied.refusal };
  }

  /** As {@link ask}, in the words of plugs, and about the outlet that is meant; a bulb is asked in words of its own. */
  async askEither(query: Query, timeoutMs?: number): Promise<JsonObject> {
    const outlet = await this.outlet();
    if (outlet !== undefined)
      return replyAsOfPlug(await this.client.send(query, timeoutMs, outlet.id), outlet);
    const plain = request(query);
    const reply = await this.ask(plain, timeoutMs);
    return isOfBulb(plain, reply) ? asAsked(plain, await this.ask(askBulb(plain), timeoutMs)) : reply;
  }

  async sysinfo(): Promise<Sysinfo> {
    return readSysinfo(answerTo(await this.ask(GET_SYSINFO), 'system', 'get_sysinfo'));
  }

  /** Has the user confirm what is dangerous in a query. Throws unless they do. */
  async confirm(query: JsonObject): Promise<void> {
    const dangers = dangersIn(query);
    if (dangers.length === 0 || this.options.yes) return;
    const { input } = this.shell;
    if (!input.isTerminal) {
      const what = dangers.map(({ method, does }) => `${method} ${does}`).join('; ');
      throw new CommandError('not-confirmed', `nothing was done: ${what}. --yes does it without asking`);
    }
    const { alias, model, mac } = await this.sysinfo();
    const plug = [alias, model, mac, `at ${this.address.host}`].filter((part) => part !== undefined);
    for (const { does } of dangers) this.shell.printError(printable(`This ${does}.`));
    const answer = await input.ask(printable(`Plug: ${plug.join(', ')}. Go ahead? [y/N] `));
    if (!/^\s*y(es)?\s*$/i.test(answer ?? '')) throw new BridgeError('declined', 'nothing was done');
  }

  /** Prints data as text, or as JSON with `--json`. */
  show(data: JsonObject): void {
    if (this.options.json) this.shell.print(printableJson(data));
    else for (const line of textOf(data)) this.shell.print(line);
  }

  /** The failure on one line, whatever the plug put into it, and what to do about it on the next. */
  #advised(error: unknown): unknown {
    if (!(error instanceof PlugError)) return error;
    const { reason } = error;
    const isStrip = reason === 'unsupported' && this.client.kind === 'strip';
    const advice = isStrip ? NAME_AN_OUTLET : ADVICE[reason];
    const message = printable(error.message);
    return new PlugError(reason, advice === undefined ? message : `${message}\n${advice}`, { cause: error });
  }
}
