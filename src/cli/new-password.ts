import { CommandError } from '../errors.ts';
import { readAll } from './input.ts';
import type { Shell } from './shell.ts';

/** Characters of a password; fewer are guessed sooner or later. */
const SHORTEST = 8;
const LONGEST = 1000;

/**
 * A new password, asked for or from standard input; never from the arguments: every user of the machine can read those.
 * Throws CommandError if it is too short or too long.
 */
export async function readNewPassword({ input }: Pick<Shell, 'input'>): Promise<string> {
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
