import { describe, expect, it } from 'vitest';
import type { Happening } from '../../src/web/page/live/reducer.ts';
import { type EventStream, LiveStream, type StreamEvent } from '../../src/web/page/live/stream.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { pageClock } from './page-clock.ts';

/** A stream of events that says what it is told to. */
class ScriptedStream implements EventStream {
  onerror: ((event: Event) => void) | null = null;
  closed = false;
  readonly #listeners = new Map<string, (event: StreamEvent) => void>();

  addEventListener(type: string, listener: (event: StreamEvent) => void): void {
    this.#listeners.set(type, listener);
  }

  say(type: string, data: object = {}): void {
    this.#listeners.get(type)?.({ data: JSON.stringify(data) });
  }

  close(): void {
    this.closed = true;
  }
}

function bench(admitted: () => Promise<boolean> = async () => true) {
  const clock = new ManualClock();
  const opened: ScriptedStream[] = [];
  const told: Happening[] = [];
  const stream = new LiveStream({
    clock: pageClock(clock),
    admitted,
    open: () => {
      const next = new ScriptedStream();
      opened.push(next);
      return next;
    },
    tell: (happening) => told.push(happening),
  });
  const link = () =>
    told.map((happening) => (happening.type === 'link' ? happening.link : happening.type)).pop();
  return { clock, opened, stream, link, last: () => opened[opened.length - 1] };
}

describe('the stream of events', () => {
  it('is opened anew when it has been silent for 40 s, and not while it is heard', async () => {
    const { clock, opened, stream, last, link } = bench();
    stream.start();
    await clock.advance(0);
    for (let count = 0; count < 4; count++) {
      last()?.say('ping');
      await clock.advance(15_000);
    }
    expect(opened).toHaveLength(1);
    await clock.advance(25_001);
    expect(link()).toBe('lost');
    expect(opened[0]?.closed).toBe(true);
    await clock.advance(500);
    expect(opened).toHaveLength(2);
  });

  it('is given up after 10 s if nothing comes, and tried for ever', async () => {
    const { clock, opened, stream } = bench();
    stream.start();
    await clock.advance(10_001);
    expect(opened[0]?.closed).toBe(true);
    await clock.advance(3_600_000);
    expect(opened.length).toBeGreaterThan(170);
    expect(opened.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(1);
  });

  it('is tried again while the bridge cannot be reached, with the question who is logged in', async () => {
    let reachable = false;
    const { clock, opened, stream, link } = bench(() =>
      reachable ? Promise.resolve(true) : Promise.reject(new Error('unreachable')),
    );
    stream.start();
    await clock.advance(60_000);
    expect(opened).toHaveLength(0);
    reachable = true;
    await clock.advance(10_000);
    expect(opened).toHaveLength(1);
    opened[0]?.say('snapshot');
    expect(link()).toBe('snapshot');
  });

  it('ends where nobody is logged in', async () => {
    const { clock, opened, stream } = bench(async () => false);
    stream.start();
    await clock.advance(3_600_000);
    expect(opened).toHaveLength(0);
    expect(clock.armed).toBe(0);
  });

  it('does not listen to a connection that it has given up', async () => {
    const { clock, opened, stream, link } = bench();
    stream.start();
    await clock.advance(0);
    opened[0]?.onerror?.(new Event('error'));
    opened[0]?.say('snapshot');
    expect(link()).toBe('lost');
  });

  it('begins anew after sleep, however alive the connection looks', async () => {
    const { clock, opened, stream, last } = bench();
    stream.start();
    await clock.advance(0);
    last()?.say('snapshot');
    clock.sleep(12 * 3_600_000);
    stream.wake();
    await clock.advance(0);
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it('goes on when the page is seen again at once, and is closed when it is not for half a minute', async () => {
    const { clock, opened, stream, last, link } = bench();
    stream.start();
    await clock.advance(0);
    last()?.say('snapshot');
    stream.hide();
    await clock.advance(10_000);
    stream.wake();
    await clock.advance(10_000);
    expect(opened.map(({ closed }) => closed)).toEqual([false]);
    last()?.say('ping');
    stream.hide();
    await clock.advance(30_001);
    expect(opened.map(({ closed }) => closed)).toEqual([true]);
    expect(link()).toBe('lost');
    expect(clock.armed).toBe(0);
    stream.wake();
    await clock.advance(0);
    expect(opened).toHaveLength(2);
  });
});
