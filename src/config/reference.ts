import { CONFIG_VARIABLE, flagOf, type Leaf, leaves, type Schema, variableOf } from './option.ts';
import { PLACE_SCHEMA, PLUG_SCHEMA, SCHEMA } from './schema.ts';

/** The page of the documentation with every option (Markdown), made from the schema. */
export function configReference(): string {
  return `# Configuration

<!-- Made by \`hs110-mqtt config docs\`; changes belong into src/config/schema.ts. -->

Options come from a YAML file (\`--config FILE\`, or the variable \`${CONFIG_VARIABLE}\`, else \`config/default.yaml\`
if it is there), from environment variables and from flags; later ones win, in this order. [museum.yaml](../config/museum.yaml)
is an example with comments. \`hs110-mqtt config check\` says what is wrong, all at once; \`config print\` what is in
force and where it came from; \`config schema\` prints the JSON Schema for editors.

Durations are written with their unit: \`200ms\`, \`5s\`, \`30m\`, \`8h\`, \`1d\`. A secret has no flag; instead of its
variable, \`…_FILE\` may name a file that holds it, and systemd may hand it over as a credential that is called as the
option (\`LoadCredential=mqtt.password:/etc/hs110-mqtt/mqtt.password\`); file, credential, variable: the later one wins.

## Options

${table(['option', 'variable', 'flag', 'default', 'what for'], [...leaves(SCHEMA)].map(optionRow))}

## Plugs

\`plugs\` is a list; each entry has:

${schemaTable(PLUG_SCHEMA)}

## Places

\`places\` holds, by the path of a place (\`/\` is the whole site), what is to hold for all plugs in it that do not say otherwise:

${schemaTable(PLACE_SCHEMA)}
`;
}

function optionRow([name, leaf]: readonly [string, Leaf<unknown>]): string[] {
  const flag = leaf.secret ? '' : code(`--${flagOf(name)}`);
  return [code(name), code(variableOf(name)), flag, initialOf(leaf), docOf(leaf)];
}

function schemaTable(schema: Schema): string {
  const rows = [...leaves(schema)].map(([name, leaf]) => [
    code(name),
    `${leaf.type.expects}${leaf.required ? ' (needed)' : ''}`,
    docOf(leaf),
  ]);
  return table(['option', 'value', 'what for'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function docOf({ doc, formerly, obsolete }: Leaf<unknown>): string {
  const former = formerly === undefined ? '' : ` Formerly ${code(formerly)}.`;
  return `${obsolete === undefined ? '' : 'Obsolete. '}${doc}${former}`;
}

function initialOf({ initial }: Leaf<unknown>): string {
  return initial === undefined ? '' : code(String(initial));
}

function code(text: string): string {
  return `\`${text}\``;
}
