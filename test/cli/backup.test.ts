import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/runtime/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { memoryLog } from '../support/memory-log.ts';
import { RunningTask } from '../support/running-task.ts';

const ADOPTED = { path: 'shed3', address: { host: '192.168.1.145', port: 9999 } };

let folder: string;
let dataDir: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hs110-backup-'));
  dataDir = join(folder, 'data');
  file = join(folder, 'museum.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function backup(...argv: readonly string[]) {
  const shell = new FakeShell();
  const code = await shell.run('backup', '--data-dir', dataDir, ...argv);
  return { code, output: shell.output, errors: shell.errors };
}

/** Does something with the store of a bridge that runs, and stops that. */
async function withStore<T>(dir: string, use: (store: Store) => T | Promise<T>): Promise<T> {
  const store = openStore(dir, { clock: new SystemClock(), log: memoryLog().log });
  const running = new RunningTask(store);
  try {
    return await use(store);
  } finally {
    await running.stop();
  }
}

describe('backup', () => {
  it('copies what a bridge has just committed, while that has the database open and goes on writing', async () => {
    await withStore(dataDir, async (store) => {
      store.adopt('50:C7:BF:00:00:01', ADOPTED);
      const { code, output, errors } = await backup(file);
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(output).toBe(`${file}: ${readFileSync(file).length} bytes`);
      store.adopt('50:C7:BF:00:00:02', { ...ADOPTED, path: 'shed4' });
      expect(store.problem).toBeNull();
    });
    expect(readdirSync(folder).sort()).toEqual(['data', 'museum.db']);

    const restored = join(folder, 'restored');
    mkdirSync(restored);
    writeFileSync(join(restored, 'hs110-mqtt.db'), readFileSync(file));
    const adopted = await withStore(restored, (store) => [...store.adopted()]);
    expect(adopted).toEqual([['50:C7:BF:00:00:01', ADOPTED]]);
  });

  it('copies the database of a bridge that is stopped, and says so to scripts with --json', async () => {
    await withStore(dataDir, (store) => store.adopt('50:C7:BF:00:00:01', ADOPTED));
    const { code, output } = await backup(file, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({ file, bytes: readFileSync(file).length });
  });

  it('takes the place of what an earlier backup left that was killed', async () => {
    await withStore(dataDir, () => {});
    writeFileSync(`${file}.part`, 'half of a');
    expect((await backup(file)).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['data', 'museum.db']);
  });

  it('overwrites no file, and ends with 2', async () => {
    await withStore(dataDir, () => {});
    writeFileSync(file, 'the last good one');
    expect(await backup(file)).toEqual({
      code: 2,
      output: '',
      errors: `hs110-mqtt: ${file} is there already; it is not overwritten`,
    });
    expect(readFileSync(file, 'utf8')).toBe('the last good one');
  });

  it('demands a file in a folder that is there', async () => {
    await withStore(dataDir, () => {});
    expect(await backup(folder)).toMatchObject({
      code: 2,
      errors: `hs110-mqtt: ${folder} is a folder; name a file in it`,
    });
    const nowhere = join(folder, 'nowhere', 'museum.db');
    const { code, errors } = await backup(nowhere);
    expect(code).toBe(1);
    expect(errors).toContain(`the backup ${nowhere} cannot be written: `);
    expect((await backup()).code).toBe(2);
  });

  it('makes no database where there is none, and ends with 1', async () => {
    const { code, errors } = await backup(file);
    expect(code).toBe(1);
    expect(errors).toBe(
      `hs110-mqtt: there is no database ${join(dataDir, 'hs110-mqtt.db')}; is dataDir right?`,
    );
    expect(existsSync(dataDir)).toBe(false);
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    ['the database of another program', makeForeign, 'it is the database of another program'],
    ['no database at all', makeJunk, 'file is not a database'],
  ])('does not copy %s', async (_, make, why) => {
    mkdirSync(dataDir);
    const path = join(dataDir, 'hs110-mqtt.db');
    make(path);
    expect(await backup(file)).toEqual({
      code: 1,
      output: '',
      errors: `hs110-mqtt: the database ${path} cannot be read: ${why}`,
    });
    expect(existsSync(file)).toBe(false);
  });

  it('says so where dataDir is off', async () => {
    dataDir = 'off';
    expect(await backup(file)).toMatchObject({
      code: 2,
      errors: 'hs110-mqtt: dataDir is off: there is no database to copy',
    });
  });
});

function makeForeign(path: string): void {
  const database = new Libsql(path);
  database.exec('CREATE TABLE theirs (x)');
  database.close();
}

function makeJunk(path: string): void {
  writeFileSync(path, 'no database '.repeat(1000));
}
