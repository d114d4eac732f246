import { beforeEach, describe, expect, it } from 'vitest';
import { addToJournal, type JournalEntry, type JournalQuery, readJournal } from '../../src/store/journal.ts';
import type { Store } from '../../src/store/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';

const ENTRY: Omit<JournalEntry, 'id'> = {
  at: 1000,
  kind: 'receipt',
  path: 'east/lamp',
  what: 'OFF',
  origin: 'web',
  user: 'ann',
  outcome: 'partial',
  ms: 41,
  detail: { reason: '1 of 2 did not confirm' },
};

let store: Store;

beforeEach(() => {
  store = memoryStore(new ManualClock());
});

function add(...entries: Partial<JournalEntry>[]): void {
  store.transaction(() => {
    for (const entry of entries) addToJournal(store, { ...ENTRY, ...entry });
  });
}

const ids = (query: Partial<JournalQuery>) =>
  readJournal(store.database, { limit: 100, ...query }).map(({ id }) => id);

describe('the journal', () => {
  it('is read as it was written, newest first', () => {
    add({}, { at: 2000, what: null, origin: null, user: null, outcome: null, ms: null, detail: null });
    const [second, first] = readJournal(store.database, { limit: 10 });
    expect(first).toEqual({ id: 1, ...ENTRY });
    expect(second).toMatchObject({ id: 2, at: 2000, what: null, origin: null, detail: null });
  });

  it('is asked for one plug, or a place with all below it, not for names that begin alike', () => {
    add({ path: 'east/lamp' }, { path: 'east' }, { path: 'east-wing/lamp' }, { path: 'east0' }, { path: '' });
    expect(ids({ path: 'east' })).toEqual([2, 1]);
    expect(ids({ path: 'east/lamp' })).toEqual([1]);
    expect(ids({ path: '' })).toEqual([5, 4, 3, 2, 1]);
  });

  it('is asked by kind, user and time', () => {
    add({ kind: 'relay' }, { user: 'ben' }, { at: 3000 });
    expect(ids({ kind: 'relay' })).toEqual([1]);
    expect(ids({ user: 'ben' })).toEqual([2]);
    expect([ids({ from: 3000 }), ids({ to: 3000 })]).toEqual([[3], [2, 1]]);
  });

  it('is read page by page backwards, and followed forwards without a gap', () => {
    add({}, {}, {}, {}, {});
    expect([ids({ limit: 2 }), ids({ limit: 2, before: 4 })]).toEqual([
      [5, 4],
      [3, 2],
    ]);
    expect([ids({ limit: 2, after: 1 }), ids({ after: 5 })]).toEqual([[3, 2], []]);
  });

  it('leaves out what cannot be read, and never gives a number twice', () => {
    add({ kind: 'relay' });
    store.write("UPDATE journal SET kind = 'unheard of', detail = 'nonsense'", []);
    expect(ids({})).toEqual([]);
    store.write('DELETE FROM journal', []);
    add({});
    expect(ids({})).toEqual([2]);
  });
});
