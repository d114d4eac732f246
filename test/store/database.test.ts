import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backUp } from '../../src/store/backup.ts';
import { lock, openDatabase } from '../../src/store/database.ts';
import { openStore } from '../../src/store/open-store.ts';
import { MIGRATIONS } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { thrownBy } from '../support/thrown.ts';

const NO_DATABASE = 'no database: switching works, but nothing will survive a restart';

let folder: string;
let data: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
  data = join(folder, 'data');
  file = join(data, 'hs110-mqtt.db');
});

afterEach(() => rmSync(folder, { recursive: true }));

function open(dataDir = data) {
  const { log, lines } = memoryLog();
  return { store: openStore(dataDir, { clock: new ManualClock(), log }), lines };
}

async function close(store: Store): Promise<void> {
  const stop = new AbortController();
  const run = store.run(stop.signal, () => {});
  stop.abort();
  await run;
}

/** Makes a database at the place of ours. */
function foreign(sql: string): void {
  mkdirSync(data);
  const database = new Libsql(file);
  database.exec(sql);
  database.close();
}

describe('a database', () => {
  it('is for the user alone who runs the bridge, one of an earlier version too, and so is a backup', async () => {
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    const { store } = open();
    expect(modeOf(data)).toBe('700');
    expect(modeOf(file)).toBe('600');
    expect(modeOf(`${file}-wal`)).toBe('600');
    backUp(data, join(folder, 'copy.db'));
    expect(modeOf(join(folder, 'copy.db'))).toBe('600');
    await close(store);
    chmodSync(file, 0o644);
    await close(open().store);
    expect(modeOf(file)).toBe('600');
  });

  it('is made in a folder that is not there yet, and keeps what was in it when it is opened again', async () => {
    const { store, lines } = open(join(data, 'deeper'));
    store.keepFact('name', 'value');
    await close(store);
    const again = open(join(data, 'deeper'));
    expect(again.store.fact('name')).toBe('value');
    expect(again.store.problem).toBeNull();
    expect([...lines, ...again.lines]).toEqual([]);
    await close(again.store);
  });

  it('survives the end of the program at any moment, and is read and written beside it', async () => {
    const { store } = open();
    store.transaction(() => store.keepFact('first', '1'));
    const other = openDatabase(data);
    other.exec(`INSERT INTO fact VALUES ('other', '2')`);
    other.close();
    expect(store.fact('other')).toBe('2');
    expect(Object(new Libsql(file).prepare('PRAGMA journal_mode').get()).journal_mode).toBe('wal');
    await close(store);
  });

  it('is waited for only a moment, and once, when another program writes; that is said, and what was to be kept is kept later', async () => {
    const { store, lines } = open();
    const other = openDatabase(data);
    other.exec('BEGIN IMMEDIATE');
    const began = performance.now();
    store.keepFact('name', 'value');
    store.transaction(() => {});
    for (let time = 0; time < 50; time++) store.transaction(() => {});
    // Fifty times a tenth of a second if it waited each time.
    expect(performance.now() - began).toBeLessThan(4500);
    expect(store.problem).toContain('locked');
    other.exec('COMMIT');
    other.close();
    store.transaction(() => {});
    expect(store.problem).toBeNull();
    expect(store.fact('name')).toBe('value');
    expect(lines.map(({ level }) => level)).toEqual([50, 30]);
    await close(store);
  });
});

describe('a database that cannot be used', () => {
  const cases: readonly [what: string, make: () => void, why: string][] = [
    ['is a text', () => text(), 'file is not a database'],
    [
      'is that of another program',
      () => foreign('CREATE TABLE photos (id)'),
      'it is the database of another program',
    ],
    [
      'has the mark of another program',
      () => foreign('PRAGMA application_id = 7'),
      'it is the database of another program',
    ],
    [
      'was made by a later version',
      () => foreign(`PRAGMA application_id = ${0x68_73_31_31}; PRAGMA user_version = 999`),
      `a later version of this program made it (999, not ${MIGRATIONS.length})`,
    ],
    ['is damaged', () => damage(), 'it is damaged'],
    ['is a directory', () => mkdirSync(file, { recursive: true }), 'Unable to open'],
  ];

  function text(): void {
    mkdirSync(data);
    writeFileSync(file, 'this is no database, but long enough to be taken for one'.repeat(100));
  }

  /** One that was ours, with pages overwritten. */
  function damage(): void {
    const database = openDatabase(data);
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const bytes = readFileSync(file);
    bytes.fill(0x55, 4096 * 2);
    writeFileSync(file, bytes);
  }

  it.each(cases)(
    'because it %s is said once, loudly, told as the problem, and left as it is',
    async (_what, make, why) => {
      make();
      const before = contents();
      const { store, lines } = open();
      expect(lines).toMatchObject([{ level: 50, msg: NO_DATABASE, reason: expect.stringContaining(why) }]);
      expect(lines[0]?.reason).toContain(file);
      expect(store.problem).toContain(why);
      store.transaction(() => store.keepFact('name', 'value'));
      store.transaction(() => {});
      expect(store.fact('name')).toBe('value');
      expect(store.problem).toContain(why);
      expect(lines).toHaveLength(1);
      await close(store);
      expect(contents()).toEqual(before);
    },
  );

  it('because its folder is a file is said, too', async () => {
    writeFileSync(data, 'a file');
    const { store, lines } = open();
    expect(lines).toMatchObject([{ level: 50, msg: NO_DATABASE }]);
    expect(store.problem).not.toBeNull();
    await close(store);
    expect(readFileSync(data, 'utf8')).toBe('a file');
  });

  it('still keeps a second bridge off the same data, until the first one ends', async () => {
    text();
    const { store } = open();
    expect(thrownBy(() => open())).toMatchObject({ code: 'data-in-use' });
    await close(store);
    await close(open().store);
  });

  /** The names of all files but those that SQLite keeps beside ours, and what is in the database. */
  function contents(): unknown {
    const names = readdirSync(data).filter((name) => !/\.lock|-wal$|-shm$/.test(name));
    const isFile = statSync(file).isFile();
    return { names, digest: isFile && createHash('sha256').update(readFileSync(file)).digest('hex') };
  }
});

describe('the lock', () => {
  it('keeps off a second bridge with an error that says what to do, not one that reads or writes beside it', async () => {
    const { store } = open();
    store.transaction(() => store.keepFact('name', 'value'));
    expect(thrownBy(() => open())).toMatchObject({
      code: 'data-in-use',
      message: `another hs110-mqtt uses the data in ${data}; stop it, or give each its own dataDir`,
    });
    const reader = openDatabase(data);
    expect(reader.prepare('SELECT value FROM fact').all()).toMatchObject([{ value: 'value' }]);
    reader.close();
    await close(store);
    await close(open().store);
  });

  it('does not outlive a process that is killed', async () => {
    const child = holder();
    try {
      await once(child, 'message');
      expect(thrownBy(() => lock(data))).toMatchObject({ code: 'data-in-use' });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    lock(data).close();
  });

  /** A process that holds the lock, and says when it does. */
  function holder(): ChildProcess {
    const source = fileURLToPath(new URL('../../src/store/database.ts', import.meta.url));
    const script = `import(${JSON.stringify(source)}).then(({ lock }) => {
      globalThis.held = lock(${JSON.stringify(data)});
      process.send('held');
      setInterval(() => {}, 1000);
    });`;
    return spawn(process.execPath, ['--import', 'tsx', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }
});
