import { isObject } from '../protocol/json.ts';
import { readHash } from '../runtime/password-hash.ts';
import { count, listOf, type Type, text } from './types.ts';

/** One who may log in at the embedded broker. */
export interface BrokerUserConfig {
  readonly name: string;
  /** A hash in PHC form. */
  readonly password: string;
  readonly publish: readonly string[] | undefined;
  readonly subscribe: readonly string[] | undefined;
  readonly rate: number | undefined;
}

const MOST_USERS = 1000;

const FILTERS = listOf(text);
const RATE = count(1, 1_000_000);

const FILTERS_SCHEMA = {
  description: 'Topic filters: museum/+/set, museum/#.',
  anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
};

/** The users of the embedded broker. Errors never show what was written: it may be a password. */
export const brokerUsers: Type<readonly BrokerUserConfig[]> = {
  expects: 'a list of users, each with name and password',
  schema: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 1 },
        password: { type: 'string', pattern: '^\\$scrypt\\$' },
        publish: FILTERS_SCHEMA,
        subscribe: FILTERS_SCHEMA,
        rate: RATE.schema,
      },
      required: ['name', 'password'],
      additionalProperties: false,
    },
  },
  read(raw) {
    const list = typeof raw === 'string' ? parsed(raw) : raw;
    if (!Array.isArray(list) || list.length > MOST_USERS) return undefined;
    const users = list.map(readUser);
    const twin = users.find(({ name }, index) => users.findIndex((other) => other.name === name) < index);
    if (twin !== undefined) throw new RangeError(`has the user ${twin.name} twice`);
    return users;
  },
};

/** A list may be given as JSON in a variable. */
function parsed(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

const KEYS = ['name', 'password', 'publish', 'subscribe', 'rate'];

function readUser(entry: unknown, index: number): BrokerUserConfig {
  const fail = (problem: string): never => {
    throw new RangeError(`: user ${index + 1} ${problem}`);
  };
  if (!isObject(entry)) return fail('must have a name and a password');
  const unknown = Object.keys(entry).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) fail(`has no option ${unknown}; there are ${KEYS.join(', ')}`);
  const optional = <T>(key: string, type: Type<T>): T | undefined =>
    entry[key] === undefined
      ? undefined
      : (type.read(entry[key]) ?? fail(`: ${key} must be ${type.expects}`));
  const name = text.read(entry.name) ?? fail('has no name');
  const password = text.read(entry.password) ?? '';
  if (readHash(password) === undefined)
    fail(`(${name}): password must be a hash that hs110-mqtt hash-password makes`);
  return {
    name,
    password,
    publish: filters('publish'),
    subscribe: filters('subscribe'),
    rate: optional('rate', RATE),
  };

  function filters(key: 'publish' | 'subscribe'): readonly string[] | undefined {
    const given = optional(key, FILTERS);
    const wrong = given?.find((filter) => !isFilter(filter));
    return wrong === undefined ? given : fail(`: ${key} ${wrong} is no topic filter`);
  }
}

/** `+` stands for a whole level, `#` for all levels at the end. */
function isFilter(filter: string): boolean {
  const levels = filter.split('/');
  return levels.every((level, index) =>
    level === '#' ? index === levels.length - 1 : level === '+' || !/[+#\0]/.test(level),
  );
}
