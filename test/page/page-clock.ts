import type { PageClock } from '../../src/web/page/clock.ts';
import type { ManualClock } from '../support/manual-clock.ts';

/** The page's clock, moved by a test. */
export function pageClock(clock: ManualClock): PageClock {
  return {
    now: () => clock.now(),
    after: (ms, act) => {
      const timer = clock.timer(act);
      timer.set(ms);
      return () => timer.clear();
    },
  };
}
