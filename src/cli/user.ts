import { type Command, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { BridgeError, CommandError, messageOf } from '../errors.ts';
import { printable, printableJson } from '../printable.ts';
import { FOR_PEOPLE, hashPassword } from '../runtime/password-hash.ts';
import { type Database, openDatabase } from '../store/database.ts';
import {
  putUser,
  ROLES,
  type Role,
  readUserNamed,
  readUsers,
  removeUser,
  type User,
} from '../store/users.ts';
import { examples } from './arguments.ts';
import { type Flags, sourcesOf } from './flags.ts';
import { readNewPassword } from './new-password.ts';
import type { Shell } from './shell.ts';
import { table } from './table.ts';

const LONGEST_NAME = 100;

/** Adds `user`: who may use the page. A bridge that runs holds to it at once. */
export function addUserVerb(program: Command, shell: Shell, flags: Flags): void {
  const user = program
    .command('user')
    .description('who may use the page, also while the bridge runs; takes the same options as the bridge')
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt user add anna --role admin',
        'hs110-mqtt user add ben --role staff --place east-wing --place shed3',
        'hs110-mqtt user password ben < password.txt',
        'hs110-mqtt user list --data-dir /var/lib/hs110-mqtt',
      ),
    );
  const within = <T>(use: (database: Database) => T | Promise<T>) => withDatabase(shell, flags, use);
  user
    .command('add <name>')
    .description('add a user; the password is asked for, or read from standard input')
    .addOption(new Option('--role <role>', 'what he may do').choices(ROLES).default('staff'))
    .option('--place <path>', 'only there; may be given several times', collected)
    .action((name: string, { role, place }: { role: Role; place?: string[] }) =>
      within((database) => add(shell, database, { name, role, places: place ?? null })),
    );
  user
    .command('remove <name>')
    .description('remove a user, who is logged out everywhere')
    .action((name: string) => within((database) => remove(shell, database, name)));
  user
    .command('list')
    .description('all users')
    .option('--json', 'print them as JSON')
    .action(({ json }: { json?: true }) => within((database) => list(shell, database, json ?? false)));
  user
    .command('password <name>')
    .description('give a user another password; he is logged out everywhere')
    .action((name: string) => within((database) => setPassword(shell, database, name)));
}

async function add(shell: Shell, database: Database, user: Omit<User, 'password'>): Promise<void> {
  const { name, role, places } = user;
  if (name.length > LONGEST_NAME || /^\s*$|\p{C}/u.test(name))
    throw new CommandError('bad-name', `a name has 1 to ${LONGEST_NAME} characters`);
  if (readUserNamed(database, name) !== undefined)
    throw new CommandError('user-exists', `there is a user ${name} already`);
  if (role !== 'admin' && !readUsers(database).some((other) => other.role === 'admin'))
    throw new CommandError('no-admin', 'the first user must be an admin: add --role admin');
  const password = await hashPassword(await readNewPassword(shell), FOR_PEOPLE);
  putUser(database, { name, role, places, password });
  shell.print(printable(`${name} was added`));
}

function remove({ print }: Shell, database: Database, name: string): void {
  if (!removeUser(database, name)) throw unknown(name);
  const isLast = readUsers(database).length === 0;
  print(
    printable(`${name} was removed${isLast ? ': without users only this machine can use the page' : ''}`),
  );
}

function list({ print }: Shell, database: Database, json: boolean): void {
  const users = readUsers(database).map(({ name, role, places }) => ({ name, role, places }));
  if (json) print(printableJson(users));
  else if (users.length === 0) print('There are no users: only this machine can use the page.');
  else for (const line of table(['name', 'role', 'places'], users.map(cells))) print(line);
}

function cells({ name, role, places }: Omit<User, 'password'>): string[] {
  return [name, role, places?.join(', ') ?? 'all'];
}

async function setPassword(shell: Shell, database: Database, name: string): Promise<void> {
  const user = readUserNamed(database, name);
  if (user === undefined) throw unknown(name);
  putUser(database, { ...user, password: await hashPassword(await readNewPassword(shell), FOR_PEOPLE) });
  shell.print(printable(`${user.name} has a new password`));
}

async function withDatabase<T>(
  shell: Shell,
  flags: Flags,
  use: (database: Database) => T | Promise<T>,
): Promise<void> {
  const { dataDir } = loadConfig(sourcesOf(shell, flags()));
  if (dataDir === 'off')
    throw new CommandError('no-database', 'dataDir is off: there is no database that could keep users');
  const database = openDatabase(dataDir);
  try {
    await use(database);
  } catch (cause) {
    if (cause instanceof BridgeError) throw cause;
    throw new BridgeError('database', `the database in ${dataDir} cannot be written: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    database.close();
  }
}

function unknown(name: string): CommandError {
  return new CommandError('no-user', `there is no user ${name}`);
}

function collected(path: string, before: readonly string[] = []): string[] {
  return [...before, path];
}
