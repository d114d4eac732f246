import type { Logger } from 'pino';
import type { Asker } from '../bridge/command.ts';
import type { BridgeView } from '../bridge/view.ts';
import { BridgeError, CommandError, messageOf } from '../errors.ts';
import type { FoundPlug } from '../plug/discovery.ts';
import { checkCount, type Preset } from '../plug/presets/preset.ts';
import { presetOf } from '../plug/presets/presets.ts';
import { isObject, type JsonObject, textAt } from '../protocol/json.ts';
import type { Query } from '../protocol/requests.ts';
import type { Clock } from '../runtime/clock.ts';
import { parseJson } from './json-text.ts';

export interface RequestOptions {
  readonly bridge: BridgeView;
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

/** Characters of a text that is echoed in the response; `transaction` may be any JSON that is no longer. */
const MAX_ECHO_LENGTH = 256;

/** Commands that have a way of their own, where each has its receipt. */
const SWITCHING = new Set(['on', 'off', 'toggle']);

/** Requests under way at a time; more are refused. */
const MAX_OPEN_REQUESTS = 64;

/** Answers requests to the bridge itself, whichever way they come in. */
export class Requests {
  readonly #options: RequestOptions;
  #open = 0;

  constructor(options: RequestOptions) {
    this.#options = options;
  }

  /** Carries out the request of that name; resolves with its one response as JSON text, never rejects. */
  async answer(name: string, payload: Buffer, asker: Asker): Promise<string> {
    let echo: JsonObject = {};
    this.#open++;
    try {
      const request = readRequest(payload);
      echo = echoOf(request);
      if (this.#open > MAX_OPEN_REQUESTS)
        throw new CommandError('busy', 'too many requests at a time; try again');
      const data = await this.#carryOut(name, request, asker);
      return responseText(echo, { status: 'ok', data });
    } catch (error) {
      if (!(error instanceof BridgeError))
        this.#options.log.error(
          { err: error, request: name.slice(0, MAX_ECHO_LENGTH) },
          'unexpected failure',
        );
      const code = error instanceof BridgeError ? error.code : 'unexpected';
      return responseText(echo, { status: 'error', code, error: messageOf(error) });
    } finally {
      this.#open--;
    }
  }

  async #carryOut(name: string, request: JsonObject, asker: Asker): Promise<unknown> {
    if (name === 'discover') return this.#discover();
    if (name === 'plug/command') return this.#plugCommand(request, asker);
    throw new CommandError(
      'not-understood',
      `there is no request "${name.slice(0, 80)}"; there are discover and plug/command`,
    );
  }

  async #discover(): Promise<JsonObject[]> {
    const found = await this.#options.search();
    return found.map(({ mac, address, protocol, joined, sysinfo }) => ({
      mac,
      address: `${address.host}:${address.port}`,
      alias: sysinfo.alias ?? null,
      model: sysinfo.model ?? null,
      newer_firmware: protocol === 'klap',
      joined,
    }));
  }

  async #plugCommand(request: JsonObject, asker: Asker): Promise<unknown> {
    const { bridge } = this.#options;
    const path = textAt(request, 'plug');
    const command = textAt(request, 'command');
    if (path === undefined || command === undefined) {
      throw new CommandError('not-understood', 'send {"plug":"shed3","command":"info"}');
    }
    if (bridge.plug(path) === undefined)
      throw new CommandError('not-found', `there is no plug ${path.slice(0, MAX_ECHO_LENGTH)}`);
    const data =
      command === 'raw'
        ? await this.#raw(path, request, asker)
        : await this.#preset(path, command, request, asker);
    if (command !== 'info') bridge.refresh(path);
    return data;
  }

  async #raw(path: string, { query }: JsonObject, asker: Asker): Promise<JsonObject> {
    this.#permit('raw', asker);
    if (!isQuery(query)) throw new CommandError('not-understood', '"query" must be {"module":{"method":{}}}');
    if (!onlyReads(query)) this.#checkLock(path, 'a raw query with methods other than get_…');
    return this.#options.bridge.ask(path, query);
  }

  async #preset(path: string, command: string, request: JsonObject, asker: Asker): Promise<JsonObject> {
    const preset = presetOf(command);
    if (preset === undefined)
      throw new CommandError('not-understood', `there is no command "${command.slice(0, 80)}"`);
    if (SWITCHING.has(command)) {
      throw new CommandError('not-understood', `to switch ${path} send ON, OFF or TOGGLE to its topic "set"`);
    }
    if (!preset.readOnly) {
      this.#permit(command, asker);
      this.#checkLock(path, command);
    }
    return this.#run(path, preset, readArguments(request.args));
  }

  async #run(path: string, preset: Preset, given: readonly string[]): Promise<JsonObject> {
    checkCount(preset, given);
    const { bridge, clock, timeZone } = this.#options;
    const first = preset.before?.(given);
    const before = first === undefined ? {} : await bridge.ask(path, first);
    const { query, read } = preset.plan(given, { date: clock.date(), timeZone, before });
    return read(await bridge.ask(path, query, preset.timeoutMs));
  }

  /** Throws CommandError unless the configuration allows the command. */
  #permit(command: string, { origin, user }: Asker): void {
    const { allow, log } = this.#options;
    if (allow.has(command)) return;
    log.warn(
      { command, origin, ...(user === null ? {} : { user }), cure: `allow: [${command}]` },
      'a request was refused that the configuration does not allow',
    );
    throw new CommandError(
      'not-allowed',
      `${command} is not allowed; write "allow: [${command}]" into the configuration`,
    );
  }

  /** Throws CommandError if the plug is locked: then whatever may change it is refused, also where it is allowed. */
  #checkLock(path: string, what: string): void {
    if (!this.#options.bridge.isLocked(path)) return;
    throw new CommandError('locked', `${path} is locked by the configuration, which refuses ${what}`);
  }
}

function readRequest(payload: Buffer): JsonObject {
  if (payload.length > MAX_REQUEST_BYTES)
    throw new CommandError('not-understood', `a request may have ${MAX_REQUEST_BYTES} bytes`);
  if (payload.length === 0) return {};
  const value = parseJson(payload.toString('utf8'));
  if (!isObject(value)) throw new CommandError('not-understood', 'a request is a JSON object');
  return value;
}

/** What the response repeats of the request. Throws CommandError if the transaction is too long for that. */
function echoOf({ plug, command, transaction }: JsonObject): JsonObject {
  if (transaction !== undefined && JSON.stringify(transaction).length > MAX_ECHO_LENGTH) {
    throw new CommandError('not-understood', `"transaction" may have ${MAX_ECHO_LENGTH} characters`);
  }
  return {
    ...(isShortText(plug) ? { plug } : {}),
    ...(isShortText(command) ? { command } : {}),
    ...(transaction === undefined ? {} : { transaction }),
  };
}

function isShortText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_ECHO_LENGTH;
}

function responseText({ transaction, ...subject }: JsonObject, outcome: JsonObject): string {
  return JSON.stringify({ ...subject, ...outcome, ...(transaction === undefined ? {} : { transaction }) });
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

/** Whether every method of the query is one of those that change nothing. */
function onlyReads(query: Query): boolean {
  return Object.values(query).every((methods) =>
    Object.keys(methods).every((method) => method.startsWith('get_')),
  );
}
