import { type ExplainedOption, MASK } from '../config/explain.ts';
import { leaves } from '../config/option.ts';
import { PLUG_SCHEMA, type SCHEMA } from '../config/schema.ts';
import { flatOptions } from '../config/site-edits.ts';
import { CommandError } from '../errors.ts';
import type { JsonObject } from '../protocol/json.ts';

/** Groups of options that may be set from afar. With any other one could lock oneself out, or let others in. */
const SETTABLE: readonly (keyof typeof SCHEMA)[] = [
  'poll',
  'command',
  'homeassistant',
  'report',
  'discovery',
  'clock',
  'log',
];

/** Of those groups: whom the bridge asks and connects to is for the site to say. */
const NOT_SETTABLE: ReadonlySet<string> = new Set(['discovery.networks', 'discovery.targets']);

/** Options of a plug that say which one it is, and the request that changes them. */
const OWN_REQUEST: ReadonlyMap<string, string> = new Map([
  ['path', 'plug/move'],
  ['host', 'plug/replace'],
  ['mac', 'plug/replace'],
  ['alias', 'plug/replace'],
]);

/** Passwords of plugs. */
const SECRETS: ReadonlySet<string> = new Set(
  [...leaves(PLUG_SCHEMA)].flatMap(([name, { secret }]) => (secret ? [name] : [])),
);

/** Throws CommandError if an option of the program may not be set from afar, or would have no effect in the file. */
export function demandSettable(options: JsonObject, explained: readonly ExplainedOption[]): void {
  for (const [name] of flatOptions(options)) {
    if (NOT_SETTABLE.has(name) || !SETTABLE.some((group) => name.startsWith(`${group}.`)))
      throw new CommandError('not-settable', `${name.slice(0, 80)} is changed in the file only`);
    const { source, at } = explained.find((option) => option.name === name) ?? { source: 'default', at: '' };
    if (source === 'environment' || source === 'flag')
      throw new CommandError('not-settable', `${name} is given by ${at}, which goes before the file`);
  }
}

/** Throws CommandError if a password is among the options: others may read what is sent. */
export function demandNoSecret(options: JsonObject): void {
  for (const [name] of flatOptions(options))
    if (SECRETS.has(name)) throw new CommandError('not-settable', `${name} is changed in the file only`);
}

/** Throws CommandError if options of a plug would make it another one. */
export function demandNoIdentity(options: JsonObject): void {
  for (const [name, request] of OWN_REQUEST)
    if (Object.hasOwn(options, name))
      throw new CommandError('not-understood', `${name} of a plug is changed with ${request}`);
}

/** The options whose names begin with `prefix`, by the rest of them; of the program without it. */
export function optionsJson(explained: readonly ExplainedOption[], prefix: string | undefined): JsonObject {
  const wanted = explained.filter(({ name }) =>
    prefix === undefined ? !/^(plugs|places)\b/.test(name) : name.startsWith(prefix),
  );
  return Object.fromEntries(
    wanted.map(({ name, value, source, at }) => {
      // Some are the address of a person.
      const shown = value !== null && name.endsWith('username') ? MASK : value;
      return [name.slice(prefix?.length ?? 0), { value: shown, source, ...(at === '' ? {} : { at }) }];
    }),
  );
}
