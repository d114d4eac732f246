import { describe, expect, it } from 'vitest';
import type { Happening } from '../../src/web/page/live/reducer.ts';
import { LiveStore } from '../../src/web/page/live/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { pageClock } from './page-clock.ts';
import { somePlug } from './samples.ts';

function bench() {
  const clock = new ManualClock();
  const store = new LiveStore(pageClock(clock));
  let shown = 0;
  store.subscribe(() => {
    shown++;
  });
  let number = 0;
  const reading = (): Happening => {
    const plugs = [somePlug('shed1', { power: ++number })];
    return { type: 'change', at: 0, number, plugs, places: [], removed: [], problems: 0 };
  };
  return { clock, store, reading, shown: () => shown };
}

describe('the store of the page', () => {
  it('has readings of a large site drawn four times a second, and the last one always', async () => {
    const { clock, store, reading, shown } = bench();
    for (let count = 0; count < 40; count++) {
      store.tell(reading());
      await clock.advance(25);
    }
    // At the start, and at the end of each quarter of a second.
    expect(shown()).toBe(5);
    expect(store.live.plugs.get('shed1')?.power).toBe(40);
    expect(clock.armed).toBe(0);
  });

  it('has drawn at once what somebody did, and a reading after a while without', async () => {
    const { clock, store, reading, shown } = bench();
    store.tell(reading());
    expect(shown()).toBe(1);
    store.tell(reading());
    store.tell({ type: 'read', id: 'x' });
    expect(shown()).toBe(2);
    expect(clock.armed).toBe(0);
    await clock.advance(250);
    store.tell(reading());
    expect(shown()).toBe(3);
  });
});
