import { type Command, Option } from 'commander';
import { BridgeError, messageOf, PlugError, type Reason } from '../errors.ts';
import { PlugTransport } from '../plug/plug-transport.ts';
import type { Address, Transport } from '../plug/transport.ts';
import { printableJson } from '../printable.ts';
import { bulbModule } from '../protocol/bulb-modules.ts';
import { isObject, type JsonObject, textAt } from '../protocol/json.ts';
import { LIGHT_MODULES } from '../protocol/light.ts';
import { answerTo, readSysinfo, readTime, type Sysinfo } from '../protocol/replies.ts';
import { GET_SYSINFO, type Query, request } from '../protocol/requests.ts';
import { SENSOR_MODULES } from '../protocol/sensors.ts';
import { redact } from '../redaction.ts';
import { sleep } from '../runtime/clock.ts';
import { RECORDING_KEY } from '../simulator/recorded-device.ts';
import { examples, plugAddress, seconds } from './arguments.ts';
import { interrupted } from './input.ts';
import { loginsAt } from './logins.ts';
import type { Shell } from './shell.ts';

interface RecordOptions {
  readonly output?: string;
  readonly timeout: number;
}

/** The year and month whose statistics are asked for. */
type Month = { readonly year: number; readonly month: number };

/** Plugs need a pause after a question that they did not answer in time. */
const PAUSE_MS = 1000;

/** Failures that no other question would fare better with. */
const FINAL: ReadonlySet<Reason> = new Set(['refused', 'unreachable', 'unknown-host']);

/** Adds `record`: all that a plug reports of itself, as a file without what is private. */
export function addRecordVerb(program: Command, shell: Shell): void {
  program
    .command('record')
    .argument('<host[:port]>', 'the plug', plugAddress)
    .description('ask a plug everything that changes nothing, and write its answers, redacted, to a file')
    .option(
      '--output <file>',
      'write to this file; - prints it (default: named by model, hardware, firmware)',
    )
    .addOption(
      new Option('--timeout <time>', 'how long each answer may take: 5s, 500ms, or a number of seconds')
        .default(5000, '5s')
        .argParser(seconds(100, 60_000)),
    )
    .addHelpText(
      'after',
      examples('hs110-mqtt record 192.168.1.145', 'hs110-mqtt simulate --from "HS110(EU)_1.0_1.2.5.json"'),
    )
    .action((address: Address, options: RecordOptions) =>
      record(shell, new PlugTransport(address, { logins: loginsAt(shell), clock: shell.clock }), options),
    );
}

async function record(shell: Shell, transport: Transport, { output, timeout }: RecordOptions): Promise<void> {
  const recorder = new Recorder(transport, timeout, shell);
  const recording = redact(await recorder.record());
  const text = `${printableJson(recording, 2)}\n`;
  if (output === '-') shell.print(text.trimEnd());
  else {
    const name = output ?? recordingName(recorder.sysinfo);
    if (output === undefined && shell.fileExists(name))
      throw new BridgeError('file-exists', `${name} is there already; give --output ${name} to replace it`);
    write(shell, name, text);
    shell.print(`${name}: ${recorder.answers} answers, redacted. Read it before you give it away.`);
  }
  for (const [question, reason] of recorder.unanswered)
    shell.printError(`not answered: ${question} (${reason})`);
}

function write(shell: Shell, name: string, text: string): void {
  try {
    shell.writeFile(name, text);
  } catch (cause) {
    throw new BridgeError('cannot-write', `${name} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** The name of a recording's file, `HS110(EU)_1.0_1.2.5.json`, safe whatever the plug says. */
export function recordingName(sysinfo: JsonObject): string {
  const firmware = textAt(sysinfo, 'sw_ver')?.trim().split(' ')[0];
  const parts = [textAt(sysinfo, 'model'), textAt(sysinfo, 'hw_ver'), firmware].map(safe);
  return `${parts.join('_')}.json`;
}

function safe(text: string | undefined): string {
  const plain = (text ?? '').slice(0, 40).replaceAll(/[^A-Za-z0-9().-]+/g, '-');
  return plain.replaceAll(/^[.-]+|[.-]+$/g, '') || 'unknown';
}

/**
 * Asks a plug for its sysinfo, then one module after the other. What it answers is kept as it is, errors too:
 * `{recording: …, module: {method: answer}}`, where `recording` says which month the statistics are of and what
 * was not answered.
 */
class Recorder {
  readonly #transport: Transport;
  readonly #timeoutMs: number;
  readonly #shell: Shell;
  readonly #modules: { [module: string]: JsonObject } = {};
  /** Questions without an answer, and why. */
  readonly unanswered = new Map<string, Reason>();
  sysinfo: JsonObject = {};
  #isBulb = false;

  constructor(transport: Transport, timeoutMs: number, shell: Shell) {
    this.#transport = transport;
    this.#timeoutMs = timeoutMs;
    this.#shell = shell;
  }

  get answers(): number {
    const count = (answer: JsonObject) => ('err_code' in answer ? 1 : Object.keys(answer).length);
    return Object.values(this.#modules).reduce((sum, answer) => sum + count(answer), 0);
  }

  /** Rejects with PlugError if the plug does not even say what it is. */
  async record(): Promise<JsonObject> {
    const { signal, version } = this.#shell;
    const stop = () => this.#transport.close();
    signal.addEventListener('abort', stop);
    try {
      this.sysinfo = answerTo(await this.#exchange(GET_SYSINFO.query), 'system', 'get_sysinfo');
      this.#modules.system = { get_sysinfo: this.sysinfo };
      const sysinfo = readSysinfo(this.sysinfo);
      this.#isBulb = sysinfo.kind === 'bulb';
      await this.#askModule('time', { get_time: {}, get_timezone: {} });
      const statistics = this.#month();
      for (const [module, methods] of Object.entries(questions(statistics, sysinfo))) {
        await this.#askModule(module, methods);
      }
      const unanswered = Object.fromEntries(this.unanswered);
      return { [RECORDING_KEY]: { by: `hs110-mqtt ${version}`, statistics, unanswered }, ...this.#modules };
    } finally {
      signal.removeEventListener('abort', stop);
      this.#transport.close();
    }
  }

  /** Asks all methods at once; one by one if that was too much for the plug. */
  async #askModule(plain: string, methods: Query[string]): Promise<void> {
    const module = this.#called(plain);
    const failure = await this.#ask(module, methods);
    if (failure === undefined) return;
    const single = FINAL.has(failure) || Object.keys(methods).length === 1;
    for (const [method, argument] of Object.entries(methods)) {
      const reason = single ? failure : await this.#ask(module, { [method]: argument });
      if (reason !== undefined) this.unanswered.set(`${module}.${method}`, reason);
    }
  }

  /** Asks and keeps the answer; returns why there was none. */
  async #ask(module: string, methods: Query[string]): Promise<Reason | undefined> {
    const { clock, signal } = this.#shell;
    try {
      const answer = (await this.#exchange({ [module]: methods }))[module];
      if (!isObject(answer)) return 'bad-answer';
      this.#keep(module, methods, answer);
      return undefined;
    } catch (error) {
      if (!(error instanceof PlugError)) throw error;
      if (error.reason === 'timeout') await sleep(clock, PAUSE_MS, signal);
      return error.reason;
    }
  }

  /** A module that is refused as a whole is kept so, unless some of its methods have been answered already. */
  #keep(module: string, methods: Query[string], answer: JsonObject): void {
    const known = this.#modules[module];
    const refused = 'err_code' in answer && known !== undefined;
    const each = refused
      ? Object.fromEntries(Object.keys(methods).map((method) => [method, answer]))
      : answer;
    this.#modules[module] = { ...known, ...each };
  }

  async #exchange(query: Query): Promise<JsonObject> {
    const { signal } = this.#shell;
    if (signal.aborted) throw interrupted();
    try {
      return await this.#transport.exchange(request(query), this.#timeoutMs);
    } catch (error) {
      throw signal.aborted ? interrupted() : error;
    }
  }

  /** What the device calls a module of plugs. */
  #called(module: string): string {
    return this.#isBulb ? bulbModule(module) : module;
  }

  /** The month by the plug's own calendar, else by ours. */
  #month(): Month {
    try {
      const { year, month } = readTime(answerTo(this.#modules, this.#called('time'), 'get_time'));
      return { year, month };
    } catch (error) {
      if (!(error instanceof PlugError)) throw error;
      const now = new Date(this.#shell.clock.date());
      return { year: now.getUTCFullYear(), month: now.getUTCMonth() + 1 };
    }
  }
}

const BULB_QUESTIONS = { get_light_state: {}, get_light_details: {}, get_default_behavior: {} };

const LIGHT_QUESTIONS = {
  dimmer: { get_dimmer_parameters: {}, get_default_behavior: {} },
  bulb: BULB_QUESTIONS,
  'light-strip': BULB_QUESTIONS,
} as const;

const SENSOR_QUESTIONS: Query = {
  [SENSOR_MODULES.motion]: { get_config: {}, get_adc_value: {} },
  [SENSOR_MODULES.light]: { get_config: {}, get_current_brt: {}, get_adc_value: {}, get_dark_status: {} },
};

/** All that is safe to ask; the meter only where there is one. What takes the plug long comes last. */
function questions({ year, month }: Month, { hasMeter, hasSensors, light }: Sysinfo): Query {
  const statistics = { get_daystat: { year, month }, get_monthstat: { year } };
  const emeter = { get_realtime: {}, get_vgain_igain: {}, ...statistics };
  return {
    ...(hasMeter ? { emeter } : {}),
    ...(light === undefined
      ? {}
      : { [LIGHT_MODULES[light.ability.service]]: LIGHT_QUESTIONS[light.ability.service] }),
    ...(hasSensors ? SENSOR_QUESTIONS : {}),
    system: { get_dev_icon: {}, get_download_state: {} },
    cnCloud: { get_info: {}, get_intl_fw_list: {} },
    schedule: { get_next_action: {}, get_rules: {}, ...statistics },
    count_down: { get_rules: {} },
    anti_theft: { get_rules: {} },
    netif: { get_stainfo: {}, get_scaninfo: { refresh: 0 } },
  };
}
