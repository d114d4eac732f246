import { type Command, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Sources } from '../config/written.ts';
import { BridgeError, CommandError, ConfigError, messageOf } from '../errors.ts';
import { printable, printableJson } from '../printable.ts';
import { examples } from './arguments.ts';
import { examineBridge } from './doctor/bridge.ts';
import { examineBrokers } from './doctor/broker.ts';
import { bundle, type Evidence } from './doctor/bundle.ts';
import { type Finding, note, ok, problem } from './doctor/finding.ts';
import { examineMachine } from './doctor/machine.ts';
import { examineNetwork } from './doctor/network.ts';
import { examinePlugs } from './doctor/plugs.ts';
import { type Flags, sourcesOf } from './flags.ts';
import { interrupted } from './input.ts';
import type { Shell } from './shell.ts';

interface DoctorOptions {
  readonly json?: true;
  /** A name, or `true` for one by the date. */
  readonly bundle?: string | true;
}

/** Adds `doctor`: what is wrong, and what to do about it. */
export function addDoctorVerb(program: Command, shell: Shell, flags: Flags): void {
  program
    .command('doctor')
    .description('look at configuration, machine, broker, bridge, network and plugs, and say what to do')
    .option('--json', 'print what was found as JSON')
    .addOption(
      new Option(
        '--bundle [file]',
        'write all of it, without what is private, to an archive for a bug report',
      ),
    )
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt doctor',
        'hs110-mqtt doctor --config /etc/hs110-mqtt.yaml',
        'hs110-mqtt doctor --bundle',
      ),
    )
    .action((options: DoctorOptions) => doctor(shell, flags, options));
}

/** Prints what was found; rejects if anything is wrong, as bad usage if that is the configuration. */
async function doctor(shell: Shell, flags: Flags, options: DoctorOptions): Promise<void> {
  const sources = sourcesOf(shell, flags());
  const evidence = await examine(shell, sources);
  if (shell.signal.aborted) throw interrupted();
  const { findings } = evidence;
  if (options.json) shell.print(printableJson(findings, 2));
  else for (const finding of findings) for (const line of lines(finding)) shell.print(line);
  if (options.bundle !== undefined) writeBundle(shell, evidence, options.bundle);
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const verdict = `${counted(count('problem'), 'problem')}, ${counted(count('note'), 'note')}`;
  if (evidence.config === undefined) throw new CommandError('bad-configuration', verdict);
  if (count('problem') > 0) throw new BridgeError('unwell', verdict);
  if (!options.json) shell.print(verdict);
}

async function examine(shell: Shell, sources: Sources): Promise<Evidence> {
  const { config, findings: first } = examineConfig(sources);
  const machine = examineMachine(shell, config);
  const nothing = { sources, told: undefined, examined: [] };
  if (config === undefined) return { ...nothing, config, findings: [...first, ...machine] };
  const tell = (what: string) => {
    if (shell.isTerminal) shell.printError(`${what} …`);
  };
  tell('asking the broker');
  const brokers = await examineBrokers(shell, config);
  const bridge = await examineBridge(shell, config);
  tell('looking for plugs');
  const network = await examineNetwork(shell, config);
  tell('asking each plug');
  const plugs = await examinePlugs(shell, config, network.found, bridge.state);
  const findings = [
    ...first,
    ...machine,
    ...brokers,
    ...bridge.findings,
    ...network.findings,
    ...plugs.findings,
  ];
  return { sources, config, findings, told: bridge.state, examined: plugs.examined };
}

function examineConfig(sources: Sources): { config: Config | undefined; findings: Finding[] } {
  const name = sources.file?.name ?? 'no file, but defaults, environment and flags';
  try {
    const config = loadConfig(sources);
    const warnings = config.warnings.map((warning) => note('configuration', warning));
    return {
      config,
      findings: [ok('configuration', `${name}: ${counted(config.plugs.length, 'plug')}`), ...warnings],
    };
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [messageOf(error)];
    return { config: undefined, findings: problems.map((what) => problem('configuration', what)) };
  }
}

const MARKS = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' } as const;

function lines({ area, level, says, cure }: Finding): string[] {
  const head = `${MARKS[level]}  ${area.padEnd(14)} ${says}`;
  return [head, ...(cure === undefined ? [] : [`${' '.repeat(24)}→ ${cure}`])].map(printable);
}

function writeBundle(shell: Shell, evidence: Evidence, file: string | true): void {
  const date = new Date(shell.clock.date())
    .toISOString()
    .slice(0, 16)
    .replaceAll(/[-:]/g, '')
    .replace('T', '-');
  const name = file === true ? `hs110-mqtt-doctor-${date}.tar.gz` : file;
  try {
    shell.writeFile(name, bundle(evidence, shell));
  } catch (cause) {
    throw new BridgeError('cannot-write', `${name} cannot be written: ${messageOf(cause)}`, { cause });
  }
  shell.printError(`${printable(name)} is written. Read it before you give it away.`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
