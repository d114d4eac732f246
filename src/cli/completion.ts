import { Argument, type Command } from 'commander';
import { examples } from './arguments.ts';
import { commandWords } from './plug.ts';
import type { Shell } from './shell.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

type ShellName = (typeof SHELLS)[number];

/** What may follow a verb. */
interface Verb {
  readonly name: string;
  readonly description: string;
  readonly words: readonly string[];
  readonly options: readonly { readonly flag: string; readonly description: string }[];
}

/** Adds `completion`: what a shell needs to complete the words of this program. */
export function addCompletionVerb(program: Command, shell: Shell): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .description('print what a shell needs to complete verbs and options')
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt completion bash > /etc/bash_completion.d/hs110-mqtt',
        'hs110-mqtt completion zsh > ~/.hs110-mqtt.zsh   # and in ~/.zshrc: source ~/.hs110-mqtt.zsh',
        'hs110-mqtt completion fish > ~/.config/fish/completions/hs110-mqtt.fish',
      ),
    )
    .action((name: ShellName) => shell.print(SCRIPTS[name](verbsOf(program), optionsOf(program))));
}

const SCRIPTS: { readonly [name in ShellName]: (verbs: readonly Verb[], common: Verb['options']) => string } =
  {
    bash,
    zsh: (verbs, common) => `autoload -U +X bashcompinit && bashcompinit\n${bash(verbs, common)}`,
    fish,
  };

function verbsOf(program: Command): Verb[] {
  return program.commands.map((verb) => ({
    name: verb.name(),
    description: verb.description(),
    words: [
      ...verb.commands.map((inner) => inner.name()),
      ...verb.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      ...(verb.name() === 'plug' ? commandWords() : []),
    ],
    options: [...optionsOf(verb), ...verb.commands.flatMap(optionsOf)],
  }));
}

function optionsOf(command: Command): Verb['options'] {
  return command.options
    .filter(({ hidden, long }) => !hidden && typeof long === 'string')
    .map(({ long, description }) => ({ flag: long ?? '', description }));
}

/** Completes a verb, or what may follow the one that is there; files everywhere else. */
function bash(verbs: readonly Verb[], common: Verb['options']): string {
  const all = (parts: readonly (readonly string[])[]) => [...new Set(parts.flat())].join(' ');
  const names = verbs.map(({ name }) => name);
  const flags = common.map(({ flag }) => flag);
  const cases = verbs.map(
    ({ name, words, options }) =>
      `    ${name}) words='${all([words, options.map(({ flag }) => flag), flags])}' ;;`,
  );
  return `# Made by \`hs110-mqtt completion\`.
_hs110_mqtt() {
  local word verb='' words='${all([names, flags])}'
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
    ${names.join('|')}) verb=$word; break ;;
    esac
  done
  case $verb in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _hs110_mqtt hs110-mqtt`;
}

function fish(verbs: readonly Verb[], common: Verb['options']): string {
  const line = (condition: string, what: string, description: string) =>
    `complete -c hs110-mqtt${condition} ${what} -d ${quoted(description.split(/[.:;(]/)[0] ?? '')}`;
  const after = (name: string) => ` -n '__fish_seen_subcommand_from ${name}'`;
  return [
    '# Made by `hs110-mqtt completion`.',
    ...verbs.map(({ name, description }) => line(" -n '__fish_use_subcommand'", `-a ${name}`, description)),
    ...common.map(({ flag, description }) => line('', `-l ${flag.slice(2)}`, description)),
    ...verbs.flatMap(({ name, words, options }) => [
      ...words.map((word) => line(after(name), `-a ${word}`, '')),
      ...options.map(({ flag, description }) => line(after(name), `-l ${flag.slice(2)}`, description)),
    ]),
  ].join('\n');
}

function quoted(text: string): string {
  return `'${text.trim().replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
