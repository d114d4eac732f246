import { isIP } from 'node:net';
import type { Network } from '../plug/networks.ts';
import { parseDuration } from '../runtime/duration.ts';

/** One kind of value: how it is read from what a file, a variable or a flag holds, and how it is described. */
export interface Type<T> {
  /** The expected value, for error messages and the documentation. */
  readonly expects: string;
  /** The JSON Schema of it, for editors. */
  readonly schema: JsonSchema;
  /** The value meant by `raw`; `undefined` if it means none. May throw an Error that says more. */
  read(raw: unknown): T | undefined;
}

export type JsonSchema = { readonly [key: string]: unknown };

export const text: Type<string> = {
  expects: 'a text',
  schema: { type: ['string', 'number'], minLength: 1 },
  read: (raw) =>
    typeof raw === 'string' && raw !== '' ? raw : typeof raw === 'number' ? String(raw) : undefined,
};

export const flag: Type<boolean> = {
  expects: 'true or false',
  schema: { type: 'boolean' },
  read: (raw) =>
    raw === true || raw === 'true' ? true : raw === false || raw === 'false' ? false : undefined,
};

const WRITTEN_DURATION: JsonSchema = { type: 'string', pattern: '^(0|\\d+(\\.\\d+)?(ms|s|m|h|d))$' };

/** A length of time, in milliseconds once read. */
export function duration(leastMs: number, mostMs: number): Type<number> {
  return {
    expects: 'a duration with its unit, such as 200ms, 5s, 30m or 8h',
    schema: leastMs === 0 ? { anyOf: [WRITTEN_DURATION, { const: 0 }] } : WRITTEN_DURATION,
    read(raw) {
      const ms = typeof raw === 'string' ? parseDuration(raw) : raw === 0 ? 0 : undefined;
      if (ms !== undefined && (ms < leastMs || ms > mostMs)) {
        throw new RangeError(`must be from ${leastMs} ms to ${mostMs} ms`);
      }
      return ms;
    },
  };
}

export function count(least: number, most: number): Type<number> {
  return {
    expects: `a whole number from ${least} to ${most}`,
    schema: { type: 'integer', minimum: least, maximum: most },
    read(raw) {
      const value = typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : raw;
      return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
        ? value
        : undefined;
    },
  };
}

/** A number that need not be whole. */
export function number(least: number, most: number): Type<number> {
  return {
    expects: `a number from ${least} to ${most}`,
    schema: { type: 'number', minimum: least, maximum: most },
    read(raw) {
      const value = typeof raw === 'string' && /^\d+(\.\d+)?$/.test(raw) ? Number(raw) : raw;
      return typeof value === 'number' && value >= least && value <= most ? value : undefined;
    },
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Type<T> {
  return {
    expects: `one of ${values.join(', ')}`,
    // YAML reads a bare `5` as a number.
    schema: { enum: values.flatMap((value) => (/^\d+$/.test(value) ? [value, Number(value)] : [value])) },
    // YAML reads a bare `on` and `off` as text, yet some editors and people write true and false.
    read: (raw) => {
      const word = raw === true ? 'on' : raw === false ? 'off' : String(raw);
      return values.find((value) => value === word);
    },
  };
}

/** A value that may be written alone, as a list, or with commas in between. */
export function listOf<T>(type: Type<T>): Type<readonly T[]> {
  return {
    expects: `${type.expects}, or a list`,
    schema: { anyOf: [type.schema, { type: 'array', items: type.schema, minItems: 1 }] },
    read(raw) {
      const items: unknown[] = Array.isArray(raw)
        ? raw
        : typeof raw === 'string'
          ? raw.split(',').map((item) => item.trim())
          : [raw];
      const values = items.map((item) => type.read(item));
      return values.length > 0 && values.every((value) => value !== undefined) ? values : undefined;
    },
  };
}

const BROKER_PROTOCOLS = ['mqtt:', 'mqtts:', 'tcp:', 'ssl:', 'tls:', 'ws:', 'wss:'];

export const brokerUrl: Type<string> = {
  expects: 'the address of a broker, such as mqtt://192.168.1.10:1883 or mqtts://broker.example',
  schema: { type: 'string', pattern: '^(mqtts?|tcp|ssl|tls|wss?)://' },
  read(raw) {
    if (typeof raw !== 'string' || !URL.canParse(raw)) return undefined;
    const { protocol, hostname } = new URL(raw);
    return BROKER_PROTOCOLS.includes(protocol) && hostname !== '' ? raw : undefined;
  },
};

/** A name of the time zone database, in the spelling of the platform. */
export const timeZone: Type<string> = {
  expects: 'a time zone such as Europe/Berlin',
  schema: { type: 'string', pattern: '^[A-Za-z]' },
  read(raw) {
    // Fixed offsets such as +02:00 are no zone: they know no summer time.
    if (typeof raw !== 'string' || !/^[A-Za-z]/.test(raw)) return undefined;
    try {
      return new Intl.DateTimeFormat('en', { timeZone: raw }).resolvedOptions().timeZone;
    } catch {
      return undefined;
    }
  },
};

/** An IP network: its address and the bits that all of its members share. */
export const network: Type<Network> = {
  expects: 'a network such as 192.168.1.0/24',
  schema: { type: 'string', pattern: '^[0-9a-fA-F.:]+/\\d{1,3}$' },
  read(raw) {
    const [, address = '', bits] =
      typeof raw === 'string' ? (/^([\d.a-fA-F:]+)\/(\d{1,3})$/.exec(raw.trim()) ?? []) : [];
    return Number(bits) <= bitsOf(address) ? { address, prefix: Number(bits) } : undefined;
  },
};

/** A network, or one address, which is a network of its own. */
export const networkOrAddress: Type<Network> = {
  expects: 'an address or a network such as 127.0.0.1 or 10.0.0.0/8',
  schema: { type: 'string', pattern: '^[0-9a-fA-F.:]+(/\\d{1,3})?$' },
  read(raw) {
    const address = typeof raw === 'string' ? raw.trim() : '';
    return isIP(address) === 0 ? network.read(raw) : { address, prefix: bitsOf(address) };
  },
};

/** How many bits an address has; none if it is no address. */
function bitsOf(address: string): number {
  return { 4: 32, 6: 128 }[isIP(address)] ?? -1;
}

/** Where something is or listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host`, `host:port` or `[v6]:port`. */
export function endpoint(defaultPort: number): Type<Endpoint> {
  return {
    expects: `an address such as 192.168.1.145 or 192.168.1.145:${defaultPort}`,
    schema: { type: 'string', minLength: 1 },
    read(raw) {
      if (typeof raw !== 'string') return undefined;
      const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/.exec(raw.trim());
      const host = match?.[1] ?? match?.[2];
      const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
      return host === undefined || port > 65_535 ? undefined : { host, port };
    },
  };
}
