import type Libsql from 'libsql';
import type { Logger } from 'pino';
import type { Receipt, Settlement } from '../bridge/command.ts';
import type { Adopted, KnownDevice, Memory, StoredCommand, StoredOutlet } from '../bridge/memory.ts';
import type { StoredMeter } from '../bridge/outlet-meter.ts';
import { messageOf } from '../errors.ts';
import type { Address } from '../plug/transport.ts';
import { isObject, numberAt, textAt } from '../protocol/json.ts';
import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { type Database, setWaiting } from './database.ts';
import { readEnergyByPath, readMeter } from './meters.ts';
import { readAdopted, readCommandRow, readDevice, readOutlet } from './rows.ts';

export interface StoreOptions {
  readonly database: Database;
  /** Keeps other bridges off the data while it is open. */
  readonly lock: Database | undefined;
  /** Why the database that was configured is not used, if it is not. */
  readonly problem: string | null;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Writes that wait for a database that cannot be written are kept up to this number; what is current stays known. */
const MOST_WAITING = 10_000;

type Row = readonly (string | number | null)[];
type Statement = Libsql.Statement<unknown[]>;

/**
 * All that survives a restart, in one SQLite database. A database that cannot be written is said once, in the log and
 * by {@link Store.problem}; the bridge goes on from what it has in memory.
 */
export class Store implements Task, Memory {
  readonly name = 'store';
  readonly #options: StoreOptions;
  readonly #statements = new Map<string, Statement>();
  /** Writes to be made with the next transaction, by what they write: the last one holds. */
  readonly #waiting = new Map<string, readonly [sql: string, row: Row]>();
  #flushing = false;
  #inTransaction = false;
  /** What went wrong in the transaction that runs. */
  #error: unknown;
  readonly #adopted: Map<string, Adopted>;
  /** What was kept of devices since the start; what is still to be written cannot be read. */
  readonly #devices = new Map<string, KnownDevice>();
  #lastId: number;
  #problem: string | null;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#problem = options.problem;
    const adopted = this.#all('SELECT * FROM adopted');
    this.#adopted = new Map(adopted.flatMap((row) => this.#read(() => [readAdopted(row)]) ?? []));
    const last = this.#get('SELECT max(id) AS id FROM command', []);
    this.#lastId = (isObject(last) ? numberAt(last, 'id') : undefined) ?? 0;
  }

  /** The database itself, for what only reads. */
  get database(): Database {
    return this.#options.database;
  }

  /** Why what is decided now would not survive a restart; `null` if it would. */
  get problem(): string | null {
    return this.#problem;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    await aborted(signal);
    this.transaction(() => {});
    this.#options.database.close();
    this.#options.lock?.close();
  }

  /** As {@link Memory.transaction}; returns whether all of it is kept, or will be with the transaction that runs. */
  transaction(change: () => void): boolean {
    if (this.#inTransaction) {
      change();
      return true;
    }
    this.#inTransaction = true;
    this.#error = undefined;
    this.#execute('BEGIN IMMEDIATE');
    try {
      change();
    } catch (error) {
      this.#inTransaction = false;
      this.#execute('ROLLBACK');
      throw error;
    }
    this.#inTransaction = false;
    // Last: `change` may have added to it.
    for (const [sql, row] of this.#waiting.values()) this.#execute(sql, row);
    if (this.#error === undefined) this.#execute('COMMIT');
    if (this.#error === undefined) this.#succeeded();
    else this.#failed(this.#error);
    return this.#error === undefined;
  }

  outlet(key: string, path: string): StoredOutlet | undefined {
    const select = 'SELECT relay, timer, disarm FROM outlet WHERE key = ?';
    const own = this.#get(select, [key]);
    const row = own ?? this.#get(select, [`path:${path}`]);
    if (own === undefined && row !== undefined)
      this.#soon(`path ${path}`, 'UPDATE OR REPLACE outlet SET key = ? WHERE key = ?', [key, `path:${path}`]);
    return row === undefined ? undefined : this.#read(() => readOutlet(row));
  }

  keepOutlet(key: string, { relay, timer, disarm }: StoredOutlet): void {
    const row = [key, flag(relay), json(timer), flag(disarm)];
    this.#soon(`outlet ${key}`, 'INSERT OR REPLACE INTO outlet VALUES (?, ?, ?, ?)', row);
  }

  meter(key: string): StoredMeter | undefined {
    return this.#read(() => readMeter(this.database, key));
  }

  energyByPath(): ReadonlyMap<string, number> {
    return this.#read(() => readEnergyByPath(this.database)) ?? new Map();
  }

  learntMac(path: string, address: Address): string | undefined {
    const row = this.#get('SELECT mac FROM learnt WHERE path = ? AND address = ?', [path, textOf(address)]);
    return isObject(row) ? textAt(row, 'mac') : undefined;
  }

  learnMac(path: string, address: Address, mac: string): void {
    if (this.learntMac(path, address) === mac) return;
    this.#soon(`learnt ${path}`, 'INSERT OR REPLACE INTO learnt VALUES (?, ?, ?)', [
      path,
      textOf(address),
      mac,
    ]);
  }

  device(mac: string): KnownDevice | undefined {
    const known = this.#devices.get(mac);
    if (known !== undefined) return known;
    const row = this.#get('SELECT protocol, outlets FROM device WHERE mac = ?', [mac]);
    return row === undefined ? undefined : this.#read(() => readDevice(row));
  }

  keepDevice(mac: string, { protocol, outlets }: KnownDevice): void {
    const row = [mac, protocol, JSON.stringify(outlets)];
    this.#devices.set(mac, { protocol, outlets });
    this.#soon(`device ${mac}`, 'INSERT OR REPLACE INTO device VALUES (?, ?, ?)', row);
  }

  adopted(): ReadonlyMap<string, Adopted> {
    return this.#adopted;
  }

  adopt(mac: string, { path, address: { host, port } }: Adopted): void {
    this.#adopted.set(mac, { path, address: { host, port } });
    this.write('INSERT OR REPLACE INTO adopted VALUES (?, ?, ?, ?)', [mac, path, host, port]);
  }

  forget(mac: string): void {
    this.#adopted.delete(mac);
    this.write('DELETE FROM adopted WHERE mac = ?', [mac]);
  }

  commands(): readonly StoredCommand[] {
    const parts = new Map<unknown, unknown[]>();
    for (const part of this.#all('SELECT * FROM part ORDER BY command, path')) {
      const others = parts.get(part.command);
      if (others === undefined) parts.set(part.command, [part]);
      else others.push(part);
    }
    return this.#all('SELECT * FROM command ORDER BY id').flatMap((row) => {
      return this.#read(() => readCommandRow(row, parts.get(row.id) ?? [])) ?? [];
    });
  }

  nextId(): number {
    return ++this.#lastId;
  }

  take({ id, target, command, until, parts, receipt }: StoredCommand): void {
    const row = [id, target, JSON.stringify(command), JSON.stringify(until), json(receipt)];
    this.write('INSERT INTO command VALUES (?, ?, ?, ?, ?)', row);
    for (const { path, outlet, relay, settlement } of parts) {
      this.write('INSERT INTO part VALUES (?, ?, ?, ?, ?)', [id, path, outlet, relay, json(settlement)]);
    }
  }

  decide(id: number, path: string, relay: 'on' | 'off'): void {
    this.write('UPDATE part SET relay = ? WHERE command = ? AND path = ?', [relay, id, path]);
  }

  settle(id: number, path: string, settlement: Settlement): void {
    const sql = 'UPDATE part SET settlement = ? WHERE command = ? AND path = ?';
    const row = [JSON.stringify(settlement), id, path];
    if (this.#inTransaction) this.#execute(sql, row);
    else this.#soon(`part ${id} ${path}`, sql, row);
  }

  finish(id: number, receipt: Receipt): void {
    this.write('UPDATE command SET receipt = ? WHERE id = ?', [JSON.stringify(receipt), id]);
  }

  acknowledge(id: number): void {
    this.#soon(`command ${id}`, 'DELETE FROM command WHERE id = ?', [id]);
  }

  /** A single fact that was kept under that name. */
  fact(name: string): string | undefined {
    const row = this.#get('SELECT value FROM fact WHERE name = ?', [name]);
    return isObject(row) ? textAt(row, 'value') : undefined;
  }

  keepFact(name: string, value: string): void {
    this.#soon(`fact ${name}`, 'INSERT OR REPLACE INTO fact VALUES (?, ?)', [name, value]);
  }

  forgetFact(name: string): void {
    this.#soon(`fact ${name}`, 'DELETE FROM fact WHERE name = ?', [name]);
  }

  /** Topics of that kind that hold retained messages of ours. */
  retained(kind: string): ReadonlySet<string> {
    const rows = this.#all('SELECT topic FROM retained WHERE kind = ?', [kind]);
    return new Set(rows.flatMap((row) => textAt(row, 'topic') ?? []));
  }

  keepRetained(kind: string, topic: string): void {
    this.#soon(`retained ${topic}`, 'INSERT OR REPLACE INTO retained VALUES (?, ?)', [topic, kind]);
  }

  forgetRetained(topic: string): void {
    this.#soon(`retained ${topic}`, 'DELETE FROM retained WHERE topic = ?', [topic]);
  }

  /** Writes with the transaction that runs, or in one of its own. */
  write(sql: string, row: Row): void {
    this.transaction(() => this.#execute(sql, row));
  }

  /** Writes with the next transaction, at the latest once the input that is at hand has been dealt with. */
  #soon(what: string, sql: string, row: Row): void {
    if (this.#waiting.size >= MOST_WAITING && !this.#waiting.has(what) && !this.#makesRoom()) return;
    // The last one holds, in the place of the last.
    this.#waiting.delete(what);
    this.#waiting.set(what, [sql, row]);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.clock.soon(() => {
      this.#flushing = false;
      if (this.#waiting.size > 0) this.transaction(() => {});
    });
  }

  /** Whether more can wait: a database that can be written takes at once what has gathered. */
  #makesRoom(): boolean {
    if (this.#problem !== this.#options.problem || this.#inTransaction) return false;
    this.transaction(() => {});
    return this.#waiting.size === 0;
  }

  /** Nothing is tried any more in a transaction in which something went wrong. */
  #execute(sql: string, row: Row = []): void {
    if (this.#error !== undefined && sql !== 'ROLLBACK') return;
    try {
      this.#statement(sql).run(...row);
    } catch (error) {
      this.#error ??= error;
    }
  }

  #succeeded(): void {
    this.#waiting.clear();
    if (this.#problem === this.#options.problem) return;
    this.#problem = this.#options.problem;
    setWaiting(this.#options.database, true);
    this.#options.log.info('the database can be written again');
  }

  #failed(error: unknown): void {
    this.#execute('ROLLBACK');
    if (this.#problem !== null) return;
    this.#problem = messageOf(error);
    // The bridge must not stand still again and again for somebody who holds the database.
    setWaiting(this.#options.database, false);
    this.#options.log.error(
      { reason: this.#problem },
      'the database cannot be written: switching goes on, but what is wanted now would not survive a restart',
    );
  }

  #get(sql: string, row: Row): unknown {
    return this.#read(() => this.#statement(sql).get(...row));
  }

  #all(sql: string, row: Row = []) {
    return (this.#read(() => this.#statement(sql).all(...row)) ?? []).filter(isObject);
  }

  /** What cannot be read is left out, and said. */
  #read<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#options.log.error(
        { reason: messageOf(error) },
        'something in the database cannot be read; it is left out',
      );
      return undefined;
    }
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#options.database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function textOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

function json(value: object | null): string | null {
  return value && JSON.stringify(value);
}

function flag(value: boolean | null): number | null {
  return value === null ? null : Number(value);
}
