import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Receipt } from '../../src/bridge/command.ts';
import type { StoredCommand, StoredOutlet } from '../../src/bridge/memory.ts';
import { type Database, openDatabase, openInMemory } from '../../src/store/database.ts';
import { Store } from '../../src/store/store.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';

const BROKEN =
  'the database cannot be written: switching goes on, but what is wanted now would not survive a restart';
const WELL = 'the database can be written again';
const UNREADABLE = 'something in the database cannot be read; it is left out';
const ON: StoredOutlet = { relay: true, timer: null, disarm: false };
const MAC = '50:C7:BF:00:00:01';

let folder: string;
let database: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
  database = openDatabase(folder);
});

afterEach(() => {
  if (database.open) database.close();
  rmSync(folder, { recursive: true });
});

/** A store over a database, and what it logs. */
function open(over: Database = database) {
  const { log, lines } = memoryLog();
  const store = new Store({ database: over, lock: undefined, problem: null, clock: new ManualClock(), log });
  const said = (msg: string) => lines.filter((line) => line.msg === msg);
  return { store, said };
}

/** What another program that opens the same file reads at this moment. */
function beside(sql: string): unknown[] {
  const other = openDatabase(folder);
  try {
    return other.prepare(sql).all();
  } finally {
    other.close();
  }
}

function command(id: number): StoredCommand {
  const part = { path: 'lamp', outlet: MAC, relay: null, settlement: null };
  return {
    ...{ id, target: 'lamp', command: { id: `x${id}`, origin: 'mqtt', user: null, relay: 'on' } },
    ...{ until: { boot: 'boot 1', at: 5000, date: 5000 }, parts: [part], receipt: null },
  };
}

/** No new page fits: what the disk does when it is full. */
function fill(): void {
  // It is never less than there are already.
  database.exec('PRAGMA max_page_count = 1');
}

/** The disk has room again. */
function empty(): void {
  database.exec('PRAGMA max_page_count = 1000000');
}

const LONG = 'x'.repeat(20_000);

describe('a transaction', () => {
  it('is read by another program once it returns, with all that was changed in it', () => {
    const { store } = open();
    store.transaction(() => {
      store.take(command(store.nextId()));
      store.decide(1, 'lamp', 'off');
      expect(beside('SELECT * FROM command')).toEqual([]);
    });
    expect(beside('SELECT id, target FROM command')).toEqual([{ id: 1, target: 'lamp' }]);
    expect(beside('SELECT relay FROM part')).toEqual([{ relay: 'off' }]);
  });

  it('that throws keeps nothing of what it changed, throws on, and what was deferred before it stays to be kept', async () => {
    const { store, said } = open();
    store.keepFact('before', 'it');
    expect(() =>
      store.transaction(() => {
        store.take(command(1));
        throw new Error('a mistake');
      }),
    ).toThrow('a mistake');
    expect(beside('SELECT * FROM command')).toEqual([]);
    await settled();
    expect(store.fact('before')).toBe('it');
    expect(said(BROKEN)).toEqual([]);
    store.take(command(2));
    expect(store.commands().map(({ id }) => id)).toEqual([2]);
  });

  it('in another belongs to that one', () => {
    const { store } = open();
    expect(() =>
      store.transaction(() => {
        store.transaction(() => store.take(command(1)));
        throw new Error('a mistake');
      }),
    ).toThrow('a mistake');
    expect(store.commands()).toEqual([]);
  });

  it('in which one write fails keeps none of them', () => {
    const { store, said } = open();
    store.take(command(1));
    store.transaction(() => {
      store.take(command(2));
      store.take(command(1));
      store.take(command(3));
    });
    expect(store.commands().map(({ id }) => id)).toEqual([1]);
    expect(said(BROKEN)).toMatchObject([{ reason: expect.stringContaining('UNIQUE') }]);
  });
});

describe('what is deferred', () => {
  it('is kept with the next transaction, also what is deferred while that runs', () => {
    const { store } = open();
    store.keepOutlet(MAC, ON);
    expect(beside('SELECT * FROM outlet')).toEqual([]);
    store.transaction(() => {
      store.keepOutlet('other', ON);
      store.keepOutlet(MAC, { ...ON, relay: false });
    });
    expect(beside('SELECT key, relay FROM outlet')).toEqual([
      { key: MAC, relay: 0 },
      { key: 'other', relay: 1 },
    ]);
  });

  it('is kept a moment later by itself, the last of what was written to one row', async () => {
    const { store } = open();
    store.keepOutlet(MAC, ON);
    store.keepOutlet(MAC, { ...ON, relay: false, disarm: true });
    await settled();
    expect(beside('SELECT * FROM outlet')).toEqual([{ key: MAC, relay: 0, timer: null, disarm: 1 }]);
  });

  it('is kept when the program ends in order, and the file can be opened by the next one', async () => {
    const { store } = open();
    const stop = new AbortController();
    const run = store.run(stop.signal, () => {});
    store.keepOutlet(MAC, ON);
    stop.abort();
    await run;
    expect(database.open).toBe(false);
    expect(beside('SELECT key FROM outlet')).toEqual([{ key: MAC }]);
  });

  it('loses nothing on a database that is well, however much of it comes at once', async () => {
    const { store } = open(openInMemory());
    for (let plug = 0; plug < 25_000; plug++) store.keepRetained('plug', `museum/${plug}`);
    await settled();
    expect(store.retained('plug').size).toBe(25_000);
  });
});

describe('a disk that is full', () => {
  it('is said once and told as the problem; when it has room again that is said, and what was deferred is kept', async () => {
    const { store, said } = open();
    fill();
    for (let time = 0; time < 5; time++) {
      store.keepFact('long', LONG);
      await settled();
    }
    store.keepOutlet(MAC, ON);
    await settled();
    expect(said(BROKEN)).toMatchObject([{ level: 50, reason: expect.stringContaining('full') }]);
    expect(store.problem).toContain('full');
    expect(store.fact('long')).toBeUndefined();
    empty();
    store.transaction(() => {});
    expect(store.problem).toBeNull();
    expect(said(WELL)).toHaveLength(1);
    expect(store.fact('long')).toBe(LONG);
    expect(store.outlet(MAC, 'lamp')).toEqual(ON);
    fill();
    store.keepFact('longer', LONG + LONG);
    await settled();
    expect(said(BROKEN)).toHaveLength(2);
  });

  it('does not take up memory without bound', async () => {
    const { store } = open();
    fill();
    store.keepFact('long', LONG);
    for (let plug = 0; plug < 12_000; plug++) store.keepRetained('plug', `museum/${plug}`);
    await settled();
    for (let plug = 12_000; plug < 14_000; plug++) store.keepRetained('plug', `museum/${plug}`);
    empty();
    store.transaction(() => {});
    expect(store.retained('plug').size).toBeLessThan(12_000);
    expect(store.fact('long')).toBe(LONG);
  });
});

describe('a database that only can be read', () => {
  it('is said once; what is in it is known, and nothing is thrown at those who write', async () => {
    open().store.take(command(1));
    database.exec('PRAGMA query_only = ON');
    const { store, said } = open();
    store.take(command(2));
    store.finish(2, RECEIPT);
    store.keepOutlet(MAC, ON);
    store.adopt(MAC, { path: 'lamp', address: { host: '192.0.2.1', port: 9999 } });
    await settled();
    expect(said(BROKEN)).toMatchObject([{ reason: expect.stringContaining('readonly') }]);
    expect(store.commands().map(({ id }) => id)).toEqual([1]);
    expect([...store.adopted().keys()]).toEqual([MAC]);
  });
});

const RECEIPT: Receipt = {
  ...{ id: 'x1', target: 'lamp', relay: 'on', led: undefined, outcome: 'confirmed', confirmed: 1 },
  ...{ total: 1, missing: [], ms: 12, replyTo: undefined },
};

describe('commands', () => {
  it('are found by the next run as they were left, oldest first, until the broker has their receipts', async () => {
    const { store } = open();
    const full: StoredCommand = {
      ...command(1),
      command: {
        ...{ relay: 'on', led: true, forMs: 1000, ttlMs: 0, id: 'x', origin: 'web', user: 'Eva' },
        ...{ replyTo: { topic: 'answers', correlation: 'AA==' }, delivery: { packetId: 7, dup: false } },
      },
    };
    store.take(command(2));
    store.take(full);
    store.settle(1, 'lamp', { outcome: 'confirmed', countdown: true });
    store.decide(2, 'lamp', 'off');
    store.settle(2, 'lamp', { outcome: 'expired', reason: 'busy' });
    store.finish(2, {
      ...RECEIPT,
      reason: 'busy',
      locked: 2,
      countdown: false,
      missing: [{ path: 'a', reason: 'b' }],
    });
    await settled();
    const next = open().store;
    const part = { path: 'lamp', outlet: MAC, relay: null };
    expect(next.commands()).toEqual([
      { ...full, parts: [{ ...part, settlement: { outcome: 'confirmed', countdown: true } }] },
      {
        ...command(2),
        command: { ...command(2).command, led: undefined },
        parts: [{ ...part, relay: 'off', settlement: { outcome: 'expired', reason: 'busy' } }],
        receipt: {
          ...RECEIPT,
          reason: 'busy',
          locked: 2,
          countdown: false,
          missing: [{ path: 'a', reason: 'b' }],
        },
      },
    ]);
    expect(next.nextId()).toBe(3);
    next.acknowledge(2);
    await settled();
    expect(next.commands().map(({ id }) => id)).toEqual([1]);
    expect(beside('SELECT command FROM part')).toEqual([{ command: 1 }]);
  });

  it('that cannot be read are left out, and that is said; the others are found', () => {
    const { store, said } = open();
    for (const id of [1, 2, 3]) store.take(command(id));
    database.exec(`UPDATE command SET command = '{"relay":' WHERE id = 2`);
    expect(store.commands().map(({ id }) => id)).toEqual([1, 3]);
    expect(said(UNREADABLE)).toHaveLength(1);
  });
});

describe('outlets and plugs', () => {
  it('are found by the next run; those that cannot be read are left out, and that is said', async () => {
    const { store } = open();
    const timer = { relay: false, at: { boot: 'boot 1', at: 7000, date: 9000 }, armed: true };
    store.keepOutlet(MAC, { relay: null, timer, disarm: true });
    store.keepOutlet('other', ON);
    store.adopt(MAC, { path: 'lamp', address: { host: '192.0.2.1', port: 9999 } });
    store.adopt('other', { path: 'fan', address: { host: '192.0.2.2', port: 9999 } });
    await settled();
    database.exec(
      `UPDATE outlet SET timer = '[]' WHERE key = 'other'; UPDATE adopted SET host = '' WHERE mac = 'none'`,
    );
    const { store: next, said } = open();
    expect(next.outlet(MAC, 'lamp')).toEqual({ relay: null, timer, disarm: true });
    expect(next.outlet('other', 'fan')).toBeUndefined();
    expect(said(UNREADABLE)).toHaveLength(1);
    expect([...next.adopted()]).toEqual([
      [MAC, { path: 'lamp', address: { host: '192.0.2.1', port: 9999 } }],
      ['other', { path: 'fan', address: { host: '192.0.2.2', port: 9999 } }],
    ]);
    next.forget(MAC);
    expect([...open().store.adopted().keys()]).toEqual(['other']);
  });

  it('are known by the path of an old state file until they are identified, and by their own key from then on', async () => {
    const { store } = open();
    store.keepOutlet('path:lamp', ON);
    await settled();
    expect(store.outlet(MAC, 'lamp')).toEqual(ON);
    await settled();
    expect(beside('SELECT key FROM outlet')).toEqual([{ key: MAC }]);
    expect(store.outlet('50:C7:BF:00:00:02', 'lamp')).toBeUndefined();
  });

  it('have their MAC learnt for the one address at which they answered', async () => {
    const { store } = open();
    const address = { host: '192.0.2.1', port: 9999 };
    store.learnMac('lamp', address, MAC);
    await settled();
    expect(store.learntMac('lamp', address)).toBe(MAC);
    expect(store.learntMac('lamp', { ...address, port: 9998 })).toBeUndefined();
    expect(store.learntMac('fan', address)).toBeUndefined();
  });
});
