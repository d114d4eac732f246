import { type Command, Option } from 'commander';
import { nearest } from '../config/nearest.ts';
import { CommandError, PlugError } from '../errors.ts';
import { follows } from '../plug/answers.ts';
import type { Observation } from '../plug/plug-client.ts';
import { checkAll, checkCount, type Preset } from '../plug/presets/preset.ts';
import { PRESETS, presetOf } from '../plug/presets/presets.ts';
import { readQuery } from '../plug/query.ts';
import type { Address } from '../plug/transport.ts';
import { printableJson } from '../printable.ts';
import type { Settings } from '../protocol/requests.ts';
import { sleep } from '../runtime/clock.ts';
import { examples, plugAddress, seconds } from './arguments.ts';
import { type JoinOptions, join } from './join.ts';
import { loginsAt } from './logins.ts';
import { type PlugOptions, PlugSession } from './plug-session.ts';
import { lightText, observationData, observationText, onOff } from './plug-text.ts';
import type { Shell } from './shell.ts';
import { watch } from './watch.ts';

/** Some firmware reports its old state for a moment. */
const LAG_MS = 500;

/** What needs more than a question and its answer, so that only a shell offers it. */
const OWN: readonly (Pick<Preset, 'name' | 'parameters' | 'does'> & {
  readonly run: (session: PlugSession, given: readonly string[], options: JoinOptions) => Promise<void>;
})[] = [
  { name: 'send', parameters: ['JSON'], does: 'ask anything else, and show the whole answer', run: send },
  {
    name: 'watch',
    parameters: [],
    does: 'state, power, voltage and current each second, until Ctrl-C',
    run: watch,
  },
  {
    name: 'join',
    parameters: ['SSID'],
    does: 'take the plug into a Wi-Fi; the password is asked for or read from standard input',
    run: join,
  },
];

/** Adds `plug`: queries and commands for one plug. */
export function addPlugVerb(program: Command, shell: Shell): void {
  const logins = loginsAt(shell);
  program
    .command('plug')
    .description('query, switch or configure one plug')
    .argument('<host[:port]>', 'where the plug is; IPv6 in brackets', plugAddress)
    .argument('<command>', 'one of the commands below')
    .argument('[arguments...]', 'as the command takes them')
    .option('--json', 'print JSON, for scripts: W, V, A, kWh, dBm, seconds')
    .option('--yes', 'do what is dangerous without asking')
    .option('--outlet <number|name>', 'of a strip: the outlet that is meant')
    .addOption(
      new Option(
        '--timeout <time>',
        'how long the plug may take: 5s, 500ms, or a number of seconds',
      ).argParser(seconds(10, 600_000)),
    )
    .addOption(
      new Option('--security <kind>', 'of the Wi-Fi to join')
        .choices(['wpa2', 'wpa', 'wep', 'open'])
        .default('wpa2'),
    )
    .option('--verify <host|mac>', 'join: wait until the plug re-appears there, or anywhere by its MAC')
    .addOption(
      new Option('--within <time>', 'join: how long to wait for that')
        .default(60_000, '60s')
        .argParser(seconds(100, 600_000)),
    )
    .addHelpText('after', () => `\nCommands:\n${listOfCommands().join('\n')}\n`)
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt plug 192.168.1.145 info',
        'hs110-mqtt plug 192.168.1.145 on',
        'hs110-mqtt plug 192.168.1.145 energy --json',
        'hs110-mqtt plug 192.168.1.150 off --outlet 3',
        'hs110-mqtt plug 192.168.1.145 month 2026',
        'hs110-mqtt plug 192.168.1.145 schedule add 07:30 on weekdays',
        'hs110-mqtt plug 192.168.1.145 countdown off 30m',
        `hs110-mqtt plug 192.168.1.145 send '{"system":{"get_sysinfo":{}}}'`,
        'hs110-mqtt plug 192.168.1.145 reboot --yes',
        'hs110-mqtt plug 192.168.0.1 join museum --verify 192.168.1.145 --yes < password.txt',
      ),
    )
    .action(
      (address: Address, command: string, given: string[], options: PlugOptions & JoinOptions, verb) => {
        refuseNeedlessOptions(verb, command);
        const session = new PlugSession(shell, address, options, logins);
        return session.run(() => perform(session, [command, ...given], options));
      },
    );
}

/** Throws CommandError if options are given that the command would ignore. */
function refuseNeedlessOptions(verb: Command, command: string): void {
  const isGiven = (name: string) => verb.getOptionValueSource(name) === 'cli';
  const given = command === 'join' ? undefined : ['security', 'verify', 'within'].find(isGiven);
  if (given !== undefined)
    throw new CommandError('needless-option', `--${given} is for join only: ${command} does not take it`);
  if (isGiven('outlet') && (command === 'join' || command === 'send'))
    throw new CommandError('needless-option', `--outlet does not go with ${command}`);
  if (isGiven('within') && !isGiven('verify'))
    throw new CommandError('needless-option', '--within needs --verify');
}

async function perform(session: PlugSession, words: readonly string[], options: JoinOptions): Promise<void> {
  const own = OWN.find(({ name }) => name === words[0]);
  if (own !== undefined) {
    checkCount(own, words.slice(1));
    return own.run(session, words.slice(1), options);
  }
  const { preset, given } = find(words);
  checkCount(preset, given);
  const before = preset.before?.(given);
  const { clock, timeZone } = session.shell;
  const plan = preset.plan(given, {
    date: clock.date(),
    timeZone,
    before: before === undefined ? {} : await session.askEither(before),
  });
  if (preset.switchesLater && (await session.outlet()) === undefined) await session.client.checkPlug();
  await session.confirm(plan.query);
  if (plan.settings === undefined)
    session.show(plan.read(await session.askEither(plan.query, preset.timeoutMs)));
  else showObservation(session, await apply(session, plan.settings));
}

/** The preset that the words name; some names are two words. Throws CommandError. */
function find(words: readonly string[]): { preset: Preset; given: readonly string[] } {
  const [first = '', second] = words;
  const both = second === undefined ? undefined : presetOf(`${first} ${second}`);
  if (both !== undefined) return { preset: both, given: words.slice(2) };
  const one = presetOf(first);
  const hasKin = PRESETS.some(({ name }) => name.startsWith(`${first} `));
  // `schedule ad` is no schedule with an argument.
  if (one !== undefined && (second === undefined || !hasKin)) return { preset: one, given: words.slice(1) };
  const name = hasKin ? words.slice(0, 2).join(' ') : first;
  const names = [...PRESETS, ...OWN].map((known) => known.name);
  const kin = names.filter((known) => known === first || known.startsWith(`${first} `));
  const meant = nearest(name, names);
  const hint = meant === undefined ? kin.join(', ') : meant;
  throw new CommandError(
    'unknown-command',
    `there is no command ${JSON.stringify(name)}${hint === '' ? '' : `; did you mean ${hint}?`}\n\`hs110-mqtt plug --help\` lists all`,
  );
}

/** Sets and makes sure by what the plug then reports, once more after a moment if it still reports the old state. */
async function apply(session: PlugSession, settings: Settings): Promise<Observation> {
  const { shell } = session;
  const first = await session.apply(settings);
  if (first.refusal !== undefined) throw first.refusal;
  if (follows(first.sysinfo, settings)) return first;
  await sleep(shell.clock, LAG_MS, shell.signal);
  const second = await session.read();
  if (follows(second.sysinfo, settings)) return second;
  const { relay, led } = second.sysinfo;
  const still =
    settings.relay === undefined
      ? `LED ${onOff(led) ?? 'unknown'}`
      : [onOff(relay) ?? 'nothing', ...lightText(second.sysinfo)].join(', ');
  throw new PlugError('plug-error', `the plug accepted the command but still reports ${still}`);
}

function showObservation({ shell, options }: PlugSession, seen: Observation): void {
  shell.print(options.json ? printableJson(observationData(seen)) : observationText(seen));
}

/** Shows the whole answer as it is, then says what in it is a refusal. */
async function send(session: PlugSession, [json = '']: readonly string[]): Promise<void> {
  const question = readQuery(json);
  await session.confirm(question.query);
  const reply = await session.ask(question);
  session.shell.print(printableJson(reply, session.options.json ? undefined : 2));
  checkAll(reply, question.query);
}

/** The first words of all commands of `plug`. */
export function commandWords(): ReadonlySet<string> {
  return new Set([...PRESETS, ...OWN].map(({ name }) => name.split(' ')[0] ?? name));
}

function listOfCommands(): string[] {
  const commands = [...PRESETS, ...OWN].map(({ name, parameters, does }) => ({
    form: [name, ...parameters].join(' '),
    does,
  }));
  const width = Math.max(...commands.map(({ form }) => form.length));
  return commands.map(({ form, does }) => `  ${form.padEnd(width)}  ${does}`);
}
