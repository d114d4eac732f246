import { isLeaf, type Leaf, type Schema } from './option.ts';
import { PLACE_SCHEMA, PLUG_SCHEMA, SCHEMA } from './schema.ts';
import type { JsonSchema } from './types.ts';

/** The JSON Schema (draft-07) of a configuration file, for editors that check and complete while one types. */
export function configJsonSchema(): JsonSchema {
  const options = group(SCHEMA);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of hs110-mqtt',
    ...options,
    properties: { ...options.properties, plugs: plugs(), places: places() },
  };
}

/** A plug is found by at least one of these. */
const FOUND_BY: readonly (keyof typeof PLUG_SCHEMA)[] = ['host', 'mac', 'alias'];

function plugs(): JsonSchema {
  return {
    type: ['array', 'null'],
    description: 'The plugs. Each needs a path, and an address, a MAC or its name in the Kasa app.',
    items: { ...group(PLUG_SCHEMA), type: 'object', anyOf: FOUND_BY.map((key) => ({ required: [key] })) },
  };
}

function places(): JsonSchema {
  return {
    type: ['object', 'null'],
    description: 'What holds for all plugs of a place, by its path; `/` is the whole site.',
    additionalProperties: { ...group(PLACE_SCHEMA), type: 'object' },
  };
}

interface GroupSchema extends JsonSchema {
  readonly properties: JsonSchema;
}

/** A group of options; it may be empty, as where all lines of it are comments. */
function group(schema: Schema): GroupSchema {
  const nodes = Object.entries(schema);
  const required = nodes.flatMap(([key, node]) => (isLeaf(node) && node.required ? [key] : []));
  return {
    type: ['object', 'null'],
    properties: Object.fromEntries(
      nodes.flatMap(([key, node]) => (isLeaf(node) ? options(key, node) : [[key, group(node)]])),
    ),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

/** An option under its name, and under the one it had. */
function options(
  key: string,
  { doc, type, initial, formerly, obsolete }: Leaf<unknown>,
): [string, JsonSchema][] {
  const standard = initial === undefined ? {} : { default: initial };
  const old = obsolete === undefined ? {} : { deprecated: true };
  const now: JsonSchema = { description: doc, ...type.schema, ...standard, ...old };
  if (formerly === undefined) return [[key, now]];
  return [
    [key, now],
    [formerly, { description: `Now called ${key}.`, ...type.schema, deprecated: true }],
  ];
}
