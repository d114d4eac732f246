import { afterEach, describe, expect, it } from 'vitest';
import { isObject } from '../../src/protocol/json.ts';
import { History } from '../../src/store/history.ts';
import { replaceDevice } from '../../src/store/replace-device.ts';
import { Rounds } from '../../src/store/rounds.ts';
import type { Store } from '../../src/store/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { memoryStore } from '../support/memory-store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LAMP = '50:C7:BF:00:00:01';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Kept {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly history: History;
}

/** A history that is written as the bridge writes it, from midnight on. */
function startHistory(clock = new ManualClock('2026-01-01T00:00:00Z'), store = memoryStore(clock)): Kept {
  const history = new History(store, clock);
  const rounds = new Rounds({ store, writers: [(round) => history.write(round)], clock });
  const stop = new AbortController();
  const ended = rounds.run(stop.signal, () => {});
  stops.push(async () => {
    stop.abort();
    await ended;
  });
  return { clock, store, history };
}

function rowsOf({ store }: Kept, table: 'history_minute' | 'history_quarter'): number {
  const row = store.database.prepare(`SELECT count(*) AS count FROM ${table}`).get();
  return isObject(row) ? Number(row.count) : -1;
}

const today = ({ history, clock }: Kept, from = clock.date() - DAY) => history.read(LAMP, from, clock.date());

describe('the history of power', () => {
  it('has a point for each minute, also for those that are not written yet', async () => {
    const kept = startHistory();
    kept.history.draws(LAMP, 60);
    await kept.clock.advance(20 * MINUTE);

    const { resolution, points } = today(kept);
    expect(resolution).toBe(60);
    expect(points).toHaveLength(20);
    expect(points[0]).toEqual({ at: Date.parse('2026-01-01T00:00:00Z'), mean: 60, min: 60, max: 60 });
    expect(rowsOf(kept, 'history_minute')).toBe(15);
  });

  it('has least, most and the mean over time of a minute in which the lamp was switched', async () => {
    const kept = startHistory();
    kept.history.draws(LAMP, 60);
    await kept.clock.advance(45_000);
    kept.history.draws(LAMP, 0);
    await kept.clock.advance(15 * MINUTE);

    expect(today(kept).points[0]).toMatchObject({ mean: 45, min: 0, max: 60 });
  });

  it('leaves a gap where nothing was known', async () => {
    const kept = startHistory();
    kept.history.draws(LAMP, 60);
    await kept.clock.advance(5 * MINUTE);
    kept.history.draws(LAMP, null);
    await kept.clock.advance(5 * MINUTE);
    kept.history.draws(LAMP, 60);
    await kept.clock.advance(5 * MINUTE);

    expect(today(kept).points.map(({ at }) => (at % HOUR) / MINUTE)).toEqual([
      0, 1, 2, 3, 4, 10, 11, 12, 13, 14,
    ]);
  });

  it('keeps minutes for a day and quarters of an hour for 90 days, and no more', async () => {
    const kept = startHistory();
    kept.history.draws(LAMP, 60);
    await kept.clock.advance(2 * DAY);

    expect(rowsOf(kept, 'history_minute')).toBeLessThanOrEqual(24 * 60 + 30);
    expect(rowsOf(kept, 'history_quarter')).toBe(2 * 96);
    const { resolution, points } = today(kept, kept.clock.date() - 2 * DAY);
    expect(resolution).toBe(900);
    expect(points).toHaveLength(2 * 96);
  });

  it('is there after a restart, with what had not been written before', async () => {
    const kept = startHistory();
    kept.history.draws(LAMP, 60);
    await kept.clock.advance(7 * MINUTE);
    for (const stop of stops.splice(0)) await stop();

    const next = startHistory(kept.clock, kept.store);
    expect(today(next).points).toHaveLength(7);
  });

  it('goes with hardware that is replaced', async () => {
    const kept = startHistory();
    kept.history.draws(LAMP, 60);
    await kept.clock.advance(15 * MINUTE);
    replaceDevice(kept.store, LAMP, '50:C7:BF:00:00:02');

    expect(kept.history.read('50:C7:BF:00:00:02', 0, kept.clock.date()).points).toHaveLength(1);
    expect(today(kept).points).toEqual([]);
  });
});
