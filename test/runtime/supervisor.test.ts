import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/errors.ts';
import { sleep } from '../../src/runtime/clock.ts';
import { aborted, supervise, type Task, within } from '../../src/runtime/supervisor.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { memoryLog } from '../support/memory-log.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';

/** Notes what happens to its tasks, in order. */
class Stage {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly stop = new AbortController();
  readonly logged = memoryLog();

  /** A task that does what tasks do: it is ready, runs until it is told to stop, and stops. */
  task(name: string, during: Partial<Pick<Task, 'run'>> = {}): Task {
    const run = async (signal: AbortSignal, ready: () => void) => {
      this.events.push(`${name} starts`);
      if (during.run === undefined) {
        ready();
        await aborted(signal);
      } else await during.run(signal, ready);
      this.events.push(`${name} stops`);
    };
    return { name, run };
  }

  supervise(...tasks: Task[]): Promise<void> {
    return supervise(tasks, this.stop.signal, {
      clock: this.clock,
      log: this.logged.log,
      stopMs: 1000,
      onReady: () => this.events.push('ready'),
    });
  }

  happened(event: string): Promise<unknown> {
    return until(() => this.events.includes(event), event);
  }
}

describe('supervised tasks', () => {
  it('start in order, and stop in reverse', async () => {
    const stage = new Stage();
    const all = stage.supervise(stage.task('broker'), stage.task('link'), stage.task('plugs'));
    await stage.happened('ready');
    stage.stop.abort();
    await all;
    expect(stage.events).toEqual([
      'broker starts',
      'link starts',
      'plugs starts',
      'ready',
      'plugs stops',
      'link stops',
      'broker stops',
    ]);
    expect(stage.clock.armed).toBe(0);
    expect(stage.logged.lines).toEqual([]);
  });

  it('wait for the one before them to be ready', async () => {
    const stage = new Stage();
    let open = () => {};
    const slow = stage.task('slow', {
      run: (signal, ready) => {
        open = ready;
        return aborted(signal);
      },
    });
    const all = stage.supervise(slow, stage.task('next'));
    await settled();
    expect(stage.events).toEqual(['slow starts']);
    open();
    await stage.happened('ready');
    stage.stop.abort();
    await all;
    expect(stage.events.slice(0, 3)).toEqual(['slow starts', 'next starts', 'ready']);
  });

  it('stop in reverse one after the other, not at once', async () => {
    const stage = new Stage();
    let finish = () => {};
    const slow = stage.task('slow', {
      run: async (signal, ready) => {
        ready();
        await aborted(signal);
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      },
    });
    const all = stage.supervise(stage.task('first'), slow);
    await stage.happened('ready');
    stage.stop.abort();
    await settled();
    expect(stage.events).not.toContain('first stops');
    finish();
    await all;
    expect(stage.events.slice(-2)).toEqual(['slow stops', 'first stops']);
  });

  it('are all stopped by the first crash, which is thrown', async () => {
    const stage = new Stage();
    const cause = new Error('the port is taken');
    let crash = (_: Error) => {};
    const brittle = stage.task('brittle', {
      run: (_, ready) => {
        ready();
        return new Promise((_, reject) => {
          crash = reject;
        });
      },
    });
    const all = rejectionOf(stage.supervise(stage.task('first'), brittle, stage.task('last')));
    await stage.happened('ready');
    crash(cause);
    expect(await all).toBe(cause);
    expect(stage.events.slice(-2)).toEqual(['last stops', 'first stops']);
  });

  it('are not started behind one that crashes before it is ready', async () => {
    const stage = new Stage();
    const cause = new BridgeError('broker-cannot-listen', 'the port is taken');
    const broken = stage.task('broken', { run: () => Promise.reject(cause) });
    expect(await rejectionOf(stage.supervise(stage.task('first'), broken, stage.task('last')))).toBe(cause);
    expect(stage.events).toEqual(['first starts', 'broken starts', 'first stops']);
  });

  it('crash when they end by themselves', async () => {
    const stage = new Stage();
    const brief = stage.task('brief', { run: async (_, ready) => ready() });
    const error = await rejectionOf(stage.supervise(stage.task('first'), brief));
    expect(error).toMatchObject({ code: 'task-ended', message: 'brief ended by itself' });
    expect(stage.events.at(-1)).toBe('first stops');
  });

  it('throw the first crash where stopping makes others crash too', async () => {
    const stage = new Stage();
    const sore = stage.task('sore', {
      run: async (signal, ready) => {
        ready();
        await aborted(signal);
        throw new Error('second');
      },
    });
    const brittle = stage.task('brittle', { run: () => Promise.reject(new Error('first')) });
    expect(await rejectionOf(stage.supervise(sore, brittle))).toMatchObject({ message: 'first' });
  });

  it('that do not stop in time are left behind with a warning, and the others still stop', async () => {
    const stage = new Stage();
    const deaf = stage.task('deaf', {
      run: (_, ready) => {
        ready();
        return new Promise(() => {});
      },
    });
    const all = stage.supervise(stage.task('first'), deaf);
    await stage.happened('ready');
    stage.stop.abort();
    await stage.clock.advance(499);
    expect(stage.events).not.toContain('first stops');
    await stage.clock.advance(1);
    await all;
    expect(stage.events.at(-1)).toBe('first stops');
    expect(stage.logged.lines).toMatchObject([{ level: 40, task: 'deaf', afterMs: 500 }]);
    expect(stage.clock.armed).toBe(0);
  });

  it('take no longer all together than they may, however many do not stop, and leave time for the last', async () => {
    const stage = new Stage();
    const deaf = (name: string) =>
      stage.task(name, {
        run: (_, ready) => {
          ready();
          return new Promise(() => {});
        },
      });
    let stoppedAt = 0;
    const file = stage.task('file', {
      run: async (signal, ready) => {
        ready();
        await aborted(signal);
        await sleep(stage.clock, 50);
        stoppedAt = stage.clock.now();
      },
    });
    const all = stage.supervise(file, deaf('one'), deaf('two'), deaf('three'));
    await stage.happened('ready');
    stage.stop.abort();
    await stage.clock.advance(1000);
    await all;
    expect(stoppedAt).toBe(500 + 250 + 125 + 50);
    expect(stage.logged.lines.map(({ task }) => task)).toEqual(['three', 'two', 'one']);
  });

  it('are stopped when the signal aborts before all are ready, and the rest never starts', async () => {
    const stage = new Stage();
    const slow = stage.task('slow', { run: (signal) => aborted(signal) });
    const all = stage.supervise(stage.task('first'), slow, stage.task('last'));
    await stage.happened('slow starts');
    stage.stop.abort();
    await all;
    expect(stage.events).toEqual(['first starts', 'slow starts', 'slow stops', 'first stops']);
  });

  it('do not start at all when the signal has aborted already', async () => {
    const stage = new Stage();
    stage.stop.abort();
    await stage.supervise(stage.task('first'));
    expect(stage.events).toEqual([]);
  });
});

describe('waiting for a promise', () => {
  it.each([
    ['resolves', () => Promise.resolve()],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('ends when it %s in time', async (_, promise) => {
    const clock = new ManualClock();
    expect(await within(clock, 100, promise())).toBe(true);
    expect(clock.armed).toBe(0);
  });

  it('ends with its time when it does not settle', async () => {
    const clock = new ManualClock();
    const waited = within(clock, 100, new Promise(() => {}));
    await clock.advance(100);
    expect(await waited).toBe(false);
  });
});
