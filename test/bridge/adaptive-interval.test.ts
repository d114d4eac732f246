import { describe, expect, it } from 'vitest';
import { AdaptiveInterval, isEventful } from '../../src/bridge/adaptive-interval.ts';
import { type PlugState, unseen } from '../../src/bridge/plug-state.ts';
import { PlugBench } from '../support/plug-bench.ts';

describe('the pace of polling', () => {
  it('is the interval, whatever happens, unless configured', () => {
    const interval = new AdaptiveInterval({ intervalMs: 5000 });
    expect(interval.intervalAt(0)).toBe(5000);
    expect(interval.boost(100)).toBe(5100);
    expect(interval.intervalAt(101)).toBe(5000);
  });

  it('is fast for ten seconds after something has happened, and slow otherwise', () => {
    const interval = new AdaptiveInterval({ intervalMs: 5000, fastMs: 1000, slowMs: 20_000 });
    expect(interval.intervalAt(0)).toBe(20_000);
    expect(interval.boost(100)).toBe(1100);
    expect(interval.intervalAt(10_099)).toBe(1000);
    expect(interval.intervalAt(10_100)).toBe(20_000);
  });
});

describe('something happens to a plug', () => {
  const lamp: PlugState = { ...unseen('lamp'), availability: 'online', relay: true, led: true, power: 40 };

  it.each([
    ['its relay is switched', { relay: false }],
    ['its relay is no longer known', { relay: null }],
    ['its LED is switched', { led: false }],
    ['it is gone', { availability: 'offline' }],
    ['its load rises by more than it wavers', { power: 42 }],
    ['its load falls by more than it wavers', { power: 38 }],
    ['its meter falls silent', { power: null }],
  ] as const)('when %s', (_, change) => {
    expect(isEventful(lamp, { ...lamp, ...change })).toBe(true);
  });

  it.each([
    ['nothing', {}],
    ['its load wavers', { power: 41.9 }],
    ['its voltage', { voltage: 231, current: 0.2, energy: 3, rssi: -60 }],
  ] as const)('but not when it is %s that changes', (_, change) => {
    expect(isEventful(lamp, { ...lamp, ...change })).toBe(false);
  });

  it('also where a load of a few watts changes by one', () => {
    const radio = { ...lamp, power: 3 };
    expect(isEventful(radio, { ...radio, power: 3.9 })).toBe(false);
    expect(isEventful(radio, { ...radio, power: 4 })).toBe(true);
  });
});

describe('a plug with a fast and a slow interval', () => {
  it('is polled slowly while nothing happens, and fast for ten seconds once it was switched by hand', async () => {
    const bench = new PlugBench({ poll: { intervalMs: 5000, fastMs: 1000, slowMs: 20_000 } });
    bench.loop.start(0);
    await bench.clock.advance(60_000);
    bench.transport.asked.length = 0;
    const since = bench.clock.now();
    bench.device.press();
    await bench.clock.advance(60_000);
    const polls = bench.transport.polls.map((at) => at - since);
    const [noticed = 0] = polls;
    expect(noticed).toBeLessThanOrEqual(20_000);
    expect(polls.filter((at) => at > noticed && at <= noticed + 10_000)).toHaveLength(10);
    expect(polls.filter((at) => at > noticed + 10_000).length).toBeLessThanOrEqual(3);
    await bench.loop.stop('stopping');
  });
});
