import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { BridgeError, CommandError, messageOf } from '../errors.ts';
import { keepPrivate, openExisting } from './database.ts';

/**
 * Copies the database in the folder `dataDir` to `file`, also while a bridge uses it; returns the size of the copy in
 * bytes. Throws CommandError if something is at `file` already, BridgeError if there is no database or it cannot be
 * copied.
 */
export function backUp(dataDir: string, file: string): number {
  demandFree(file);
  const database = openExisting(dataDir);
  const part = `${file}.part`;
  try {
    // What an earlier backup left that was killed.
    rmSync(part, { force: true });
    keepPrivate(part);
    // One transaction of SQLite: what is written meanwhile is either in the copy as a whole or not at all.
    database.prepare('VACUUM INTO ?').run(part);
    sync(part);
    renameSync(part, file);
    return statSync(file).size;
  } catch (cause) {
    rmSync(part, { force: true });
    throw new BridgeError('backup', `the backup ${file} cannot be written: ${messageOf(cause)}`, { cause });
  } finally {
    database.close();
  }
}

function demandFree(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return;
  const why = found.isDirectory()
    ? 'is a folder; name a file in it'
    : 'is there already; it is not overwritten';
  throw new CommandError('file-exists', `${file} ${why}`);
}

/** SQLite does not wait until the copy is on the disk. */
function sync(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
