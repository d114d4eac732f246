import { expect, it } from 'vitest';
import { readJournal } from '../../src/store/journal.ts';
import { JournalWriter } from '../../src/store/journal-writer.ts';
import { FakeBridge } from '../support/fake-bridge.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';
import { RunningTask } from '../support/running-task.ts';

const DAY_MS = 86_400_000;

function open({ keptMs = 100 * DAY_MS, mostEntries = 1000 } = {}) {
  const clock = new ManualClock();
  const store = memoryStore(clock);
  const bridge = new FakeBridge('lamp');
  const task = new RunningTask(new JournalWriter({ bridge, store, clock, keptMs, mostEntries }));
  bridge.seen('lamp', false);
  const toggle = async (times: number) => {
    for (let time = 0; time < times; time++) bridge.seen('lamp', time % 2 === 0);
    await clock.advance(1000);
  };
  const entries = () => readJournal(store.database, { limit: 10_000 });
  return { bridge, clock, task, toggle, entries };
}

it('the journal has at most so many entries: the oldest go', async () => {
  const { toggle, entries, task } = open({ mostEntries: 10 });
  await toggle(26);
  expect(entries().map(({ id }) => id)).toEqual([26, 25, 24, 23, 22, 21, 20, 19, 18, 17]);
  await task.stop();
});

it('the journal goes back so many days', async () => {
  const { clock, toggle, entries, task } = open({ keptMs: 7 * DAY_MS });
  await toggle(2);
  await clock.advance(8 * DAY_MS);
  await toggle(2);
  expect(entries().map(({ id }) => id)).toEqual([4, 3]);
  await task.stop();
});

it('the journal says how a lamp is found, and what was added by others', async () => {
  const { bridge, clock, task, entries } = open();
  for (const lamp of ['ok', 'out', 'out', null] as const) bridge.change('lamp', { lamp });
  await clock.advance(1000);
  expect(entries().map(({ kind, what, origin }) => [kind, what, origin])).toEqual([
    ['lamp', 'out', null],
    ['lamp', 'ok', null],
  ]);
  await task.stop();
});
