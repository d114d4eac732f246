import { Command, CommanderError } from 'commander';
import { nearest } from '../config/nearest.ts';
import { BridgeError, CommandError, ConfigError, messageOf } from '../errors.ts';
import { printableLines } from '../printable.ts';
import { examples } from './arguments.ts';
import { addFlags, type Flags, writtenFlags } from './flags.ts';
import type { Shell } from './shell.ts';

/** What the program says to the system when it ends. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

type AddVerb = (program: Command, shell: Shell, flags: Flags) => void;

/** The verbs, in the order of the help; each is loaded when it is needed. */
const VERBS: ReadonlyMap<string, () => Promise<AddVerb>> = new Map([
  ['demo', async () => (await import('./demo.ts')).addDemoVerb],
  ['simulate', async () => (await import('./simulate.ts')).addSimulateVerb],
  ['status', async () => (await import('./status.ts')).addStatusVerb],
  ['watch', async () => (await import('./watch-site.ts')).addWatchVerb],
  ['set', async () => (await import('./set.ts')).addSetVerb],
  ['all', async () => (await import('./set.ts')).addAllVerb],
  ['energy', async () => (await import('./energy.ts')).addEnergyVerb],
  ['journal', async () => (await import('./journal.ts')).addJournalVerb],
  ['doctor', async () => (await import('./doctor.ts')).addDoctorVerb],
  ['health', async () => (await import('./health.ts')).addHealthVerb],
  ['plug', async () => (await import('./plug.ts')).addPlugVerb],
  ['encode', async () => (await import('./encode.ts')).addEncodeVerb],
  ['decode', async () => (await import('./decode.ts')).addDecodeVerb],
  ['discover', async () => (await import('./discover.ts')).addDiscoverVerb],
  ['record', async () => (await import('./record.ts')).addRecordVerb],
  ['config', async () => (await import('./config.ts')).addConfigVerb],
  ['hash-password', async () => (await import('./hash-password.ts')).addHashPasswordVerb],
  ['user', async () => (await import('./user.ts')).addUserVerb],
  ['backup', async () => (await import('./backup.ts')).addBackupVerb],
  ['completion', async () => (await import('./completion.ts')).addCompletionVerb],
]);

/** Verbs that take the flags of the configuration. */
const CONFIGURED = new Set([
  'energy',
  'journal',
  'doctor',
  'status',
  'watch',
  'set',
  'all',
  'health',
  'config',
  'user',
  'backup',
]);

const HELP = new Set(['--help', '-h', 'help']);

/** The command line with the verbs that `argv` may mean; they reject with what went wrong, CommanderErrors among it. */
export async function buildProgram(shell: Shell, argv: readonly string[]): Promise<Command> {
  const program = new Command('hs110-mqtt')
    .description('Bridges TP-Link Kasa HS110 smart plugs to MQTT. Without a verb it runs the bridge.')
    .version(shell.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.print(text.trimEnd()),
      writeErr: (text) => shell.printError(text.trimEnd()),
    })
    .showHelpAfterError('(--help says more)')
    .helpCommand('help [verb]', 'show the help of a verb')
    .addHelpText('after', examples('hs110-mqtt --config museum.yaml', 'hs110-mqtt demo'));
  const flags = addFlags(program);
  program.allowExcessArguments().action(async () => {
    if (program.args[0] !== undefined) throw await unknownVerb(program.args[0]);
    const { run } = await import('./run.ts');
    await run(shell, flags());
  });
  program.hook('preAction', (_, verb) => refuseFlags(verb, program, flags));
  for (const name of verbsIn(argv)) (await VERBS.get(name)?.())?.(program, shell, flags);
  return program;
}

/** Runs the command line and returns the exit code; what went wrong is said on standard error. */
export async function runProgram(shell: Shell, argv: readonly string[]): Promise<number> {
  try {
    const [first = '-'] = argv;
    // Its options are not known either: the verb is what is to be said.
    if (!first.startsWith('-') && first !== 'help' && !VERBS.has(first)) throw await unknownVerb(first);
    const program = await buildProgram(shell, argv);
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    // Commander has said itself what was wrong with the usage.
    if (!(error instanceof CommanderError) && !isInterruption(error))
      shell.printError(`hs110-mqtt: ${printableLines(messageOf(error))}`);
    return exitCodeOf(error);
  }
}

/** The verbs that are named, in the order of the help; all where help is asked for the program, or all are to be known. */
function verbsIn(argv: readonly string[]): string[] {
  if (argv[0] === 'completion') return [...VERBS.keys()];
  const named = [...VERBS.keys()].filter((verb) => argv.includes(verb));
  return named.length === 0 && argv.some((argument) => HELP.has(argument)) ? [...VERBS.keys()] : named;
}

/** Throws CommandError if flags of the configuration are given to a verb that would ignore them. */
function refuseFlags(verb: Command, program: Command, flags: Flags): void {
  let top = verb;
  while (top.parent !== null && top.parent !== program) top = top.parent;
  const [flag] = writtenFlags(flags());
  if (top === program || CONFIGURED.has(top.name()) || flag === undefined) return;
  throw new CommandError('needless-option', `${flag} is for the bridge: ${top.name()} does not take it`);
}

/** Says which verb was most likely meant; a command of `plug` may stand in its place. */
async function unknownVerb(word: string): Promise<CommandError> {
  const { commandWords } = await import('./plug.ts');
  const words = commandWords();
  const near = nearest(word, [...VERBS.keys(), ...words]);
  const meant = near !== undefined && words.has(near) ? `plug HOST ${near}` : near;
  const hint = meant === undefined ? '' : `; did you mean \`hs110-mqtt ${meant}\`?`;
  return new CommandError(
    'unknown-verb',
    `there is no verb ${JSON.stringify(word)}${hint}\n\`hs110-mqtt --help\` lists all`,
  );
}

/** The exit code for what a verb rejected with. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  return error instanceof ConfigError || error instanceof CommandError ? EXIT.usage : EXIT.failed;
}

function isInterruption(error: unknown): boolean {
  return error instanceof BridgeError && error.code === 'interrupted';
}
