import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStateFile, takeOverStateFile } from '../../src/store/state-file.ts';
import { memoryLog } from '../support/memory-log.ts';
import { memoryStore } from '../support/memory-store.ts';

const REVERT = { relay: false, at: 1_700_000_000_000, armed: true };

/** What version 0.1 wrote. */
const FILE = {
  version: 1,
  plugs: { lamp: { relay: true, revert: REVERT }, 'east/fan': { relay: false, revert: null } },
  commands: [
    {
      target: 'lamp',
      command: { relay: 'on', id: 'x', replyTo: { topic: 'answers', correlation: null } },
      until: 1,
    },
    { target: 'east', command: { relay: 'toggle', id: null }, until: 1 },
  ],
  adopted: {},
};

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
  path = join(folder, 'state.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

function takenOver(store = memoryStore()) {
  const { log, lines } = memoryLog();
  takeOverStateFile(store, [path], log);
  return { store, lines };
}

describe('the state file of version 0.1', () => {
  it('is taken over with what each path should be and when it is switched back, and is left where it is', () => {
    writeFileSync(path, JSON.stringify(FILE));
    const { store, lines } = takenOver();
    const at = { boot: '', at: 0, date: REVERT.at };
    store.transaction(() => {});
    expect(store.outlet('a mac', 'lamp')).toEqual({
      relay: true,
      timer: { relay: false, at, armed: true },
      disarm: false,
    });
    expect(store.outlet('another', 'east/fan')).toEqual({ relay: false, timer: null, disarm: false });
    expect(lines).toMatchObject([{ level: 30, plugs: 2 }]);
    expect(readFileSync(path, 'utf8')).toBe(JSON.stringify(FILE));
  });

  it('has its open commands answered: nobody knows by now which plugs they were for', () => {
    writeFileSync(path, JSON.stringify(FILE));
    const receipt = { outcome: 'failed', reason: 'the bridge was updated before it was carried out' };
    expect(takenOver().store.commands()).toMatchObject([
      { target: 'lamp', receipt: { ...receipt, id: 'x', replyTo: { topic: 'answers', correlation: null } } },
      { target: 'east', receipt: { ...receipt, id: null } },
    ]);
  });

  it('is taken over once, though it is still there', () => {
    writeFileSync(path, JSON.stringify(FILE));
    const { store } = takenOver();
    for (const { id } of store.commands()) store.acknowledge(id);
    store.transaction(() => {});
    expect(takenOver(store).lines).toEqual([]);
    expect(store.commands()).toEqual([]);
  });

  it('that is not there is not spoken of', () => {
    expect(takenOver().lines).toEqual([]);
  });

  it.each([
    ['a directory', () => mkdirSync(path), 'EISDIR'],
    ['cut off', () => writeFileSync(path, JSON.stringify(FILE).slice(0, -9)), 'JSON'],
    ['another JSON', () => writeFileSync(path, '{"version":2,"plugs":{}}'), 'it is no state file'],
    ['nested without end', () => writeFileSync(path, '['.repeat(1_000_000)), ''],
  ])('that is %s is said once, and the bridge begins without it', (_what, make, reason) => {
    make();
    const { store, lines } = takenOver();
    expect(lines).toMatchObject([{ level: 50, reason: expect.stringContaining(reason) }]);
    store.transaction(() => {});
    expect(takenOver(store).lines).toEqual([]);
    expect(store.commands()).toEqual([]);
  });

  it('is read or turned down whatever is in it, and what is read can be kept and found again', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const plug = fc.oneof(value, fc.record({ relay: value, revert: fc.oneof(value, revert(value)) }));
    const command = fc.oneof(value, fc.record({ target: value, command: value, until: value }));
    const hostile = fc.record({
      version: fc.constantFrom(1, 1, 1, 2, '1', null),
      plugs: fc.oneof(fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), plug), value),
      commands: fc.oneof(fc.array(command), value),
    });
    fc.assert(
      fc.property(hostile, (json) => {
        writeFileSync(path, JSON.stringify(json));
        const { store, lines } = takenOver();
        expect(lines).toHaveLength(1);
        if (lines[0]?.level === 50) {
          expect(() => readStateFile(JSON.stringify(json))).toThrow(Error);
          return;
        }
        const { outlets, receipts } = readStateFile(JSON.stringify(json));
        store.transaction(() => {});
        for (const [name, outlet] of outlets) expect(store.outlet('mac', name)).toEqual(outlet);
        expect(store.commands()).toHaveLength(receipts.length);
      }),
      { numRuns: 200 },
    );
  });
});

function revert(value: fc.Arbitrary<unknown>) {
  return fc.record({ relay: value, at: fc.oneof(fc.double(), value), armed: value });
}
