import { describe, expect, it } from 'vitest';
import { PlugError } from '../../src/errors.ts';
import { settled } from '../support/manual-clock.ts';
import { PlugBench } from '../support/plug-bench.ts';

const CONFIRMED = { outcome: 'confirmed' };
const SUPERSEDED = { outcome: 'superseded', reason: 'a later command took over' };

describe('a command', () => {
  it('is carried out before the next poll, and confirmed by what the plug reports', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(2000);
    const { end } = bench.order({ relay: 'on' });
    expect(bench.state.relay).toBe(false);
    expect(await end).toEqual(CONFIRMED);
    expect(bench.clock.now()).toBe(2000);
    expect(bench.state).toMatchObject({ relay: true, changedBy: 'mqtt' });
    expect(bench.transport.queries.at(-1)).toEqual({
      system: { set_relay_state: { state: 1 }, get_sysinfo: {} },
      emeter: { get_realtime: {} },
    });
  });

  it('has the meter read again once the power has settled', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    await bench.order({ relay: 'on' }).end;
    await bench.clock.advance(1500);
    expect(bench.polls).toEqual([0, 2000]);
  });

  it('goes right after the exchange in flight, before all else that waits', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    bench.transport.behaviour = 'hang';
    await bench.clock.advance(4000);
    const asked = bench.transport.queries.length;
    void bench.loop.ask({ time: { get_time: {} } });
    bench.loop.refresh();
    const { end } = bench.order({ relay: 'on' });
    bench.transport.behaviour = 'answer';
    bench.transport.finish();
    await end;
    expect(bench.transport.queries[asked]).toHaveProperty('system.set_relay_state', { state: 1 });
  });

  it('expires when its time is over, though an exchange that was under way has not ended', async () => {
    const bench = await PlugBench.polled();
    bench.transport.behaviour = 'hang';
    await bench.clock.advance(5000);
    const { ended } = bench.order({ relay: 'on', until: bench.clock.now() + 300 });
    await bench.clock.advance(299);
    expect(ended()).toBeUndefined();
    await bench.clock.advance(1);
    expect(ended()).toEqual({ outcome: 'expired', reason: 'busy' });
    expect(bench.switched).toEqual([]);
  });

  it('leaves the relay alone when it is about the LED', async () => {
    const bench = await PlugBench.polled();
    expect(await bench.order({ led: false }).end).toEqual(CONFIRMED);
    expect(bench.switched).toEqual([]);
    expect(bench.state).toMatchObject({ led: false, relay: false, changedBy: null });
  });

  it('fails in words when the plug refuses it, and the plug stays online', async () => {
    const bench = await PlugBench.polled();
    bench.device.broken.set('system.set_relay_state', -3);
    expect(await bench.order({ relay: 'on' }).end).toEqual({
      outcome: 'failed',
      reason: expect.stringMatching(/set_relay_state with err_code -3 .*an argument is missing or wrong/),
    });
    await bench.clock.advance(20_000);
    expect(bench.switched).toEqual([1]);
    expect(bench.state.availability).toBe('online');
  });

  it('is tried less and less often while the plug does not answer, and at once when it answers again', async () => {
    const bench = await PlugBench.polled({ poll: { offlineAfter: 10 } });
    await bench.clock.advance(1000);
    bench.fail('timeout');
    const { ended } = bench.order({ relay: 'on' });
    await bench.clock.advance(3900);
    expect(bench.transport.times(({ system }) => system?.set_relay_state !== undefined)).toEqual([
      1000, 2000, 4000,
    ]);
    bench.transport.behaviour = 'answer';
    bench.loop.refresh();
    await bench.clock.advance(100);
    expect(ended()).toEqual(CONFIRMED);
  });

  it('expires with the reason when its time is over, and is not carried out later', async () => {
    const bench = await PlugBench.polled();
    bench.fail('unreachable');
    const { ended } = bench.order({ relay: 'on', until: 7000 });
    await bench.clock.advance(6999);
    expect(ended()).toBeUndefined();
    await bench.clock.advance(1);
    expect(ended()).toEqual({ outcome: 'expired', reason: 'unreachable' });
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(120_000);
    expect(bench.device.relay).toBe(false);
  });

  it('that is to be tried once is tried once, at once, even on a plug that is offline', async () => {
    const bench = new PlugBench();
    bench.fail('refused');
    bench.loop.start(0);
    await bench.clock.advance(20_000);
    const { end } = bench.order({ relay: 'on', once: true, until: Number.POSITIVE_INFINITY });
    expect(await end).toEqual({ outcome: 'failed', reason: 'refused' });
    expect(bench.clock.now()).toBe(20_000);
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(120_000);
    expect(bench.switched).toEqual([]);
  });

  it('waits until it is let go when it is held back, and expires all the same', async () => {
    const bench = await PlugBench.polled();
    const held = bench.order({ relay: 'on', held: true });
    const late = bench.order({ led: false, held: true, until: 9000 });
    await bench.clock.advance(8999);
    expect(bench.switched).toEqual([]);
    expect(late.ended()).toBeUndefined();
    await bench.clock.advance(1);
    expect(late.ended()).toMatchObject({ outcome: 'expired' });
    expect(bench.outlet.has(late.id)).toBe(false);
    expect(bench.outlet.has(held.id)).toBe(true);
    bench.outlet.release(held.id);
    bench.loop.wake();
    expect(await held.end).toEqual(CONFIRMED);
    expect(bench.outlet.has(held.id)).toBe(false);
  });

  it('tells of each attempt', async () => {
    const bench = await PlugBench.polled();
    let tries = 0;
    bench.fail('timeout');
    bench.order({ relay: 'on' }, () => tries++);
    await bench.clock.advance(1100);
    expect(tries).toBe(2);
  });
});

describe('commands of one plug', () => {
  it('supersede those that wait for the same thing, and leave the others', async () => {
    const bench = await PlugBench.polled();
    bench.fail('timeout');
    const first = bench.order({ relay: 'on' });
    await bench.clock.advance(100);
    const led = bench.order({ led: false });
    const second = bench.order({ relay: 'off' });
    await settled();
    expect(first.ended()).toEqual(SUPERSEDED);
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(2000);
    expect([led.ended(), second.ended()]).toEqual([CONFIRMED, CONFIRMED]);
    expect(bench.device).toMatchObject({ relay: false, led: false });
  });

  it('supersede one that is in flight only if it fails', async () => {
    const bench = await PlugBench.polled();
    bench.transport.behaviour = 'hang';
    const first = bench.order({ relay: 'on' });
    await settled();
    const second = bench.order({ relay: 'off' });
    expect(first.ended()).toBeUndefined();
    bench.transport.behaviour = 'answer';
    bench.transport.fail(new PlugError('timeout', 'no answer'));
    expect(await first.end).toEqual(SUPERSEDED);
    await bench.clock.advance(1000);
    expect(await second.end).toEqual(CONFIRMED);
  });

  it('are both carried out, in order, if the earlier one gets through', async () => {
    const bench = await PlugBench.polled();
    bench.transport.behaviour = 'hang';
    const first = bench.order({ relay: 'on' });
    await settled();
    const second = bench.order({ relay: 'off' });
    bench.transport.behaviour = 'answer';
    bench.transport.finish();
    expect([await first.end, await second.end]).toEqual([CONFIRMED, CONFIRMED]);
    expect(bench.switched).toEqual([1, 0]);
  });
});

describe('a toggle', () => {
  it('is decided by a fresh look at the plug', async () => {
    const bench = await PlugBench.polled();
    bench.device.press();
    expect(bench.state.relay).toBe(false);
    expect(await bench.order({ relay: 'toggle' }).end).toEqual(CONFIRMED);
    expect(bench.device.relay).toBe(false);
  });

  it('is decided once: what got through unseen is not undone by the next attempt', async () => {
    const bench = await PlugBench.polled();
    bench.transport.behaviour = 'hang';
    const { id, end } = bench.order({ relay: 'toggle' });
    await settled();
    bench.transport.finish();
    await settled();
    expect(bench.decided).toEqual([[id, 'on']]);
    // The plug switches, but its answer gets lost.
    bench.device.press();
    bench.transport.behaviour = 'answer';
    bench.transport.fail(new PlugError('timeout', 'lost'));
    await bench.clock.advance(1000);
    expect(await end).toEqual(CONFIRMED);
    expect(bench.device.relay).toBe(true);
  });

  it('fails in words when the plug does not say how its relay stands', async () => {
    const bench = await PlugBench.polled();
    bench.device.hideRelay = true;
    expect(await bench.order({ relay: 'toggle' }).end).toEqual({
      outcome: 'failed',
      reason: expect.stringMatching(/does not report its relay.*send ON or OFF/),
    });
    expect(bench.switched).toEqual([]);
  });
});

describe('a command to a device that is not a plug', () => {
  it('is refused in words and never sent', async () => {
    const bench = new PlugBench();
    bench.transport.overlay = { type: 'IOT.IPCAMERA', relay_state: undefined };
    bench.loop.start(0);
    const { end } = bench.order({ relay: 'off' });
    await settled();
    expect(await end).toEqual({ outcome: 'refused', reason: expect.stringContaining('not report a relay') });
    expect(bench.switched).toEqual([]);
  });
});

describe('firmware that reports a change late', () => {
  it('is asked again soon, and what it reports meanwhile is not told as a change', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    const told = bench.told.length;
    bench.device.stuck = true;
    const { ended } = bench.order({ relay: 'on' });
    await bench.clock.advance(349);
    expect(ended()).toBeUndefined();
    expect(bench.told).toHaveLength(told);
    bench.device.press();
    await bench.clock.advance(1);
    expect(ended()).toEqual(CONFIRMED);
    expect(bench.told.slice(told).map(({ after }) => [after.relay, after.changedBy])).toEqual([
      [true, 'mqtt'],
    ]);
  });

  it('is not hurried by a poll in between', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(4900);
    bench.device.stuck = true;
    bench.order({ relay: 'on' });
    await bench.clock.advance(349);
    expect(bench.polls).toEqual([0, 5000]);
    expect(bench.switched).toEqual([1]);
    await bench.clock.advance(1);
    expect(bench.switched).toEqual([1, 1]);
  });

  it.each([
    ['on', false, 'still reports OFF'],
    ['off', true, 'still reports ON'],
  ] as const)('that never follows %s fails when its time is over', async (relay, on, words) => {
    const bench = await PlugBench.polled({ device: { on } });
    bench.device.stuck = true;
    const { ended } = bench.order({ relay, until: 1000 });
    await bench.clock.advance(1000);
    expect(ended()).toEqual({
      outcome: 'failed',
      reason: `the plug accepted the command 3 times but ${words}`,
    });
  });

  it('is forgiven three times where a command is tried once', async () => {
    const bench = await PlugBench.polled();
    bench.device.stuck = true;
    const { ended } = bench.order({ relay: 'on', once: true, until: Number.POSITIVE_INFINITY });
    await bench.clock.advance(1049);
    expect(ended()).toBeUndefined();
    await bench.clock.advance(1);
    expect(ended()).toEqual({
      outcome: 'failed',
      reason: 'the plug accepted the command 4 times but still reports OFF',
    });
  });

  it.each([
    ['the relay', { relay: 'on' }, { relay_state: undefined }, 'does not report its relay'],
    ['the LED', { led: false }, { led_off: undefined }, 'does not report its LED'],
    ['another LED', { led: false }, { led_off: 0 }, 'still reports its old LED setting'],
    [
      'the relay before the LED',
      { relay: 'on', led: false },
      { relay_state: 0, led_off: 0 },
      'still reports OFF',
    ],
  ] as const)('that never reports %s is said to do so', async (_, wish, reported, words) => {
    const bench = await PlugBench.polled();
    bench.transport.overlay = reported;
    const { ended } = bench.order({ ...wish, once: true, until: Number.POSITIVE_INFINITY });
    await bench.clock.advance(1050);
    expect(ended()).toEqual({
      outcome: 'failed',
      reason: `the plug accepted the command 4 times but ${words}`,
    });
  });
});
