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

export const Session = Type.Object({
  version: Type.String(),
  language: TextOrNull,
  authentication: Type.Union([Type.Literal('open'), Type.Literal('users'), Type.Literal('ingress')]),
  user: Nullable(User),
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
  brightness: NumberOrNull,
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
  outcome: Type.String(),
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

export const Failure = Type.Object({
  error: Type.Object({ code: Type.String(), message: Type.String() }),
});
export type Failure = Static<typeof Failure>;
