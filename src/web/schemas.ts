import { type Static, type TSchema, Type } from '@sinclair/typebox';

/*
 * What goes over HTTP, both ways. The schemas validate what comes in, are the OpenAPI document, and their types are
 * those of the page.
 */

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const OnOff = Type.Union([Type.Literal('ON'), Type.Literal('OFF')]);
const Path = Type.String({ maxLength: 1000, description: 'Below the base topic; empty is the whole site.' });
const Time = Type.String({ format: 'date-time' });
const NumberOrNull = Nullable(Type.Number());
const TextOrNull = Nullable(Type.String());

export const Role = Type.Union([Type.Literal('viewer'), Type.Literal('staff'), Type.Literal('admin')]);
export type Role = Static<typeof Role>;

export const User = Type.Object({
  name: Type.String(),
  role: Role,
  places: Nullable(Type.Array(Path)),
});
export type User = Static<typeof User>;

/** Long enough not to be guessed within the tries that are allowed. */
export const NewPassword = Type.String({ minLength: 8, maxLength: 1000 });

const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{C}]+$' });
const Places = Type.Optional(Nullable(Type.Array(Path, { maxItems: 1000 })));

export const NewUser = Type.Object(
  { name: Name, role: Role, places: Places, password: Type.Optional(NewPassword) },
  {
    additionalProperties: false,
    description: 'Without a password the user must exist, and keeps the one there is.',
  },
);
export type NewUser = Static<typeof NewUser>;

export const NewAccess = Type.Object(
  { name: Name, role: Role, places: Places },
  { additionalProperties: false },
);
export type NewAccess = Static<typeof NewAccess>;

export const Credentials = Type.Object({
  name: Type.String({ maxLength: 100 }),
  password: Type.String({ maxLength: 1000 }),
});
export type Credentials = Static<typeof Credentials>;

export const KioskToken = Type.Object({ token: Type.String({ maxLength: 200 }) });
export type KioskToken = Static<typeof KioskToken>;

export const Passwords = Type.Object({ old: Type.String({ maxLength: 1000 }), new: NewPassword });
export type Passwords = Static<typeof Passwords>;

export const Listening = Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 100 })) });

export const Access = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: Role,
  places: Nullable(Type.Array(Path)),
});
export type Access = Static<typeof Access>;

export const Session = Type.Object({
  version: Type.String(),
  language: TextOrNull,
  authentication: Type.Union([Type.Literal('open'), Type.Literal('users'), Type.Literal('ingress')]),
  user: Nullable(User),
  mayLook: Type.Boolean({ description: 'Whether the site may be seen as it is now, without a login.' }),
  site: Type.Object({ name: Type.String(), timeZone: Type.String(), currency: TextOrNull }),
  base: Type.String({ description: 'The base topic on MQTT.' }),
});
export type Session = Static<typeof Session>;

export const Plug = Type.Object({
  path: Path,
  name: Type.String(),
  place: Path,
  state: Nullable(OnOff),
  availability: Type.Union([Type.Literal('unknown'), Type.Literal('online'), Type.Literal('offline')]),
  problem: TextOrNull,
  power: NumberOrNull,
  voltage: NumberOrNull,
  current: NumberOrNull,
  energy: NumberOrNull,
  energyToday: NumberOrNull,
  energyMonth: NumberOrNull,
  led: Nullable(OnOff),
  rssi: NumberOrNull,
  onSince: Nullable(Time),
  changedBy: TextOrNull,
  user: TextOrNull,
  lastSeen: Nullable(Time),
  locked: Type.Boolean(),
  lamp: TextOrNull,
  cloud: Nullable(OnOff),
  clock: TextOrNull,
  model: TextOrNull,
  hardware: TextOrNull,
  firmware: TextOrNull,
  address: TextOrNull,
  mac: TextOrNull,
  meter: Type.Boolean(),
  brightness: Nullable(Type.Integer({ description: 'Percent' })),
  dims: Type.Boolean({ description: 'Whether it takes a brightness.' }),
  colorTemp: Nullable(Type.Integer({ description: 'Kelvin' })),
  motion: Nullable(OnOff),
  ambientLight: Nullable(Type.Number({ description: 'Percent' })),
});
export type Plug = Static<typeof Plug>;

export const Place = Type.Object({
  path: Path,
  name: Type.String(),
  state: Nullable(Type.Union([OnOff, Type.Literal('MIXED')])),
  on: Type.Integer(),
  off: Type.Integer(),
  unknown: Type.Integer(),
  total: Type.Integer(),
  power: NumberOrNull,
});
export type Place = Static<typeof Place>;

export const Pending = Type.Object({
  command: Type.Integer(),
  id: TextOrNull,
  target: Path,
  wanted: TextOrNull,
  who: Type.Object({ origin: Type.String(), user: TextOrNull }),
  since: Time,
});
export type Pending = Static<typeof Pending>;

export const Command = Type.Object(
  {
    target: Path,
    state: Type.Optional(OnOff),
    led: Type.Optional(OnOff),
    brightness: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: 'Percent; 0 is OFF.' })),
    color_temp: Type.Optional(Type.Integer({ minimum: 1000, maximum: 12_000, description: 'Kelvin' })),
    for: Type.Optional(Type.String({ maxLength: 20 })),
    ttl: Type.Optional(Type.String({ maxLength: 20 })),
    id: Type.Optional(Type.String({ maxLength: 256 })),
  },
  { additionalProperties: false },
);
export type Command = Static<typeof Command>;

export const Receipt = Type.Object({
  id: TextOrNull,
  target: Path,
  wanted: TextOrNull,
  led: Type.Optional(OnOff),
  brightness: Type.Optional(Type.Integer()),
  color_temp: Type.Optional(Type.Integer()),
  outcome: Type.String({ description: 'confirmed, partial, failed, superseded, expired or refused' }),
  reason: Type.Optional(Type.String()),
  confirmed: Type.Integer(),
  total: Type.Integer(),
  missing: Type.Array(Type.Object({ path: Path, reason: Type.String() })),
  locked: Type.Optional(Type.Integer()),
  countdown: Type.Optional(Type.Boolean()),
  ms: Type.Integer(),
  repeated: Type.Optional(Type.Boolean()),
});
export type Receipt = Static<typeof Receipt>;

/** The answer to a command that takes longer than a request may. */
export const UnderWay = Type.Object({ id: TextOrNull, target: Path });

/** A path of a plug or place at the end of an address. */
export const InPath = Type.Object({ '*': Path });
export type InPath = Static<typeof InPath>;

export const Problem = Type.Object({
  kind: Type.String({
    description: 'offline, lamp-out, lamp-weak, duplicate, cloud, clock, weak-signal or firmware',
  }),
  path: Path,
  since: Nullable(Time),
  reason: TextOrNull,
  cure: Type.String({ description: 'What to do, in words.' }),
  group: Nullable(Type.String({ description: 'The same for what failed together.' })),
});
export type Problem = Static<typeof Problem>;

export const Found = Type.Object({
  mac: Type.String(),
  address: Type.String(),
  alias: TextOrNull,
  model: TextOrNull,
  protocol: Type.String({ description: 'How it is spoken to: xor, or with newer firmware klap.' }),
  joined: Type.Boolean({ description: 'Whether it is in a Wi-Fi, not only open for its set-up.' }),
});
export type Found = Static<typeof Found>;

export const RequestName = Type.Object({
  '*': Type.String({ maxLength: 100, description: 'As on MQTT: plug/command, log/level …' }),
});

export const RequestBody = Type.Object({}, { additionalProperties: true });

export const Answered = Type.Object(
  { status: Type.Literal('ok'), data: Type.Unknown() },
  { additionalProperties: true, description: 'What the request answers on MQTT.' },
);

/** Part of the site and of time. */
const from = Type.Optional(Type.String({ maxLength: 40, description: 'ISO 8601, or a day of the site.' }));
const to = Type.Optional(Type.String({ maxLength: 40, description: 'As `from`; itself not in it.' }));

export const JournalQuery = Type.Object({
  path: Type.Optional(Path),
  kind: Type.Optional(Type.String({ maxLength: 20, description: 'relay, receipt, lamp, energy or request' })),
  user: Type.Optional(Type.String({ maxLength: 100 })),
  from,
  to,
  before: Type.Optional(Type.Integer({ minimum: 0, description: 'Older than the entry of that id.' })),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
});
export type JournalQuery = Static<typeof JournalQuery>;

export const EnergyQuery = Type.Object({
  place: Type.Optional(Path),
  plug: Type.Optional(Path),
  from,
  to,
  by: Type.Union([Type.Literal('day'), Type.Literal('month')], { default: 'month' }),
});
export type EnergyQuery = Static<typeof EnergyQuery>;

export const Csv = {
  description: 'CSV with a head',
  content: { 'text/csv': { schema: { type: 'string' } } },
};

export const JournalEntry = Type.Object({
  id: Type.Integer(),
  at: Time,
  kind: Type.String(),
  path: Path,
  what: TextOrNull,
  origin: TextOrNull,
  user: TextOrNull,
  outcome: TextOrNull,
  ms: Nullable(Type.Integer()),
  detail: Nullable(Type.Unknown({ description: 'Of a receipt: id, reason, confirmed, total, missing.' })),
});
export type JournalEntry = Static<typeof JournalEntry>;

export const EnergyRow = Type.Object({
  path: Path,
  kind: Type.Union([Type.Literal('plug'), Type.Literal('place')]),
  period: Type.String({ description: 'A day such as 2026-10-31 or a month such as 2026-10.' }),
  kwh: Type.Number(),
  cost: NumberOrNull,
  incomplete: Type.Boolean({ description: 'Of some of it only the sum over several days is known.' }),
});
export type EnergyRow = Static<typeof EnergyRow>;

export const Energy = Type.Object({ currency: TextOrNull, rows: Type.Array(EnergyRow) });
export type Energy = Static<typeof Energy>;

export const PowerHistory = Type.Object({
  resolution: Type.Integer({ description: 'Seconds that a point stands for.' }),
  points: Type.Array(Type.Array(Type.Number(), { minItems: 4, maxItems: 4 }), {
    description: 'Seconds since 1970, then mean, least and most in W. What is not known is left out.',
  }),
});
export type PowerHistory = Static<typeof PowerHistory>;

export const Named = Type.Object({ name: Type.String({ maxLength: 100 }) });
export type Named = Static<typeof Named>;

export const Identified = Type.Object({ id: Type.String({ maxLength: 40 }) });
export type Identified = Static<typeof Identified>;

export const Done = Type.Object({ done: Type.Literal(true) });
export const DONE: Static<typeof Done> = { done: true };

export const Failure = Type.Object({
  error: Type.Object({ code: Type.String(), message: Type.String() }),
});
export type Failure = Static<typeof Failure>;
