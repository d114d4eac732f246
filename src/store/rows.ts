import type { Command, Missing, Outcome, Receipt, Settlement } from '../bridge/command.ts';
import type { Adopted, KnownDevice, StoredCommand, StoredOutlet, StoredPart } from '../bridge/memory.ts';
import { isObject, type JsonObject, numberAt, objectsAt, textAt } from '../protocol/json.ts';
import type { LightSetting } from '../protocol/light.ts';
import type { Moment } from '../runtime/clock.ts';

/*
 * What stands in the rows of the database, checked: they may have been written by another version, or by hand.
 * Every function throws an Error for what it cannot read.
 */

export function readOutlet(row: unknown): StoredOutlet {
  const { relay, timer, disarm } = objectOf(row);
  return {
    relay: flagOf(relay),
    timer: timer === null ? null : readTimer(parsed(timer)),
    disarm: disarm === 1,
  };
}

export function readAdopted(row: unknown): readonly [mac: string, Adopted] {
  const columns = objectOf(row);
  const address = { host: demand(textAt(columns, 'host')), port: demand(numberAt(columns, 'port')) };
  return [demand(textAt(columns, 'mac')), { path: demand(textAt(columns, 'path')), address }];
}

export function readDevice(row: unknown): KnownDevice {
  const columns = objectOf(row);
  const protocol = textAt(columns, 'protocol');
  if (protocol !== 'xor' && protocol !== 'klap' && protocol !== 'klap-singly')
    throw new Error(`a device speaks ${protocol}, which this version does not`);
  const outlets: unknown = JSON.parse(demand(textAt(columns, 'outlets')));
  return { protocol, outlets: Array.isArray(outlets) ? outlets.filter((id) => typeof id === 'string') : [] };
}

export function readCommandRow(row: unknown, parts: readonly unknown[]): StoredCommand {
  const columns = objectOf(row);
  const { command, until, receipt } = columns;
  return {
    id: demand(numberAt(columns, 'id')),
    target: demand(textAt(columns, 'target')),
    command: readCommand(parsed(command)),
    until: readMoment(parsed(until)),
    parts: parts.map(readPart),
    receipt: receipt === null ? null : readReceipt(parsed(receipt)),
  };
}

/** Reads a command as JSON. */
export function readCommand(json: JsonObject): Command {
  const { led, delivery } = json;
  const packetId = isObject(delivery) ? numberAt(delivery, 'packetId') : undefined;
  return {
    relay: relayOf(json.relay),
    led: typeof led === 'boolean' ? led : undefined,
    light: readLight(json.light),
    forMs: numberAt(json, 'forMs'),
    ttlMs: numberAt(json, 'ttlMs'),
    id: textAt(json, 'id') ?? null,
    origin: json.origin === 'web' ? 'web' : 'mqtt',
    user: textAt(json, 'user') ?? null,
    replyTo: readReplyTo(json.replyTo),
    delivery: packetId === undefined ? undefined : { packetId, dup: false },
  };
}

function readTimer(json: JsonObject): StoredOutlet['timer'] {
  return { relay: json.relay === true, at: readMoment(objectOf(json.at)), armed: json.armed === true };
}

function readMoment(json: JsonObject): Moment {
  return {
    boot: demand(textAt(json, 'boot')),
    at: demand(numberAt(json, 'at')),
    date: demand(numberAt(json, 'date')),
  };
}

function readPart(row: unknown): StoredPart {
  const columns = objectOf(row);
  const { relay, settlement } = columns;
  return {
    path: demand(textAt(columns, 'path')),
    outlet: textAt(columns, 'outlet') ?? null,
    relay: relay === 'on' || relay === 'off' ? relay : null,
    settlement: settlement === null ? null : readSettlement(parsed(settlement)),
  };
}

function readSettlement(json: JsonObject): Settlement {
  const { outcome, countdown } = json;
  if (outcome === 'confirmed') return { outcome, ...(typeof countdown === 'boolean' ? { countdown } : {}) };
  const ended = demand(ENDS.find((one) => one === outcome));
  return { outcome: ended, reason: demand(textAt(json, 'reason')) };
}

function readReceipt(json: JsonObject): Receipt {
  const { led, countdown } = json;
  const reason = textAt(json, 'reason');
  const locked = numberAt(json, 'locked');
  return {
    id: textAt(json, 'id') ?? null,
    target: demand(textAt(json, 'target')),
    relay: relayOf(json.relay),
    led: typeof led === 'boolean' ? led : undefined,
    light: readLight(json.light),
    outcome: demand(OUTCOMES.find((one) => one === json.outcome)),
    ...(reason === undefined ? {} : { reason }),
    confirmed: demand(numberAt(json, 'confirmed')),
    total: demand(numberAt(json, 'total')),
    missing: objectsAt(json, 'missing').map(readMissing),
    ...(locked === undefined ? {} : { locked }),
    ...(typeof countdown === 'boolean' ? { countdown } : {}),
    ms: demand(numberAt(json, 'ms')),
    replyTo: readReplyTo(json.replyTo),
  };
}

const ENDS = ['failed', 'superseded', 'expired', 'refused', 'locked'] as const;
const OUTCOMES: readonly Outcome[] = ['confirmed', 'partial', 'failed', 'superseded', 'expired', 'refused'];

function readMissing(json: JsonObject): Missing {
  return { path: demand(textAt(json, 'path')), reason: demand(textAt(json, 'reason')) };
}

function readReplyTo(value: unknown): Command['replyTo'] {
  const topic = isObject(value) ? textAt(value, 'topic') : undefined;
  if (topic === undefined || !isObject(value)) return undefined;
  return { topic, correlation: textAt(value, 'correlation') ?? null };
}

function readLight(value: unknown): LightSetting | undefined {
  if (!isObject(value)) return undefined;
  return { brightness: numberAt(value, 'brightness'), colorTemp: numberAt(value, 'colorTemp') };
}

function relayOf(value: unknown): Command['relay'] {
  return value === 'on' || value === 'off' || value === 'toggle' ? value : undefined;
}

function flagOf(value: unknown): boolean | null {
  if (value === 1) return true;
  return value === 0 ? false : null;
}

/** The JSON object in a column; `null` if none is in it. */
export function jsonIn(text: unknown): JsonObject | null {
  try {
    return typeof text === 'string' ? parsed(text) : null;
  } catch {
    return null;
  }
}

function parsed(text: unknown): JsonObject {
  if (typeof text !== 'string') throw new Error('a text is missing');
  return objectOf(JSON.parse(text));
}

function objectOf(value: unknown): JsonObject {
  if (!isObject(value)) throw new Error('an object is missing');
  return value;
}

function demand<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a value is missing');
  return value;
}
