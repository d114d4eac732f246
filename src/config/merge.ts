import convict from 'convict';
import type { JsonObject } from '../protocol/json.ts';
import { isLeaf, type Schema, variableOf } from './option.ts';

/** The options of one schema by their dotted names. Values are as they were written; the types of the schema read them. */
export type Options = convict.Config<{ [name: string]: unknown }>;

/** The defaults of `schema`, overridden by the `values` of a file, and these by the variables in `env`. */
export function mergeOptions(
  schema: Schema,
  values: JsonObject,
  env: { readonly [variable: string]: string },
): Options {
  return convict<{ [name: string]: unknown }>(convictSchema(schema), { env, args: [] }).load(values);
}

function convictSchema(schema: Schema, prefix = ''): convict.Schema<{ [name: string]: unknown }> {
  const entries = Object.entries(schema).map(([key, node]) => {
    const name = prefix + key;
    if (!isLeaf(node)) return [key, convictSchema(node, `${name}.`)];
    return [key, { doc: node.doc, default: node.initial, format: '*', env: variableOf(name) }];
  });
  return Object.fromEntries(entries);
}
