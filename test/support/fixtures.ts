import { readdirSync, readFileSync } from 'node:fs';
import type { JsonObject } from '../../src/protocol/json.ts';
import { parseObject } from '../../src/protocol/json.ts';

/** Bytes that other programs and real plugs exchanged; `length` and `body` are hexadecimal. */
export interface Vector {
  readonly name: string;
  readonly plain: string;
  readonly length: string;
  readonly body: string;
}

/** One reply in the shape of one model, hardware and firmware, as its file is named. */
export interface Fixture {
  readonly name: string;
  readonly reply: JsonObject;
}

const FOLDER = new URL('../fixtures/', import.meta.url);

export const VECTORS: readonly Vector[] = JSON.parse(
  readFileSync(new URL('xor-vectors.json', FOLDER), 'utf8'),
);

/** Every fixture there is: what holds for one plug is tried on all of them. */
export const FIXTURES: readonly Fixture[] = readdirSync(FOLDER)
  .filter((file) => file.startsWith('HS'))
  .map((file) => ({
    name: file.replace(/\.json$/, ''),
    reply: parseObject(readFileSync(new URL(encodeURIComponent(file), FOLDER), 'utf8')),
  }));

/** The fixture of that name. */
export function fixture(name: string): JsonObject {
  const found = FIXTURES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no fixture ${name}`);
  return found.reply;
}
