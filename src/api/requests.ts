import type { Logger } from 'pino';
import type { Asker } from '../bridge/command.ts';
import type { BridgeView } from '../bridge/view.ts';
import { BridgeError, CommandError, messageOf } from '../errors.ts';
import type { FoundPlug } from '../plug/discovery.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AdjustableLevel } from '../runtime/log-level.ts';
import { parseJson } from './json-text.ts';
import { announce } from './requests/announce.ts';
import { type BlinkOptions, blink } from './requests/blink.ts';
import { discover } from './requests/discover.ts';
import type { Editor } from './requests/editor.ts';
import { logLevel } from './requests/log-level.ts';
import { plugCommand } from './requests/plug-command.ts';
import { type JournalRequest, recordRequests } from './requests/records.ts';
import { type Handler, MAX_ECHO_LENGTH, notUnderstood, Permission } from './requests/request.ts';
import { siteRequests } from './requests/site.ts';

export interface RequestOptions {
  readonly bridge: BridgeView;
  /** What clients may do beyond reading, by name; `raw` stands for any query. It may change. */
  readonly allow: () => ReadonlySet<string>;
  /** Looks for plugs in the network. */
  readonly search: () => Promise<readonly FoundPlug[]>;
  /** What talks to a plug that was found. */
  readonly clientOf: BlinkOptions['clientOf'];
  readonly logLevel: AdjustableLevel;
  /** Announces everything to Home Assistant again; returns how many devices that were. */
  readonly announce: () => number;
  readonly editor: Editor;
  /** Reads entries of the journal as they are told to clients. */
  readonly journal: (request: JournalRequest) => readonly JsonObject[];
  /** A lifetime counter was set: it belongs into the journal. */
  readonly energySet: (path: string, kwh: number, asker: Asker) => void;
  /** The zone of this machine, as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_REQUEST_BYTES = 16 * 1024;

/** Requests under way at a time; more are refused. */
const MAX_OPEN_REQUESTS = 64;

/** Answers requests to the bridge itself, whichever way they come in. */
export class Requests {
  readonly #log: Logger;
  readonly #handlers: ReadonlyMap<string, Handler>;
  #open = 0;

  constructor(options: RequestOptions) {
    this.#log = options.log;
    const permission = new Permission(options.allow, options.log);
    const command = plugCommand({ ...options, permission });
    this.#handlers = new Map<string, Handler>([
      ['discover', discover(options.search)],
      ['homeassistant/announce', announce(options.announce)],
      ['log/level', logLevel(options.logLevel, permission)],
      ['discover/blink', blink({ ...options, permission })],
      ['plug/command', command],
      ...recordRequests({ ...options, permission }),
      ...siteRequests({ ...options, permission, command }),
    ]);
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
      const data = await this.#handler(name)(request, asker);
      return responseText(echo, { status: 'ok', data });
    } catch (error) {
      if (!(error instanceof BridgeError))
        this.#log.error({ err: error, request: name.slice(0, MAX_ECHO_LENGTH) }, 'unexpected failure');
      const code = error instanceof BridgeError ? error.code : 'unexpected';
      return responseText(echo, { status: 'error', code, error: messageOf(error) });
    } finally {
      this.#open--;
    }
  }

  #handler(name: string): Handler {
    const handler = this.#handlers.get(name);
    if (handler !== undefined) return handler;
    const names = [...this.#handlers.keys()].join(', ');
    throw notUnderstood(`there is no request "${name.slice(0, 80)}"; there are ${names}`);
  }
}

function readRequest(payload: Buffer): JsonObject {
  if (payload.length > MAX_REQUEST_BYTES)
    throw notUnderstood(`a request may have ${MAX_REQUEST_BYTES} bytes`);
  if (payload.length === 0) return {};
  const value = parseJson(payload.toString('utf8'));
  if (!isObject(value)) throw notUnderstood('a request is a JSON object');
  return value;
}

/** What the response repeats of the request. Throws CommandError if the transaction is too long for that. */
function echoOf({ plug, command, transaction }: JsonObject): JsonObject {
  if (transaction !== undefined && JSON.stringify(transaction).length > MAX_ECHO_LENGTH)
    throw notUnderstood(`"transaction" may have ${MAX_ECHO_LENGTH} characters`);
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
