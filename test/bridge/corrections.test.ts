import { describe, expect, it } from 'vitest';
import { PlugError } from '../../src/errors.ts';
import { startCountdown } from '../../src/protocol/requests.ts';
import { momentOf } from '../../src/runtime/clock.ts';
import { settled } from '../support/manual-clock.ts';
import { PlugBench } from '../support/plug-bench.ts';

const DONE = { outcome: 'confirmed' };

/** The countdown on the plug itself. */
function countdownOf({ device }: PlugBench): unknown {
  return device.answer({ count_down: { get_rules: {} } }).count_down;
}

const NO_COUNTDOWN = { get_rules: { rule_list: [], err_code: 0 } };

describe('a timed command', () => {
  it('is put on the plug’s own countdown as well, rounded up to whole seconds', async () => {
    const bench = await PlugBench.polled();
    expect(await bench.order({ relay: 'on', forMs: 9200 }).end).toEqual({ ...DONE, countdown: true });
    expect(countdownOf(bench)).toMatchObject({
      get_rules: { rule_list: [{ act: 0, enable: 1, delay: 10 }] },
    });
    expect(bench.stored).toEqual({
      relay: true,
      timer: { relay: false, at: momentOf(bench.clock, bench.clock.now() + 9200), armed: true },
      disarm: false,
    });
  });

  it('is confirmed and switched back even if a mistake of ours is made over the countdown', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    bench.transport.behaviour = 'hang';
    const { ended } = bench.order({ relay: 'on', forMs: 8000 });
    await settled();
    bench.transport.bug = new TypeError('a mistake');
    bench.transport.behaviour = 'answer';
    bench.transport.finish();
    await bench.clock.advance(1000);
    expect(bench.said('unexpected failure; polling goes on')).toHaveLength(1);
    expect(ended()).toEqual({ ...DONE, countdown: false });
    await bench.clock.advance(8000);
    expect(bench.device.relay).toBe(false);
  });

  it('is switched back by the bridge when its time is over', async () => {
    const bench = await PlugBench.polled();
    bench.device.broken.set('count_down', -1);
    expect(await bench.order({ relay: 'on', forMs: 8000 }).end).toEqual({ ...DONE, countdown: false });
    await bench.clock.advance(7999);
    expect(bench.device.relay).toBe(true);
    await bench.clock.advance(1);
    expect(bench.state).toMatchObject({ relay: false, changedBy: 'bridge' });
    expect(bench.stored).toMatchObject({ relay: false, timer: null });
    expect(bench.said('switched by the bridge itself')).toMatchObject([{ relay: 'OFF', cause: 'timer' }]);
    await bench.clock.advance(60_000);
    expect(bench.switched).toEqual([1, 0]);
  });

  it('is switched back each time', async () => {
    const bench = await PlugBench.polled();
    bench.device.broken.set('count_down', -1);
    for (let time = 0; time < 2; time++) {
      await bench.order({ relay: 'on', forMs: 8000 }).end;
      await bench.clock.advance(8000);
      expect(bench.device.relay).toBe(false);
    }
  });

  it('leaves nothing on the plug that would undo the next command', async () => {
    const bench = await PlugBench.polled();
    await bench.order({ relay: 'on', forMs: 9200 }).end;
    await bench.clock.advance(9300);
    expect(bench.device.relay).toBe(false);
    await bench.order({ relay: 'on' }).end;
    await bench.clock.advance(60_000);
    expect(bench.device.relay).toBe(true);
  });

  it('counts the countdown as there when the answer to it gets lost', async () => {
    const bench = await PlugBench.polled();
    bench.transport.behaviour = 'hang';
    const { end } = bench.order({ relay: 'on', forMs: 600_000 });
    for (let answer = 0; answer < 2; answer++) {
      await settled();
      bench.transport.finish();
    }
    await settled();
    bench.device.answer(startCountdown(600, false));
    bench.transport.behaviour = 'answer';
    bench.transport.fail(new PlugError('timeout', 'lost'));
    expect(await end).toEqual({ ...DONE, countdown: false });
    await bench.order({ relay: 'on' }).end;
    await settled();
    expect(countdownOf(bench)).toEqual(NO_COUNTDOWN);
  });

  it('is not switched back twice when the plug has come to it by itself', async () => {
    const bench = await PlugBench.polled();
    await bench.order({ relay: 'on', forMs: 8000 }).end;
    await bench.clock.advance(4000);
    bench.device.press();
    await bench.clock.advance(2500);
    expect(bench.stored.timer).toBeNull();
    await bench.clock.advance(20_000);
    expect(bench.switched).toEqual([1]);
  });

  it('is forgotten over a later command, and the countdown taken off the plug', async () => {
    const bench = await PlugBench.polled();
    await bench.order({ relay: 'on', forMs: 8000 }).end;
    expect(await bench.order({ relay: 'on' }).end).toEqual(DONE);
    await settled();
    expect(countdownOf(bench)).toEqual(NO_COUNTDOWN);
    await bench.clock.advance(60_000);
    expect(bench.device.relay).toBe(true);
  });

  it('is replaced by a later one that is timed too', async () => {
    const bench = await PlugBench.polled();
    await bench.order({ relay: 'on', forMs: 8000 }).end;
    await bench.order({ relay: 'on', forMs: 20_000 }).end;
    await bench.clock.advance(19_999);
    expect(bench.device.relay).toBe(true);
    await bench.clock.advance(1);
    expect(bench.device.relay).toBe(false);
  });

  it('is not forgotten over a command to the LED', async () => {
    const bench = await PlugBench.polled();
    await bench.order({ relay: 'on', forMs: 8000 }).end;
    await bench.order({ led: false }).end;
    await bench.clock.advance(8000);
    expect(bench.device.relay).toBe(false);
  });

  it('has the countdown taken off with the next answer if that did not get through at first', async () => {
    const bench = await PlugBench.polled();
    await bench.order({ relay: 'on', forMs: 600_000 }).end;
    await bench.order({ relay: 'on' }).end;
    bench.fail('timeout');
    await bench.clock.advance(20_000);
    const asked = bench.transport.queries.length;
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(20_000);
    expect(countdownOf(bench)).toEqual(NO_COUNTDOWN);
    const since = bench.transport.queries.slice(asked);
    expect(since.filter(({ count_down }) => count_down !== undefined)).toHaveLength(1);
  });

  it('is not taken off again and again when the plug refuses', async () => {
    const bench = await PlugBench.polled();
    await bench.order({ relay: 'on', forMs: 600_000 }).end;
    bench.device.broken.set('count_down', -1);
    await bench.order({ relay: 'on' }).end;
    await bench.clock.advance(60_000);
    expect(bench.transport.queries.filter(({ count_down }) => count_down !== undefined)).toHaveLength(2);
  });
});

describe('a timed command after a restart', () => {
  const start = Date.parse('2026-01-01T12:00:00Z');
  const due = (at: number) => ({
    relay: true,
    timer: { relay: false, at: { boot: 'an earlier one', at: 0, date: start + at }, armed: false },
  });

  it('is still switched back when its time is over', async () => {
    const bench = await PlugBench.polled({ device: { on: true }, memory: due(7000) });
    await bench.clock.advance(6999);
    expect(bench.device.relay).toBe(true);
    await bench.clock.advance(1);
    expect(bench.device.relay).toBe(false);
  });

  it('is switched back at once if its time was over meanwhile', async () => {
    const bench = await PlugBench.polled({ device: { on: true }, memory: due(-60_000) });
    expect(bench.device.relay).toBe(false);
    expect(bench.stored.timer).toBeNull();
  });

  it('is remembered until it is switched back, however long the plug is away', async () => {
    const bench = new PlugBench({ device: { on: true }, memory: due(1000) });
    bench.fail('timeout');
    bench.loop.start(0);
    await bench.clock.advance(10_000);
    expect(bench.stored.timer).toMatchObject({ relay: false });
    await bench.loop.stop('stopping');
    expect(bench.stored.timer).toMatchObject({ relay: false, at: { date: start + 1000 } });

    const next = new PlugBench({ device: { on: true }, memory: bench.stored });
    next.fail('timeout');
    next.loop.start(0);
    await next.clock.advance(2000);
    next.transport.behaviour = 'answer';
    await next.clock.advance(60_000);
    expect(next.device.relay).toBe(false);
    expect(next.stored).toMatchObject({ relay: false, timer: null });
    expect(next.switched.at(-1)).toBe(0);
  });

  it('gives way to a later command that comes before it could be carried out', async () => {
    const bench = new PlugBench({ device: { on: true }, memory: due(1000) });
    bench.fail('timeout');
    bench.loop.start(0);
    await bench.clock.advance(10_000);
    const { end } = bench.order({ relay: 'on' });
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(2000);
    expect(await end).toEqual(DONE);
    await bench.clock.advance(60_000);
    expect(bench.device.relay).toBe(true);
    expect(bench.stored.timer).toBeNull();
  });
});

describe('a plug that returns from a power cut', () => {
  it('is made what it was, and it is said that it was', async () => {
    const bench = await PlugBench.polled({ policy: { restore: 'last' }, poll: { offlineAfter: 1 } });
    await bench.order({ relay: 'on' }).end;
    bench.fail('timeout');
    await bench.clock.advance(5000);
    expect(bench.state.availability).toBe('offline');
    bench.device.press();
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(60_000);
    expect(bench.state).toMatchObject({ relay: true, changedBy: 'bridge' });
    expect(bench.said('switched by the bridge itself')).toHaveLength(1);
  });

  it('is left alone when somebody waits to switch it himself', async () => {
    const bench = await PlugBench.polled({ policy: { restore: 'on' }, poll: { offlineAfter: 1 } });
    bench.fail('timeout');
    await bench.clock.advance(5000);
    const { end } = bench.order({ led: false });
    const { ended } = bench.order({ relay: 'off' });
    await bench.clock.advance(1000);
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(60_000);
    expect(await end).toEqual(DONE);
    expect(ended()).toEqual(DONE);
    expect(bench.device.relay).toBe(false);
  });
});

describe('what a plug should be', () => {
  it('is what it was last made, by whomever, and is kept over a restart', async () => {
    const bench = await PlugBench.polled();
    expect(bench.stored.relay).toBe(false);
    bench.device.press();
    await bench.clock.advance(5000);
    expect(bench.stored.relay).toBe(true);
  });
});

describe('an enforced plug', () => {
  const enforced = { policy: { enforce: true, enforceAfterMs: 2000 }, device: { on: true } };

  it('is put back after a while when it is switched at the plug', async () => {
    const bench = await PlugBench.polled(enforced);
    bench.device.press();
    await bench.clock.advance(6999);
    expect(bench.state).toMatchObject({ relay: false, changedBy: 'plug', problem: null });
    await bench.clock.advance(1);
    expect(bench.state).toMatchObject({ relay: true, changedBy: 'bridge' });
    expect(bench.stored.relay).toBe(true);
  });

  it('stays as a command made it', async () => {
    const bench = await PlugBench.polled(enforced);
    await bench.order({ relay: 'off' }).end;
    await bench.clock.advance(60_000);
    expect(bench.device.relay).toBe(false);
    bench.device.press();
    await bench.clock.advance(10_000);
    expect(bench.device.relay).toBe(false);
  });

  it('follows the command that comes while it is about to be put back', async () => {
    const bench = await PlugBench.polled(enforced);
    bench.device.press();
    await bench.clock.advance(6000);
    expect(await bench.order({ relay: 'off' }).end).toEqual(DONE);
    await bench.clock.advance(60_000);
    expect(bench.device.relay).toBe(false);
    expect(bench.switched).toEqual([0]);
  });

  it('is left alone after the fifth time within ten minutes, said once and told as its problem', async () => {
    const bench = await PlugBench.polled(enforced);
    for (let press = 0; press < 6; press++) {
      bench.device.press();
      await bench.clock.advance(10_000);
    }
    expect(bench.state).toMatchObject({ relay: false, problem: 'flapping', availability: 'online' });
    expect(bench.switched).toEqual([1, 1, 1, 1, 1]);
    expect(bench.said('switched at the plug again and again; left alone after this')).toHaveLength(1);
    // The first time is ten minutes ago: it is put back once more.
    await bench.clock.advance(560_000);
    expect(bench.state).toMatchObject({ relay: true, problem: null });
  });

  it('is looked after anew once somebody has commanded it', async () => {
    const bench = await PlugBench.polled(enforced);
    for (let press = 0; press < 6; press++) {
      bench.device.press();
      await bench.clock.advance(10_000);
    }
    await bench.order({ relay: 'on' }).end;
    expect(bench.state.problem).toBeNull();
    bench.device.press();
    await bench.clock.advance(10_000);
    expect(bench.device.relay).toBe(true);
  });

  it('is not touched when it does not say how its relay stands', async () => {
    const bench = await PlugBench.polled(enforced);
    bench.device.hideRelay = true;
    await bench.clock.advance(60_000);
    expect(bench.switched).toEqual([]);
    expect(bench.stored.relay).toBe(true);
    expect(bench.state).toMatchObject({ relay: null, availability: 'online' });
  });
});
