import type { Asker } from '../../bridge/command.ts';
import type { BridgeView } from '../../bridge/view.ts';
import { CommandError } from '../../errors.ts';
import { checkCount, type Preset } from '../../plug/presets/preset.ts';
import { presetOf } from '../../plug/presets/presets.ts';
import { isObject, type JsonObject, textAt } from '../../protocol/json.ts';
import type { Query } from '../../protocol/requests.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Handler, MAX_ECHO_LENGTH, notUnderstood, type Permission } from './request.ts';

export interface PlugCommandOptions {
  readonly bridge: BridgeView;
  readonly permission: Permission;
  /** The zone of this machine, as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly clock: Clock;
}

/** `plug/command`: sends a plug one of the commands of `hs110-mqtt plug`, or with `raw` any query. */
export function plugCommand(options: PlugCommandOptions): Handler {
  const { bridge } = options;
  return async (request, asker) => {
    const path = textAt(request, 'plug');
    const command = textAt(request, 'command');
    if (path === undefined || command === undefined)
      throw notUnderstood('send {"plug":"shed3","command":"info"}');
    if (bridge.plug(path) === undefined)
      throw new CommandError('not-found', `there is no plug ${path.slice(0, MAX_ECHO_LENGTH)}`);
    const data =
      command === 'raw'
        ? await raw(path, request, asker, options)
        : await preset(path, command, request, asker, options);
    if (command !== 'info') bridge.refresh(path);
    return data;
  };
}

async function raw(
  path: string,
  { query }: JsonObject,
  asker: Asker,
  { bridge, permission }: PlugCommandOptions,
): Promise<JsonObject> {
  permission.demand('raw', asker);
  if (!isQuery(query)) throw notUnderstood('"query" must be {"module":{"method":{}}}');
  if (!onlyReads(query)) checkLock(bridge, path, 'a raw query with methods other than get_…');
  return bridge.ask(path, query);
}

async function preset(
  path: string,
  command: string,
  request: JsonObject,
  asker: Asker,
  options: PlugCommandOptions,
): Promise<JsonObject> {
  const found = presetOf(command);
  if (found === undefined) throw notUnderstood(`there is no command "${command.slice(0, 80)}"`);
  if (found.asCommand !== undefined)
    throw notUnderstood(`to switch ${path} send ${found.asCommand} to its topic "set"`);
  if (!found.readOnly) {
    options.permission.demand(command, asker);
    checkLock(options.bridge, path, command);
  }
  return run(path, found, readArguments(request.args), options);
}

async function run(
  path: string,
  found: Preset,
  given: readonly string[],
  { bridge, clock, timeZone }: PlugCommandOptions,
): Promise<JsonObject> {
  checkCount(found, given);
  const first = found.before?.(given);
  const before = first === undefined ? {} : await bridge.ask(path, first);
  const { query, read } = found.plan(given, { date: clock.date(), timeZone, before });
  return read(await bridge.ask(path, query, found.timeoutMs));
}

/** Throws CommandError if the plug is locked: then whatever may change it is refused, also where it is allowed. */
function checkLock(bridge: BridgeView, path: string, what: string): void {
  if (!bridge.isLocked(path)) return;
  throw new CommandError('locked', `${path} is locked by the configuration, which refuses ${what}`);
}

function readArguments(value: unknown): string[] {
  const list: unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item === 'string' || typeof item === 'number') return String(item);
    throw notUnderstood('"args" must be a list of texts and numbers');
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
