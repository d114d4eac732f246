import { isIPv4 } from 'node:net';
import { RESTRICTED_REQUESTS, UNLOCK } from '../api/requests/names.ts';
import { pathProblem } from '../mqtt/topics.ts';
import { PRESETS, presetOf } from '../plug/presets/presets.ts';
import { readMac } from '../protocol/replies.ts';
import { LOG_LEVELS } from '../runtime/log-level.ts';
import { nearest } from './nearest.ts';
import { leaf, needed, open, type Schema, secret, type Values } from './option.ts';
import { JOURNAL, LAMP, NO_LAMP, TARIFF } from './schema-energy.ts';
import { APPEARANCE, HOMEASSISTANT, REPORT } from './schema-homeassistant.ts';
import { BROKER, MQTT } from './schema-mqtt.ts';
import { WEB } from './schema-web.ts';
import { slugPath } from './slug-path.ts';
import {
  count,
  duration,
  endpoint,
  flag,
  listOf,
  network,
  oneOf,
  type Type,
  text,
  timeZone,
} from './types.ts';

const mac: Type<string> = {
  expects: 'a MAC such as 50:C7:BF:12:34:56',
  schema: {
    anyOf: [
      { type: 'string', pattern: '^([0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}$' },
      { type: 'integer', minimum: 100_000_000_000, maximum: 999_999_999_999 },
    ],
  },
  read(raw) {
    if (typeof raw === 'string' && isIPv4(raw.trim()))
      throw new RangeError('holds the address of a plug, which belongs into "host:"');
    // Twelve digits without colons are a number in YAML.
    return typeof raw === 'string' || typeof raw === 'number' ? readMac(String(raw)) : undefined;
  },
};

/** What may be allowed beyond reading, by name. */
const ALLOWABLE = [...PRESETS.map(({ name }) => name), 'raw', ...RESTRICTED_REQUESTS, UNLOCK];

const allowable: Type<string> = {
  expects: 'a command of `hs110-mqtt plug` such as reboot, raw, or a request such as log/level',
  schema: { enum: ALLOWABLE },
  read(raw) {
    const name = text.read(raw);
    if (name === undefined || ALLOWABLE.includes(name) || presetOf(name) !== undefined) return name;
    const near = nearest(name, ALLOWABLE);
    const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
    throw new RangeError(`names ${JSON.stringify(name)}, which is neither a command nor a request${hint}`);
  },
};

/** What an outlet of a strip is called below the path of the strip. */
const outletName: Type<string> = {
  ...text,
  expects: 'a name such as desk',
  read(raw) {
    const path = slugPath(text.read(raw) ?? '');
    const problem = /^\d+$/.test(path) ? 'it would be taken for a number' : pathProblem(path);
    if (problem !== undefined) throw new RangeError(`names an outlet "${path}": ${problem}`);
    return path;
  },
};

const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** How a plug is polled; every plug may have its own. */
const POLL = {
  interval: duration(100, DAY),
  fast: duration(100, DAY),
  slow: duration(100, DAY),
  timeout: duration(100, 60 * SECOND),
  offlineAfter: count(1, 100),
  backoffMax: duration(SECOND, DAY),
  statistics: duration(10 * SECOND, DAY),
};

/** The Kasa account that plugs with newer firmware are bound to: they want its name and password. */
const KASA = {
  username: open(
    'E-mail address of the Kasa account that plugs with newer firmware (KLAP) are bound to, capitals as they were written when they were bound.',
    text,
  ),
  password: secret(
    'Password of that account. It stays on this machine: plugs are only shown that it is known.',
  ),
};

/** Every option there is, but for the plugs. The names are those of the file, of the variables and of the flags. */
export const SCHEMA = {
  mqtt: MQTT,
  broker: BROKER,
  kasa: KASA,
  poll: {
    interval: leaf('Time between two polls of a plug.', POLL.interval, '5s'),
    fast: open('In its place for 10 s after a command or a change.', POLL.fast),
    slow: open('In its place while nothing happens.', POLL.slow),
    timeout: leaf('How long a plug may take to answer.', POLL.timeout, '5s'),
    offlineAfter: leaf('Polls that fail in a row before a plug counts as offline.', POLL.offlineAfter, 3),
    backoffMax: leaf('The longest wait between polls of a plug that is offline.', POLL.backoffMax, '30s'),
    statistics: leaf(
      'Time between two readings of the energy of the day and the month.',
      POLL.statistics,
      '5m',
    ),
  },
  command: {
    ttl: leaf(
      'How long a command that cannot be delivered stays wanted; 0 tries once.',
      duration(0, 7 * DAY),
      '60s',
    ),
    concurrency: leaf('How many plugs of a place are switched at a time.', count(1, 10_000), 64),
  },
  homeassistant: HOMEASSISTANT,
  report: REPORT,
  discovery: {
    adopt: open(
      'Take in every plug that is found, under its name in the Kasa app. Left out: only if no plug is configured.',
      flag,
    ),
    limit: leaf(
      'How many plugs are taken in at most; anyone in the network can answer as a plug.',
      count(1, 100_000),
      1000,
    ),
    interval: leaf(
      'Time between two searches while a plug is missing; 0 never looks.',
      duration(0, DAY),
      '5m',
    ),
    ignore: open('MACs of plugs that are not taken in.', listOf(mac)),
    targets: open(
      'Who is asked, instead of everybody in reach: broadcast addresses of other networks, hosts.',
      listOf(endpoint(9999)),
    ),
    networks: open(
      'Plugs are taken in, followed and connected to in these networks only. Left out: anywhere.',
      listOf(network),
    ),
  },
  clock: {
    sync: {
      ...leaf('Set the clock of plugs that are wrong, to the local time of the site.', flag, false),
      formerly: 'keep',
    },
    timeZone: open(
      'The time zone of the site, as `Europe/Berlin`: clocks are right by it. Left out: each plug keeps its own zone.',
      timeZone,
    ),
    tolerance: leaf('How far the clock of a plug may be off.', duration(SECOND, DAY), '60s'),
  },
  tariff: TARIFF,
  journal: JOURNAL,
  allow: open(
    'What clients may do beyond reading and switching: commands of `bridge/request/plug/command`, of which `raw` allows any, and other requests.',
    listOf(allowable),
  ),
  dataDir: leaf(
    'Folder of the database in which desired states, timers, commands and adopted plugs survive a restart; `off` keeps them in memory only.',
    text,
    './hs110-mqtt-data',
  ),
  stateFile: {
    ...open('The state file of an earlier version; what it holds is taken over into `dataDir` once.', text),
    obsolete: 'is no longer written: what it holds is taken over once into the folder dataDir',
  },
  web: WEB,
  metrics: {
    listen: open(
      'Where figures for Prometheus are served. Other than on the loopback address it needs a token. Left out: nowhere.',
      endpoint(9110),
    ),
    token: secret('Bearer token that clients must give for the figures; at least 16 characters.'),
  },
  log: {
    level: leaf('The least severe messages that are logged.', oneOf(...LOG_LEVELS), 'info'),
    format: leaf(
      '`pretty` for people, `json` for programs; `auto` is pretty on a terminal.',
      oneOf('auto', 'pretty', 'json'),
      'auto',
    ),
  },
} as const satisfies Schema;

/** What the bridge does of its own accord; for one plug, or for all plugs of a place that do not say otherwise. */
const POLICY = {
  locked: open('No command may switch the relay: for the alarm, the freezer.', flag),
  restore: open(
    'What to do when a plug returns after a power cut: leave the relay as it is (`keep`, the default), as it was before (`last`), or switch it.',
    oneOf('keep', 'last', 'off', 'on'),
  ),
  enforce: open('Put back what is switched at the plug itself or with the phone app. Default: false.', flag),
  enforceAfter: open('How long such a change may stand. Default: 2s.', duration(0, DAY)),
};

const OWN_POLL = {
  interval: open('As `poll.interval`.', POLL.interval),
  fast: open('As `poll.fast`.', POLL.fast),
  slow: open('As `poll.slow`.', POLL.slow),
  timeout: open('As `poll.timeout`.', POLL.timeout),
  offlineAfter: open('As `poll.offlineAfter`.', POLL.offlineAfter),
  backoffMax: open('As `poll.backoffMax`.', POLL.backoffMax),
  statistics: open('As `poll.statistics`.', POLL.statistics),
};

/** The options of one place: the key is its path, `/` the whole site. */
export const PLACE_SCHEMA = {
  stagger: open(
    'Wait between switching on one plug of the place and the next; never for switching off.',
    duration(0, 3_600 * SECOND),
  ),
  name: open(
    'What the place is called. Left out: the last level of its path, `East wing` for `east-wing`.',
    text,
  ),
  ...APPEARANCE,
  ...POLICY,
  lamp: LAMP,
  poll: OWN_POLL,
} as const satisfies Schema;

/** The options of one plug. */
export const PLUG_SCHEMA = {
  path: needed(
    'Where the plug is in the topic tree: `shed3`, `east-wing/lamp-1`. Spaces and capitals are made fit.',
    text,
  ),
  host: open('Its address: `host` or `host:port`.', endpoint(9999)),
  mac: open('Its MAC; no other plug is then taken for it.', mac),
  alias: open('Its name in the Kasa app, to find it by.', text),
  outlets: open(
    'Of a strip: what its outlets are called below its path, in their order, as `[desk, printer]`. Left out: `1`, `2` …',
    listOf(outletName),
  ),
  name: open('Its name in Home Assistant. Left out: the name it was given in the Kasa app.', text),
  ...APPEARANCE,
  kasa: {
    username: open('As `kasa.username`, where the plug is bound to another account.', text),
    password: secret('Password of that account.'),
  },
  ...POLICY,
  lamp: LAMP,
  poll: OWN_POLL,
} as const satisfies Schema;

/** No strip has more. */
export const MOST_OUTLETS = 8;

/** One plug as configured; `path` is fit for topics, `name` is what a person wrote. */
export type PlugConfig = Values<typeof PLUG_SCHEMA>;

/** A plug of which the configuration says nothing. */
export const BARE_PLUG: PlugConfig = {
  path: '',
  host: undefined,
  mac: undefined,
  alias: undefined,
  outlets: undefined,
  name: undefined,
  area: undefined,
  as: undefined,
  kasa: { username: undefined, password: undefined },
  locked: undefined,
  restore: undefined,
  enforce: undefined,
  enforceAfter: undefined,
  lamp: NO_LAMP,
  poll: {
    interval: undefined,
    fast: undefined,
    slow: undefined,
    timeout: undefined,
    offlineAfter: undefined,
    backoffMax: undefined,
    statistics: undefined,
  },
};

/** What is configured for all plugs of one place. */
export type PlaceConfig = Values<typeof PLACE_SCHEMA>;

/** Everything that is configured, checked and frozen. */
export type Config = Values<typeof SCHEMA> & {
  readonly plugs: readonly PlugConfig[];
  /** By path; `''` is the whole site. */
  readonly places: { readonly [path: string]: PlaceConfig };
  /** What should be written otherwise, each with its place. */
  readonly warnings: readonly string[];
};

/** Whether plugs that are not configured are taken in. */
export function adopts({ discovery, plugs }: Config): boolean {
  return discovery.adopt ?? plugs.length === 0;
}
