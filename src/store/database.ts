import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { BridgeError, messageOf } from '../errors.ts';
import { isObject } from '../protocol/json.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

/** An open database. */
export type Database = Libsql.Database;

const FILE = 'hs110-mqtt.db';
const LOCK = 'hs110-mqtt.lock';

const FOREIGN = 'it is the database of another program';

/** How long a write waits for another program that writes, such as the command line; the bridge stands still meanwhile. */
const BUSY_MS = 100;

/** Whether a write waits a moment for another program that writes, as it does at first, or fails at once. */
export function setWaiting(database: Database, waits: boolean): void {
  database.exec(`PRAGMA busy_timeout = ${waits ? BUSY_MS : 0}`);
}

/** Opens the database in the folder `dataDir`, and makes both if they are not there. Throws BridgeError, saying why not. */
export function openDatabase(dataDir: string): Database {
  const path = join(dataDir, FILE);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    keepPrivate(path);
    return prepared(new Libsql(path, { timeout: BUSY_MS }));
  } catch (cause) {
    throw new BridgeError('database', `the database ${path} cannot be used: ${messageOf(cause)}`, { cause });
  }
}

/** Lets nobody else read the file; SQLite gives those beside it the same mode. */
export function keepPrivate(path: string): void {
  if (existsSync(path)) {
    try {
      chmodSync(path, 0o600);
    } catch {
      // It belongs to someone else: who may read it is for them to say.
    }
  } else closeSync(openSync(path, 'a', 0o600));
}

/** Opens the database in `dataDir` as it is, beside a bridge that may use it. Throws BridgeError if there is none of ours. */
export function openExisting(dataDir: string): Database {
  const path = join(dataDir, FILE);
  if (!existsSync(path))
    throw new BridgeError('no-database', `there is no database ${path}; is dataDir right?`);
  try {
    const database = new Libsql(path, { timeout: BUSY_MS });
    return checked(database, () => {
      if (pragma(database, 'application_id') !== APPLICATION_ID) throw new Error(FOREIGN);
    });
  } catch (cause) {
    throw new BridgeError('database', `the database ${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** A database that is gone with the program. */
export function openInMemory(): Database {
  return prepared(new Libsql(':memory:'));
}

/**
 * Keeps a second bridge off the same data, until the returned database is closed or the process ends, however it
 * does. Throws BridgeError `data-in-use` if one is there already.
 */
export function lock(dataDir: string): Database {
  const path = join(dataDir, LOCK);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const database = new Libsql(path);
  try {
    // The lock that SQLite takes on the file is the system's, and goes with the process.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database.close();
    if (!isBusy(cause)) throw cause;
    throw new BridgeError(
      'data-in-use',
      `another hs110-mqtt uses the data in ${dataDir}; stop it, or give each its own dataDir`,
      { cause },
    );
  }
}

function isCorrupt(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_CORRUPT';
}

function damaged(how: string): Error {
  return new Error(`it is damaged (${how}); restore a backup or move it away`);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
}

function prepared(database: Database): Database {
  return checked(database, () => {
    try {
      demandOurs(database);
      demandIntact(database);
    } catch (error) {
      throw isCorrupt(error) ? damaged(messageOf(error)) : error;
    }
    // Committed in the log; that is synced to the disk only now and then: it survives the program, not a power cut.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
    migrate(database);
  });
}

/** Closes the database again if `check` throws. */
function checked(database: Database, check: () => void): Database {
  try {
    check();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function demandOurs(database: Database): void {
  const id = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  const isEmpty = column(database, 'SELECT count(*) AS tables FROM sqlite_schema', 'tables') === 0;
  if (id !== APPLICATION_ID && !(id === 0 && isEmpty)) throw new Error(FOREIGN);
  if (Number(version) > MIGRATIONS.length)
    throw new Error(`a later version of this program made it (${String(version)}, not ${MIGRATIONS.length})`);
}

function demandIntact(database: Database): void {
  const found = pragma(database, 'quick_check');
  if (found !== 'ok') throw damaged(String(found));
}

/** Brings the schema up to date, one transaction for each version. */
function migrate(database: Database): void {
  for (let version = Number(pragma(database, 'user_version')); version < MIGRATIONS.length; version++) {
    const end = `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}; COMMIT`;
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[version]}; ${end}`);
  }
}

function pragma(database: Database, name: string): unknown {
  return column(database, `PRAGMA ${name}`, name);
}

function column(database: Database, sql: string, name: string): unknown {
  const row = database.prepare(sql).get();
  return isObject(row) ? row[name] : undefined;
}
