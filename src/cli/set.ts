import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseJson } from '../api/json-text.ts';
import { loadConfig } from '../config/load.ts';
import { nearest } from '../config/nearest.ts';
import type { Config } from '../config/schema.ts';
import { BridgeError, CommandError } from '../errors.ts';
import { printable, printableJson } from '../printable.ts';
import { isObject, type JsonObject, textAt } from '../protocol/json.ts';
import { parseDuration } from '../runtime/duration.ts';
import { examples, wholeNumber } from './arguments.ts';
import { type Flags, sourcesOf } from './flags.ts';
import type { Shell } from './shell.ts';
import { demandOnline, type Site, withSite } from './site-reading.ts';

interface SetOptions {
  readonly brightness?: number;
  readonly for?: string;
  readonly ttl?: string;
  readonly json?: true;
}

/** How long a receipt may take beyond the time that the command is tried. */
const RECEIPT_MS = 10_000;

/** From then on a person is told what is waited for. */
const PATIENCE_MS = 1000;

/** Adds `set`: switches a plug or a place by the bridge that runs. */
export function addSetVerb(program: Command, shell: Shell, flags: Flags): void {
  const verb = program
    .command('set')
    .argument('<path>', 'plug or place, as shed3 or east-wing')
    .argument('<state>', 'ON, OFF or TOGGLE', wordOf('ON', 'OFF', 'TOGGLE'))
    .description('have the running bridge switch a plug or a place, and print the receipt')
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt set shed3 ON',
        'hs110-mqtt set east-wing ON --for 8h',
        'hs110-mqtt set hall ON --brightness 40',
        'hs110-mqtt set shed3 OFF --json',
      ),
    );
  verb.option('--brightness <percent>', 'of a dimmer or bulb that is switched on', wholeNumber(1, 100));
  withOptions(verb).action((path: string, state: string, options: SetOptions) =>
    set(shell, flags, path, state, options),
  );
}

/** Adds `all`: the same for the whole site. */
export function addAllVerb(program: Command, shell: Shell, flags: Flags): void {
  const verb = program
    .command('all')
    .argument('<state>', 'ON or OFF', wordOf('ON', 'OFF'))
    .description('have the running bridge switch the whole site, and name every plug that did not confirm')
    .addHelpText('after', examples('hs110-mqtt all off', 'hs110-mqtt all off --config /etc/hs110-mqtt.yaml'));
  withOptions(verb).action((state: string, options: SetOptions) =>
    set(shell, flags, undefined, state, options),
  );
}

function withOptions(verb: Command): Command {
  return verb
    .addOption(
      new Option('--for <time>', 'switch back after this time, as 30m or 8h').argParser(durationText),
    )
    .addOption(
      new Option('--ttl <time>', 'how long to try a plug that is away, as 60s').argParser(durationText),
    )
    .option('--json', 'print the receipt as JSON');
}

function wordOf(...words: readonly string[]): (text: string) => string {
  return (text) => {
    const word = text.toUpperCase();
    if (words.includes(word)) return word;
    throw new InvalidArgumentError(`It must be ${words.join(' or ')}.`);
  };
}

function durationText(text: string): string {
  if (parseDuration(text) !== undefined) return text;
  throw new InvalidArgumentError('It must be a duration such as 30s, 30m or 8h.');
}

/** Sends the command, to the whole site without a path, and rejects unless every plug that it is for has confirmed it. */
async function set(
  shell: Shell,
  flags: Flags,
  path: string | undefined,
  state: string,
  options: SetOptions,
): Promise<void> {
  const config = loadConfig(sourcesOf(shell, flags()));
  const target = path === undefined ? '' : withoutBase(path, config.mqtt.baseTopic);
  const receipt = await withSite(shell, config, (site) => {
    demandOnline(site);
    demandTarget(target, site);
    return send(site, target, state, options, config, shell);
  });
  if (options.json) shell.print(printableJson(receipt));
  else for (const line of receiptLines(receipt)) shell.print(line);
  const { outcome } = receipt;
  if (outcome !== 'confirmed')
    throw new BridgeError('not-confirmed', `the command was not confirmed: ${printable(String(outcome))}`);
}

/** A path may be given as its topic. Throws CommandError if nothing is left: an empty variable is not the whole site. */
function withoutBase(path: string, base: string): string {
  if (path === base) return '';
  const target = (path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path).replace(/\/+$/, '');
  if (target !== '') return target;
  throw new CommandError(
    'no-path',
    `${JSON.stringify(path)} names no plug; the whole site is \`hs110-mqtt all\``,
  );
}

/** Throws CommandError if the bridge has no such plug or place. */
function demandTarget(target: string, { state }: Site): void {
  const paths = state.paths;
  if (paths === undefined || state.plugs(target).length > 0 || target === '') return;
  const places = paths.flatMap((path) =>
    path
      .split('/')
      .slice(0, -1)
      .map((_, level, all) => all.slice(0, level + 1).join('/')),
  );
  const near = nearest(target, new Set([...paths, ...places]));
  const hint = near === undefined ? '`hs110-mqtt status` lists all' : `did you mean ${near}?`;
  throw new CommandError('not-found', `the bridge has no plug or place ${printable(target)}; ${hint}`);
}

/** Resolves with the receipt. */
async function send(
  { client }: Site,
  target: string,
  state: string,
  options: SetOptions,
  config: Config,
  shell: Shell,
): Promise<JsonObject> {
  const { topics } = client;
  const id = `cli-${Math.floor(shell.random() * 0xffff_ffff).toString(16)}`;
  const command = {
    state,
    id,
    ...(options.brightness && { brightness: options.brightness }),
    ...(options.for && { for: options.for }),
    ...(options.ttl && { ttl: options.ttl }),
  };
  const ttlMs = (options.ttl && parseDuration(options.ttl)) || config.command.ttl;
  const patience = shell.clock.timer(() => {
    if (shell.isTerminal) shell.printError(`waiting for ${topics.of(target)} …`);
  });
  patience.set(PATIENCE_MS);
  try {
    const receipt = await client.wait<JsonObject>(ttlMs + RECEIPT_MS, async (settled) => {
      await client.listen(topics.below(target, 'result'), (topic, payload) => {
        if (topic !== topics.below(target, 'result')) return;
        const said = receiptIn(payload);
        if (said.id === id) settled(said);
      });
      await client.publish(topics.below(target, 'set'), JSON.stringify(command));
    });
    if (receipt !== undefined) return receipt;
  } finally {
    patience.clear();
  }
  throw new BridgeError(
    'no-receipt',
    'no receipt came: either the broker does not let you publish there, or the bridge is stuck; the command may still be carried out',
  );
}

function receiptIn(payload: Buffer): JsonObject {
  try {
    const value = parseJson(payload.toString('utf8'));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** A receipt in words; who did not confirm is named. */
function receiptLines(receipt: JsonObject): string[] {
  const { target, wanted, confirmed, total, locked, ms, outcome } = receipt;
  const reason = textAt(receipt, 'reason');
  const missing = Array.isArray(receipt.missing) ? receipt.missing.filter(isObject) : [];
  const name = printable(String(target));
  const kept = typeof locked === 'number' ? `, ${locked} locked` : '';
  const single = total === 1 && missing.every(({ path }) => name.endsWith(String(path)));
  const state = String(wanted).toUpperCase();
  if (outcome === 'confirmed' && single) return [printable(`${name} is ${state} (${ms} ms)`)];
  if (outcome === 'confirmed' || missing.length > 0) {
    const head = single
      ? `${name} is not known to be ${state}: ${reason}`
      : `${name}: ${confirmed} of ${total} are ${state}${kept} (${ms} ms)`;
    const names = single ? [] : missing.map(({ path, reason: why }) => `  ${path}: ${why}`);
    return [head, ...names].map(printable);
  }
  return [printable(`${name}: ${outcome}: ${reason ?? 'without a reason'}`)];
}
