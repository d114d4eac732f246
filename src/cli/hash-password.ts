import type { Command } from 'commander';
import { hashPassword } from '../runtime/password-hash.ts';
import { examples } from './arguments.ts';
import { readNewPassword } from './new-password.ts';
import type { Shell } from './shell.ts';

/** Adds the verb that makes the hash of a password, for `broker.users`. */
export function addHashPasswordVerb(program: Command, shell: Shell): void {
  program
    .command('hash-password')
    .description('make the hash of a password for broker.users; it is asked for, or read from standard input')
    .addHelpText('after', examples('hs110-mqtt hash-password', 'hs110-mqtt hash-password < password.txt'))
    .action(async () => shell.print(await hashPassword(await readNewPassword(shell))));
}
