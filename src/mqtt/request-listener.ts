import type { Logger } from 'pino';
import type { BridgeView } from '../bridge/view.ts';
import { BridgeError, CommandError, messageOf } from '../errors.ts';
import type { FoundPlug } from '../plug/discovery.ts';
import { checkCount } from '../plug/preset.ts';
import { presetOf } from '../plug/presets.ts';
import { isObject, type JsonObject, textAt } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { Incoming, MqttSession } from './session.ts';
import type { Topics } from './topics.ts';

export interface RequestOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  /** Commands that may change something; `raw` stands for any query. Those that only read are always allowed. */
  readonly allow: ReadonlySet<string>;
  /** Looks for plugs in the network. */
  readonly search: () => Promise<readonly FoundPlug[]>;
  /** The zone of this machine, as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_REQUEST_BYTES = 16 * 1024;

/** Commands that have a topic of their own. */
const SWITCHING = new Set(['on', 'off', 'toggle']);

/** Requests under way at a time; more are refused. */
const MOST_REQUESTS = 64;

/** Answers requests to the bridge itself, each with one response. */
export class RequestListener implements Task {
  readonly name = 'requests';
  readonly #options: RequestOptions;
  readonly #open = new Set<Promise<void>>();

  constructor(options: RequestOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { session, topics } = this.#options;
    session.listen([topics.request('#')], (incoming) => this.#received(incoming));
    ready();
    await aborted(signal);
    await Promise.all(this.#open);
  }

  #received(incoming: Incoming): void {
    const target = this.#options.topics.parse(incoming.topic);
    if (target?.verb !== 'request' || incoming.retain) return;
    const answered: Promise<void> = this.#answer(target.name, incoming).finally(() =>
      this.#open.delete(answered),
    );
    this.#open.add(answered);
  }

  async #answer(name: string, { payload }: Incoming): Promise<void> {
    let request: JsonObject = {};
    let response: JsonObject;
    try {
      request = readRequest(payload);
      if (this.#open.size >= MOST_REQUESTS)
        throw new CommandError('busy', 'too many requests at a time; try again');
      response = { status: 'ok', data: await this.#carryOut(name, request) };
    } catch (error) {
      if (!(error instanceof BridgeError))
        this.#options.log.error({ err: error, request: name }, 'unexpected failure');
      response = {
        status: 'error',
        code: error instanceof BridgeError ? error.code : 'unexpected',
        error: messageOf(error),
      };
    }
    const { session, topics } = this.#options;
    const { plug, command, transaction } = request;
    const echoed = { ...(plug === undefined ? {} : { plug }), ...(command === undefined ? {} : { command }) };
    const text = JSON.stringify({
      ...echoed,
      ...response,
      ...(transaction === undefined ? {} : { transaction }),
    });
    session.publish({ topic: topics.response(name), payload: text, retain: false, qos: 1, keep: true });
  }

  #carryOut(name: string, request: JsonObject): Promise<unknown> {
    if (name === 'discover') return this.#discover();
    if (name === 'plug/command') return this.#plugCommand(request);
    throw new CommandError(
      'not-understood',
      `there is no request "${name.slice(0, 80)}"; there are discover and plug/command`,
    );
  }

  async #discover(): Promise<JsonObject[]> {
    const found = await this.#options.search();
    return found.map(({ mac, address, speaks, joined, sysinfo }) => ({
      mac,
      address: `${address.host}:${address.port}`,
      alias: sysinfo.alias ?? null,
      model: sysinfo.model ?? null,
      newer_firmware: speaks === 'klap',
      joined,
    }));
  }

  async #plugCommand(request: JsonObject): Promise<unknown> {
    const { bridge } = this.#options;
    const path = textAt(request, 'plug');
    const command = textAt(request, 'command');
    if (path === undefined || command === undefined) {
      throw new CommandError('not-understood', 'send {"plug":"shed3","command":"info"}');
    }
    if (bridge.plug(path) === undefined) throw new CommandError('not-found', `there is no plug ${path}`);
    const data =
      command === 'raw' ? await this.#raw(path, request) : await this.#preset(path, command, request);
    if (command !== 'info') bridge.refresh(path);
    return data;
  }

  async #raw(path: string, { query }: JsonObject): Promise<JsonObject> {
    this.#permit('raw');
    if (!isQuery(query)) throw new CommandError('not-understood', '"query" must be {"module":{"method":{}}}');
    return this.#options.bridge.ask(path, query);
  }

  async #preset(path: string, command: string, request: JsonObject): Promise<JsonObject> {
    const preset = presetOf(command);
    if (preset === undefined)
      throw new CommandError('not-understood', `there is no command "${command.slice(0, 80)}"`);
    if (SWITCHING.has(command)) throw this.#elsewhere(path);
    if (!preset.readOnly) this.#permit(command);
    const given = readArguments(request.args);
    checkCount(preset, given);
    const { bridge, clock, timeZone } = this.#options;
    const first = preset.before?.(given);
    const before = first === undefined ? {} : await bridge.ask(path, first);
    const { query, read } = preset.plan(given, { date: clock.date(), timeZone, before });
    return read(await bridge.ask(path, query, preset.patienceMs));
  }

  /** Switching has one way in, where plugs may be locked and every command has its receipt. */
  #elsewhere(path: string): CommandError {
    const topic = this.#options.topics.below(path, 'set');
    return new CommandError('not-understood', `send ON, OFF or TOGGLE to ${topic}`);
  }

  /** Throws CommandError unless the configuration allows the command. */
  #permit(command: string): void {
    const { allow, log } = this.#options;
    if (allow.has(command)) return;
    log.warn(
      { command, cure: `allow: [${command}]` },
      'a request was refused that the configuration does not allow',
    );
    throw new CommandError(
      'not-allowed',
      `${command} is not allowed; write "allow: [${command}]" into the configuration`,
    );
  }
}

function readRequest(payload: Buffer): JsonObject {
  if (payload.length > MAX_REQUEST_BYTES)
    throw new CommandError('not-understood', `a request may have ${MAX_REQUEST_BYTES} bytes`);
  if (payload.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw new CommandError('not-understood', 'a request is a JSON object', { cause });
  }
  if (!isObject(value)) throw new CommandError('not-understood', 'a request is a JSON object');
  return value;
}

function readArguments(value: unknown): string[] {
  const list: unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item === 'string' || typeof item === 'number') return String(item);
    throw new CommandError('not-understood', '"args" must be a list of texts and numbers');
  });
}

function isQuery(value: unknown): value is Query {
  return (
    isObject(value) &&
    Object.values(value).every((methods) => isObject(methods) && Object.values(methods).every(isObject))
  );
}
