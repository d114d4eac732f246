import type { Command } from 'commander';
import { CommandError } from '../errors.ts';
import { hashPassword } from '../mqtt/password-hash.ts';
import { examples } from './arguments.ts';
import { readAll } from './input.ts';
import type { Shell } from './shell.ts';

/** Characters of a password; fewer are guessed sooner or later. */
const SHORTEST = 8;
const LONGEST = 1024;

/** Adds the verb that makes the hash of a password, for `broker.users`. */
export function addHashPasswordVerb(program: Command, shell: Shell): void {
  program
    .command('hash-password')
    .description('make the hash of a password for broker.users; it is asked for, or read from standard input')
    .addHelpText('after', examples('hs110-mqtt hash-password', 'hs110-mqtt hash-password < password.txt'))
    .action(async () => shell.print(await hashPassword(await readPassword(shell))));
}

/** Never from the arguments: every user of the machine can read those. */
async function readPassword({ input }: Shell): Promise<string> {
  const typed = input.isTerminal
    ? await input.askSecretly('Password: ')
    : (await readAll(input)).toString('utf8');
  const [password = ''] = (typed ?? '').split(/\r?\n/, 1);
  if (password.length < SHORTEST || password.length > LONGEST)
    throw new CommandError(
      'bad-password',
      `a password has ${SHORTEST} to ${LONGEST} characters; this one has ${password.length}`,
    );
  return password;
}
