import type { Command } from 'commander';
import { type ExplainedOption, explainConfig } from '../config/explain.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { loadConfig } from '../config/load.ts';
import { configReference } from '../config/reference.ts';
import type { Sources } from '../config/written.ts';
import { CommandError } from '../errors.ts';
import { printable, printableJson } from '../printable.ts';
import { examples } from './arguments.ts';
import { type Flags, sourcesOf } from './flags.ts';
import type { Shell } from './shell.ts';
import { table } from './table.ts';

/** Adds `config`: what is wrong with the configuration, what is in force, what there is. */
export function addConfigVerb(program: Command, shell: Shell, flags: Flags): void {
  const sources = (path: string | undefined): Sources => {
    const { file, options } = flags();
    if (path !== undefined && file !== undefined)
      throw new CommandError('two-files', `one file at a time: ${path} or --config ${file}`);
    return sourcesOf(shell, { file: path ?? file, options });
  };
  const config = program.command('config').description('check, show and describe the configuration');
  config
    .command('check')
    .argument('[file]', 'configuration file (YAML)')
    .description('say everything that is wrong with the configuration, or that nothing is')
    .addHelpText('after', examples('hs110-mqtt config check museum.yaml'))
    .action((path?: string) => check(shell, sources(path)));
  config
    .command('print')
    .argument('[file]', 'configuration file (YAML)')
    .description('show every option in force and where it came from; secrets are masked')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples('hs110-mqtt config print museum.yaml', 'hs110-mqtt config print --poll-interval 1s --json'),
    )
    .action((path: string | undefined, { json }: { json?: true }) =>
      print(shell, sources(path), json ?? false),
    );
  config
    .command('schema')
    .description('print the JSON Schema of the file, for editors')
    .addHelpText('after', examples('hs110-mqtt config schema > schema.json'))
    .action(() => shell.print(printableJson(configJsonSchema(), 2)));
  config
    .command('docs', { hidden: true })
    .description('print the page of the documentation with every option')
    .action(() => shell.print(configReference().trimEnd()));
}

function check(shell: Shell, sources: Sources): void {
  const { plugs, warnings } = loadConfig(sources);
  for (const warning of warnings) shell.printError(printable(`warning: ${warning}`));
  const places = new Set(plugs.flatMap(({ path }) => placesAbove(path)));
  const name = sources.file?.name ?? 'no file, but defaults, environment and flags';
  shell.print(`${name}: ok, ${counted(plugs.length, 'plug')} in ${counted(places.size, 'place')}`);
}

function print(shell: Shell, sources: Sources, json: boolean): void {
  const options = explainConfig(sources);
  if (json) shell.print(printableJson(options, 2));
  else {
    const rows = options.map((option) => [option.name, shown(option.value), origin(option)]);
    for (const line of table(['OPTION', 'VALUE', 'FROM'], rows)) shell.print(line);
  }
}

/** Every inner level of the tree is a place; without any, all plugs are in the site itself. */
function placesAbove(path: string): string[] {
  const above = path.split('/').slice(0, -1);
  return ['', ...above.map((_, index) => above.slice(0, index + 1).join('/'))];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function shown(value: unknown): string {
  if (value === null) return '';
  return Array.isArray(value) ? value.map(String).join(', ') : String(value);
}

function origin({ source, at }: ExplainedOption): string {
  return source === 'environment' || source === 'credential' ? `${source}: ${at}` : at || source;
}
