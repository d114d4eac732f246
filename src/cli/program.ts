import { Command, CommanderError, Option } from 'commander';
import { flagOf, optionNames, variableOf } from '../config/option.ts';
import { SCHEMA } from '../config/schema.ts';
import { BridgeError, CommandError, ConfigError, messageOf } from '../errors.ts';
import { printableLines } from '../printable.ts';
import { examples, wholeNumber } from './arguments.ts';
import { addConfigVerb } from './config.ts';
import { addDecodeVerb } from './decode.ts';
import { demo } from './demo.ts';
import { addDiscoverVerb } from './discover.ts';
import { addEncodeVerb } from './encode.ts';
import { health } from './health.ts';
import { addPlugVerb } from './plug.ts';
import { addRecordVerb } from './record.ts';
import { run } from './run.ts';
import type { Shell } from './shell.ts';
import { type SimulateOptions, simulate } from './simulate.ts';

/** What the program says to the system when it ends. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** The whole command line. Its verbs reject with what went wrong; usage errors are CommanderErrors. */
export function buildProgram(shell: Shell): Command {
  const program = new Command('hs110-mqtt')
    .description('Bridges TP-Link Kasa HS110 smart plugs to MQTT. Without a verb it runs the bridge.')
    .version(shell.version)
    .option('-c, --config <file>', 'configuration file (YAML)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.print(text.trimEnd()),
      writeErr: (text) => shell.complain(text.trimEnd()),
    })
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', examples('hs110-mqtt --config museum.yaml', 'hs110-mqtt demo'));
  addOptionFlags(program);
  program.action((given: { config?: string; [flag: string]: unknown }) =>
    run(shell, given.config, flagsGiven(given)),
  );

  program
    .command('demo')
    .description('run the bridge with an embedded broker and a simulated museum; no hardware needed')
    .option('--count <n>', 'plugs in the museum', wholeNumber(1, 10_000), 8)
    .option('--port <port>', 'port of the broker', wholeNumber(1, 65_535), 1883)
    .addHelpText('after', examples('hs110-mqtt demo', 'hs110-mqtt demo --count 60 --port 1884'))
    .action((options: { count: number; port: number }) => demo(shell, options));

  program
    .command('simulate')
    .description('simulate plugs on this machine, for trying and testing')
    .option('--count <n>', 'how many', wholeNumber(1, 10_000), 8)
    .option('--host <address>', 'address they listen on', '127.0.0.1')
    .option('--port <port>', 'port of the first, the others follow; 0 for any', wholeNumber(0, 65_535), 9999)
    .addOption(
      new Option('--from <file>', 'play the plug of this recording (see record) instead').conflicts('count'),
    )
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt simulate --count 8 > plugs.yaml',
        'hs110-mqtt simulate --from "HS110(EU)_1.0_1.2.5.json" --port 9999',
      ),
    )
    .action((options: SimulateOptions) => simulate(shell, options));

  program
    .command('health')
    .description('ask the broker whether the bridge is online; takes the same options as the bridge')
    .addHelpText('after', examples('hs110-mqtt health', 'hs110-mqtt health --config museum.yaml'))
    .action(() => health(shell, program.opts<{ config?: string }>().config, flagsGiven(program.opts())));

  addPlugVerb(program, shell);
  addEncodeVerb(program, shell);
  addDecodeVerb(program, shell);
  addDiscoverVerb(program, shell);
  addRecordVerb(program, shell);
  addConfigVerb(program, shell, () => flagsGiven(program.opts()));
  return program;
}

/** Runs the command line and returns the exit code; what went wrong is said on standard error. */
export async function runProgram(shell: Shell, argv: readonly string[]): Promise<number> {
  try {
    await buildProgram(shell).parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    // Commander has said itself what was wrong with the usage.
    if (!(error instanceof CommanderError) && !isInterruption(error))
      shell.complain(`hs110-mqtt: ${printableLines(messageOf(error))}`);
    return exitCodeOf(error);
  }
}

/** The exit code for what a verb rejected with. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  return error instanceof ConfigError || error instanceof CommandError ? EXIT.usage : EXIT.failed;
}

function isInterruption(error: unknown): boolean {
  return error instanceof BridgeError && error.code === 'interrupted';
}

/** Every option of the configuration that is not secret is a flag as well. */
function addOptionFlags(program: Command): void {
  for (const { name, written, leaf } of optionNames(SCHEMA)) {
    if (leaf.secret) continue;
    const does = `${leaf.doc} (${name}, ${variableOf(name)})`;
    const option = new Option(`--${flagOf(written)} <value>`, does);
    program.addOption(option.hideHelp(written !== name || leaf.obsolete !== undefined));
  }
}

/** The configuration's own flags among those given, by option name. */
function flagsGiven(given: { [flag: string]: unknown }): ReadonlyMap<string, string> {
  const flags = new Map<string, string>();
  for (const { written } of optionNames(SCHEMA)) {
    const value = given[camelCase(flagOf(written))];
    if (typeof value === 'string') flags.set(written, value);
  }
  return flags;
}

function camelCase(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
