import { describe, expect, it } from 'vitest';
import { startCountdown } from '../../src/protocol/requests.ts';
import { settled } from '../support/manual-clock.ts';
import { type BenchOptions, PlugBench } from '../support/plug-bench.ts';

const DONE = { outcome: 'confirmed' };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NO_COUNTDOWN = { get_rules: { rule_list: [], err_code: 0 } };
const START = Date.parse('2026-01-01T12:00:00Z');

function countdownOf({ device }: PlugBench): unknown {
  return device.answer({ count_down: { get_rules: {} } }).count_down;
}

/** A bench whose plug was switched on for an hour and has lost its own countdown: only the bridge ends it. */
async function onForAnHour(options: BenchOptions = {}): Promise<PlugBench> {
  const bench = await PlugBench.polled({ poll: { offlineAfter: 1 }, ...options });
  await bench.order({ relay: 'on', forMs: HOUR }).end;
  bench.device.answer({ count_down: { delete_all_rules: {} } });
  return bench;
}

/** The plug is without power for a while and returns with its relay off. */
async function cutPower(bench: PlugBench): Promise<void> {
  bench.fail('timeout');
  await bench.clock.advance(10_000);
  if (bench.device.relay) bench.device.press();
  bench.device.reboot();
  bench.transport.behaviour = 'answer';
  await bench.clock.advance(60_000);
}

describe('a command with for', () => {
  it('still ends on an enforced plug, also after a change was put back', async () => {
    const bench = await onForAnHour({ policy: { enforce: true } });
    await bench.clock.advance(HOUR / 2);
    bench.device.press();
    await bench.clock.advance(60_000);
    expect(bench.device.relay).toBe(true);
    await bench.clock.advance(HOUR / 2);
    expect(bench.device.relay).toBe(false);
    await bench.clock.advance(HOUR);
    expect(bench.device.relay).toBe(false);
    expect(bench.switched).toEqual([1, 1, 0]);
  });

  it.each(['last', 'on'] as const)('still ends after a power cut with restore: %s', async (restore) => {
    const bench = await onForAnHour({ policy: { restore } });
    await cutPower(bench);
    expect(bench.device.relay).toBe(true);
    await bench.clock.advance(HOUR);
    expect(bench.device.relay).toBe(false);
    expect(bench.stored.timer).toBeNull();
  });

  it('still ends after a power cut with restore: keep if the plug returns on', async () => {
    const bench = await onForAnHour({ policy: { restore: 'keep' } });
    bench.fail('timeout');
    await bench.clock.advance(10_000);
    bench.device.reboot();
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(60_000);
    expect(bench.device.relay).toBe(true);
    expect(bench.stored.timer).toMatchObject({ relay: false });
    await bench.clock.advance(HOUR);
    expect(bench.device.relay).toBe(false);
  });

  it('is over if the plug returns off from a power cut with restore: keep', async () => {
    const bench = await onForAnHour({ policy: { restore: 'keep' } });
    await cutPower(bench);
    expect(bench.device.relay).toBe(false);
    expect(bench.stored).toMatchObject({ relay: false, timer: null });
    await bench.order({ relay: 'on' }).end;
    await bench.clock.advance(2 * HOUR);
    expect(bench.device.relay).toBe(true);
  });

  it('never supersedes the user’s newer ON that waits for the plug', async () => {
    const bench = await onForAnHour();
    bench.fail('timeout');
    await bench.clock.advance(HOUR - 5000);
    const { ended } = bench.order({ relay: 'on', until: 2 * HOUR });
    await bench.clock.advance(60_000);
    expect(ended()).toBeUndefined();
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(HOUR / 2);
    expect(ended()).toEqual(DONE);
    expect(bench.device.relay).toBe(true);
    expect(bench.switched.filter((state) => state === 0)).toEqual([]);
  });

  it('fires after the user’s newer wish if that expires', async () => {
    const bench = await onForAnHour();
    bench.fail('timeout');
    await bench.clock.advance(HOUR - 5000);
    const { end } = bench.order({ relay: 'on' });
    await bench.clock.advance(70_000);
    expect(await end).toEqual({ outcome: 'expired', reason: 'timeout' });
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(120_000);
    expect(bench.device.relay).toBe(false);
  });

  it('is forgotten, never carried out, at a plug that was locked meanwhile', async () => {
    const at = { boot: 'an earlier one', at: 0, date: START + 1000 };
    const bench = await PlugBench.polled({
      device: { on: true },
      policy: { locked: true },
      memory: { relay: true, timer: { relay: false, at, armed: false } },
    });
    await bench.clock.advance(HOUR);
    expect(bench.switched).toEqual([]);
    expect(bench.stored.timer).toBeNull();
  });
});

describe('the countdown on the plug', () => {
  it('is taken off with a press of the button, so that it does not undo a plain ON', async () => {
    const bench = await PlugBench.polled();
    await bench.order({ relay: 'on', forMs: HOUR }).end;
    bench.device.press();
    await bench.clock.advance(10_000);
    expect(bench.stored).toMatchObject({ relay: false, timer: null, disarm: false });
    expect(countdownOf(bench)).toEqual(NO_COUNTDOWN);
    await bench.order({ relay: 'on' }).end;
    await bench.clock.advance(2 * HOUR);
    expect(bench.device.relay).toBe(true);
  });

  it('is remembered over a restart, and taken off by the next plain ON', async () => {
    const { stored } = await onForAnHour();
    expect(stored.timer).toMatchObject({ armed: true });
    const bench = new PlugBench({ device: { on: true }, memory: stored });
    bench.device.answer({ ...startCountdown(HOUR / 1000, false).query });
    bench.loop.start(0);
    await settled();
    await bench.order({ relay: 'on' }).end;
    await settled();
    expect(countdownOf(bench)).toEqual(NO_COUNTDOWN);
    await bench.clock.advance(2 * HOUR);
    expect(bench.device.relay).toBe(true);
  });

  it('that was still to be taken off when the bridge ended is taken off by the next one', async () => {
    const bench = new PlugBench({ device: { on: true }, memory: { relay: true, disarm: true } });
    bench.device.answer({ ...startCountdown(HOUR / 1000, false).query });
    bench.loop.start(0);
    await bench.clock.advance(5000);
    expect(countdownOf(bench)).toEqual(NO_COUNTDOWN);
    expect(bench.stored.disarm).toBe(false);
  });

  it('that fires some seconds early is not tampering', async () => {
    const bench = await onForAnHour({ policy: { enforce: true } });
    await bench.clock.advance(HOUR - 7000);
    bench.device.press();
    await bench.clock.advance(HOUR);
    expect(bench.device.relay).toBe(false);
    expect(bench.switched).toEqual([1]);
    expect(bench.state.problem).toBeNull();
  });
});

describe('a plug that is looked after', () => {
  it.each([20_000, 23_000])(
    'is put back %i ms after the change was seen, whatever the poll interval',
    async (ms) => {
      const bench = await PlugBench.polled({
        policy: { enforce: true, enforceAfterMs: ms },
        device: { on: true },
      });
      bench.device.press();
      await bench.clock.advance(5000);
      expect(bench.state.relay).toBe(false);
      await bench.clock.advance(ms - 1);
      expect(bench.switched).toEqual([]);
      await bench.clock.advance(1);
      expect(bench.switched).toEqual([1]);
    },
  );

  it('is not restored when its energy was reset: that is no power cut', async () => {
    const bench = await PlugBench.polled({ policy: { restore: 'on' }, device: { on: true } });
    await bench.clock.advance(HOUR);
    await bench.order({ relay: 'off' }).end;
    expect(bench.state.energy).toBeGreaterThan(0);
    bench.device.answer({ emeter: { erase_emeter_stat: {} } });
    await bench.clock.advance(HOUR);
    expect(bench.state.energyBoot).toBe(0);
    expect(bench.device.relay).toBe(false);
    expect(bench.switched).toEqual([0]);
  });
});

describe('time', () => {
  it.each([-DAY, DAY])(
    'by which the wall clock is set (%i ms) ends no timer and prolongs none',
    async (byMs) => {
      const bench = await onForAnHour();
      bench.clock.setWall(byMs);
      await bench.clock.advance(HOUR - 1);
      expect(bench.device.relay).toBe(true);
      await bench.clock.advance(1);
      expect(bench.device.relay).toBe(false);
    },
  );

  it.each([-DAY, DAY])(
    'by which the wall clock is set (%i ms) lets no command expire and prolongs none',
    async (byMs) => {
      const bench = await PlugBench.polled();
      bench.fail('timeout');
      const { ended } = bench.order({ relay: 'on' });
      bench.clock.setWall(byMs);
      await bench.clock.advance(59_999);
      expect(ended()).toBeUndefined();
      await bench.clock.advance(1);
      expect(ended()).toEqual({ outcome: 'expired', reason: 'timeout' });
    },
  );

  it('asleep counts: a timer that was due is carried out on waking, a command whose time is over is not', async () => {
    const bench = await onForAnHour();
    bench.clock.sleep(2 * HOUR);
    await bench.clock.advance(0);
    expect(bench.device.relay).toBe(false);
    bench.fail('timeout');
    const { ended } = bench.order({ relay: 'on' });
    await settled();
    const sent = bench.switched.length;
    bench.clock.sleep(60_000);
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(10_000);
    expect(ended()).toEqual({ outcome: 'expired', reason: 'timeout' });
    expect(bench.switched).toHaveLength(sent);
    expect(bench.device.relay).toBe(false);
  });

  it('that runs out while the plug shows which one it is leaves the command unsent', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    // On a new connection the plug is asked for its MAC first.
    bench.transport.connection++;
    bench.transport.behaviour = 'hang';
    const { ended } = bench.order({ relay: 'on', until: bench.clock.now() + 500 });
    await settled();
    expect(bench.transport.queries.at(-1)).not.toHaveProperty('system.set_relay_state');
    bench.clock.sleep(500);
    bench.transport.behaviour = 'answer';
    bench.transport.finish();
    await bench.clock.advance(10_000);
    expect(ended()).toMatchObject({ outcome: 'expired' });
    expect(bench.switched).toEqual([]);
  });

  it.each([
    ['the same boot, by the time since then', { boot: 'boot 1', at: 30 * DAY, date: START + 7 * DAY }],
    ['another boot, by the wall clock', { boot: 'another', at: 7 * DAY, date: START + 30 * DAY }],
  ])('of a timer of 30 days counts over a restart within %s', async (_what, at) => {
    const bench = await PlugBench.polled({
      poll: { intervalMs: 6 * HOUR },
      device: { on: true },
      memory: { relay: true, timer: { relay: false, at, armed: false } },
    });
    await bench.clock.advance(30 * DAY - 1);
    expect(bench.device.relay).toBe(true);
    await bench.clock.advance(1);
    expect(bench.device.relay).toBe(false);
  });
});
