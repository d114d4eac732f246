import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CommandError, messageOf } from '../errors.ts';

/** A file that cannot be written, and why: what was to stand there must be kept elsewhere. */
export class ReadOnlyFile extends CommandError {
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super('read-only', `${path} cannot be written: ${reason}`, options);
  }
}

/**
 * Writes a text over a file that still holds `expected`, all of it or nothing: beside it first, then in its place, with
 * its mode and, as far as possible, its owner. A symbolic link stays one. Throws ReadOnlyFile if the file may not or
 * cannot be written, and CommandError `file-changed` if somebody changed it meanwhile.
 */
export function replaceFile(path: string, expected: string, text: string): void {
  const target = found(path);
  const part = join(dirname(target), `.${basename(target)}.part`);
  try {
    writeBeside(part, text, statSync(target));
    if (readFileSync(target, 'utf8') !== expected)
      throw new CommandError('file-changed', `${path} was changed by somebody else just now; try again`);
    renameSync(part, target);
    sync(dirname(target));
  } catch (cause) {
    rmSync(part, { force: true });
    throw cause instanceof CommandError ? cause : new ReadOnlyFile(path, messageOf(cause), { cause });
  }
}

/** The file itself, where `path` may be a link to it. */
function found(path: string): string {
  try {
    const target = realpathSync(path);
    accessSync(target, constants.W_OK);
    // Root could write it all the same: it is protected because somebody wants that.
    if ((statSync(target).mode & 0o222) !== 0) return target;
  } catch (cause) {
    throw new ReadOnlyFile(path, messageOf(cause), { cause });
  }
  throw new ReadOnlyFile(path, 'it is write-protected');
}

function writeBeside(part: string, text: string, like: { mode: number; uid: number; gid: number }): void {
  // What an earlier run left that was killed.
  rmSync(part, { force: true });
  const descriptor = openSync(part, 'wx', 0o600);
  try {
    writeFileSync(descriptor, text);
    own(descriptor, like);
    fchmodSync(descriptor, like.mode & 0o7777);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Only root may give a file away; where the bridge may not, the file becomes its own. */
function own(descriptor: number, { uid, gid }: { uid: number; gid: number }): void {
  try {
    fchownSync(descriptor, uid, gid);
  } catch {
    // It can be read and written as before by all whom its mode lets.
  }
}

/** A name that was given to a file is on the disk once its folder is. */
function sync(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
