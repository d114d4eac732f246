import { describe, expect, it } from 'vitest';
import { PlugError } from '../../src/errors.ts';
import { settled } from '../support/manual-clock.ts';
import { device, PlugBench } from '../support/plug-bench.ts';

const OTHER_MAC = '50:C7:BF:00:00:99';

describe('polling a plug', () => {
  it('begins after its phase and keeps to the grid from there', async () => {
    const bench = new PlugBench();
    bench.loop.start(40);
    await bench.clock.advance(20_000);
    expect(bench.polls).toEqual([40, 5040, 10_040, 15_040]);
  });

  it('skips the polls that a slow answer made it miss, and returns to the grid', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    bench.transport.behaviour = 'hang';
    await bench.clock.advance(11_300);
    bench.transport.behaviour = 'answer';
    bench.transport.finish();
    await bench.clock.advance(8000);
    expect(bench.polls).toEqual([0, 5000, 15_000, 20_000]);
  });

  it('never has two exchanges under way, whatever is wanted meanwhile', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    bench.transport.behaviour = 'hang';
    await bench.clock.advance(4000);
    const before = bench.transport.queries.length;
    bench.loop.refresh();
    bench.order({ relay: 'on' });
    void bench.loop.ask({ time: { get_time: {} } });
    bench.loop.moveTo({ host: '192.0.2.9', port: 9999 }, bench.device.options.mac);
    await bench.clock.advance(20_000);
    expect(bench.transport.queries).toHaveLength(before);
    bench.transport.behaviour = 'answer';
    bench.transport.finish();
    await bench.clock.advance(100);
    expect(bench.transport.queries.length).toBeGreaterThan(before + 2);
    expect(bench.transport.mostInFlight).toBe(1);
  });

  it('asks a plug alone whether it has a meter before it ever asks for the meter', async () => {
    const bench = await PlugBench.polled();
    expect(bench.transport.queries.slice(0, 2)).toEqual([
      { system: { get_sysinfo: {} } },
      { system: { get_sysinfo: {} }, emeter: { get_realtime: {} } },
    ]);
    const simple = await PlugBench.polled({ device: { model: 'HS100(EU)' } });
    await simple.clock.advance(10_000);
    expect(simple.transport.queries.filter(({ emeter }) => emeter !== undefined)).toEqual([]);
  });

  it('forgets over an absence that a plug has a meter: another may have taken its place', async () => {
    const bench = await PlugBench.polled({ poll: { offlineAfter: 1 } });
    bench.fail('timeout');
    await bench.clock.advance(5000);
    bench.transport.behaviour = 'answer';
    const asked = bench.transport.queries.length;
    await bench.clock.advance(10_000);
    expect(bench.transport.queries[asked]).toEqual({ system: { get_sysinfo: {} } });
  });

  it('reads at once on refresh, tells the state even if it is the same, and stays on the grid', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1200);
    const before = bench.told.length;
    bench.loop.refresh();
    await settled();
    expect(bench.told.slice(before).map(({ asked }) => asked)).toEqual([true]);
    await bench.clock.advance(5000);
    expect(bench.polls).toEqual([0, 1200, 5000]);
    expect(bench.told.at(-1)?.asked).toBe(false);
  });

  it('reads what changes slowly right after the first poll, and then at its own pace', async () => {
    const bench = await PlugBench.polled({ poll: { statisticsMs: 60_000 } });
    await bench.clock.advance(130_000);
    expect(bench.statisticsReads).toEqual([0, 60_000, 120_000]);
    expect(bench.state).toMatchObject({ cloud: { bound: false, connected: false }, clock: 'right' });
  });

  it('neither asks an absent plug for statistics nor counts statistics that fail', async () => {
    const bench = await PlugBench.polled({ poll: { statisticsMs: 60_000, offlineAfter: 100 } });
    await bench.clock.advance(59_000);
    bench.fail('timeout');
    await bench.clock.advance(2000);
    expect(bench.state.availability).toBe('online');
    expect(bench.said('statistics not read')).toHaveLength(1);

    const absent = new PlugBench({ poll: { statisticsMs: 60_000 } });
    absent.fail('timeout');
    absent.loop.start(0);
    await absent.clock.advance(200_000);
    expect(absent.statisticsReads).toEqual([]);
  });

  it('goes on after a mistake of its own, and says so', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(4000);
    bench.transport.bug = new TypeError('a mistake');
    await bench.clock.advance(7000);
    expect(bench.said('unexpected failure; polling goes on')).toHaveLength(1);
    expect(bench.polls).toEqual([0, 5000, 10_000]);
    expect(bench.state.availability).toBe('online');
  });

  it('asks at the new address at once when the plug has been found elsewhere', async () => {
    const bench = new PlugBench();
    bench.fail('unreachable');
    bench.loop.start(0);
    await bench.clock.advance(1000);
    bench.transport.behaviour = 'answer';
    bench.loop.moveTo({ host: '192.0.2.9', port: 9999 }, bench.device.options.mac);
    await settled();
    expect(bench.transport.address).toEqual({ host: '192.0.2.9', port: 9999 });
    expect(bench.polls).toEqual([0, 1000]);
    expect(bench.state.availability).toBe('online');
  });
});

describe('a plug that fails', () => {
  it('is offline after as many failed polls as configured, with the reason, said once', async () => {
    const bench = await PlugBench.polled();
    const { lastSeen, voltage } = bench.state;
    bench.fail('refused');
    await bench.clock.advance(14_999);
    expect(bench.state).toMatchObject({ availability: 'online', problem: null });
    await bench.clock.advance(1);
    expect(bench.state).toMatchObject({
      availability: 'offline',
      problem: 'refused',
      lastSeen,
      voltage,
    });
    await bench.clock.advance(60_000);
    expect(bench.said('plug is offline')).toMatchObject([
      { plug: 'lamp', reason: 'refused', detail: 'scripted refused' },
    ]);
  });

  it('is forgiven a failed poll by one that succeeds', async () => {
    const bench = await PlugBench.polled();
    for (let round = 0; round < 3; round++) {
      bench.fail('timeout');
      await bench.clock.advance(10_000);
      bench.transport.behaviour = 'answer';
      await bench.clock.advance(5000);
    }
    expect(bench.state.availability).toBe('online');
    expect(bench.said('plug is offline')).toEqual([]);
  });

  it('is offline at once if it has never been seen', async () => {
    const bench = new PlugBench();
    bench.fail('timeout');
    bench.loop.start(0);
    await settled();
    expect(bench.state).toMatchObject({ availability: 'offline', problem: 'timeout', lastSeen: null });
  });

  it.each(['not-found', 'newer-firmware', 'wrong-plug'] as const)(
    'is offline at once when the reason is %s, of which there is no doubt',
    async (reason) => {
      const bench = await PlugBench.polled();
      bench.fail(reason);
      await bench.clock.advance(5000);
      expect(bench.state).toMatchObject({ availability: 'offline', problem: reason });
    },
  );

  it('is offline at once when another plug answers in its place, and that one is not switched', async () => {
    const bench = await PlugBench.polled();
    bench.transport.device = device(bench.clock, { mac: OTHER_MAC });
    const { end } = bench.order({ relay: 'on', once: true });
    bench.transport.connection = 2;
    await settled();
    expect(bench.state).toMatchObject({ availability: 'offline', problem: 'wrong-plug' });
    expect(bench.transport.device.relay).toBe(false);
    expect(await end).toEqual({ outcome: 'failed', reason: 'wrong-plug' });
  });

  it('is asked less and less often, up to the bound', async () => {
    const bench = new PlugBench();
    bench.fail('timeout');
    bench.loop.start(0);
    await bench.clock.advance(200_000);
    expect(bench.polls).toEqual([0, 5000, 15_000, 35_000, 75_000, 135_000, 195_000]);
  });

  it('is asked less often step by step too when it was there before', async () => {
    const bench = await PlugBench.polled();
    bench.fail('timeout');
    await bench.clock.advance(100_000);
    expect(bench.polls).toEqual([0, 5000, 10_000, 15_000, 20_000, 30_000, 50_000, 90_000]);
  });

  it('is asked up to a quarter sooner, as chance has it', async () => {
    const bench = new PlugBench({ random: () => 1 });
    bench.fail('timeout');
    bench.loop.start(0);
    await bench.clock.advance(100_000);
    expect(bench.polls).toEqual([0, 3750, 11_250, 26_250, 56_250]);
  });

  it('is never asked less often than it is polled, however small the bound', async () => {
    const bench = new PlugBench({ poll: { backoffMaxMs: 100 } });
    bench.fail('timeout');
    bench.loop.start(0);
    await bench.clock.advance(15_000);
    expect(bench.polls).toEqual([0, 5000, 10_000, 15_000]);
  });

  it('is back with its first answer, said once, and polled as before', async () => {
    const bench = new PlugBench();
    bench.fail('timeout');
    bench.loop.start(0);
    await bench.clock.advance(34_000);
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(16_000);
    expect(bench.state).toMatchObject({ availability: 'online', problem: null });
    expect(bench.polls).toEqual([0, 5000, 15_000, 35_000, 40_000, 45_000, 50_000]);
    expect(bench.said('plug is back')).toMatchObject([{ plug: 'lamp', was: 'timeout' }]);
  });

  it('is spoken of again when it fails for another reason', async () => {
    const bench = new PlugBench();
    bench.fail('timeout');
    bench.loop.start(0);
    await bench.clock.advance(10_000);
    bench.fail('refused');
    await bench.clock.advance(60_000);
    expect(bench.said('plug is offline').map(({ reason }) => reason)).toEqual(['timeout', 'refused']);
    expect(bench.state.problem).toBe('refused');
    expect(bench.told.map(({ after, asked }) => [after.problem, asked])).toEqual([
      ['timeout', false],
      ['refused', false],
    ]);
  });
});

describe('a plug that was found with newer firmware', () => {
  it('is said to have it instead of how it fails, until it answers again', async () => {
    const bench = new PlugBench();
    bench.fail('refused');
    bench.loop.start(0);
    await settled();
    bench.loop.foundNewerFirmware();
    expect(bench.state).toMatchObject({ availability: 'offline', problem: 'newer-firmware' });
    await bench.clock.advance(60_000);
    expect(bench.said('plug is offline').map(({ reason }) => reason)).toEqual(['refused', 'newer-firmware']);
    bench.transport.behaviour = 'answer';
    await bench.clock.advance(120_000);
    expect(bench.state).toMatchObject({ availability: 'online', problem: null });
    bench.fail('refused');
    await bench.clock.advance(60_000);
    expect(bench.state.problem).toBe('refused');
  });

  it('is left alone while it answers', async () => {
    const bench = await PlugBench.polled();
    bench.loop.foundNewerFirmware();
    expect(bench.state.availability).toBe('online');
  });

  it('is still said to be another plug if another answers', async () => {
    const bench = new PlugBench();
    bench.fail('refused');
    bench.loop.start(0);
    await settled();
    bench.loop.foundNewerFirmware();
    bench.fail('wrong-plug');
    await bench.clock.advance(60_000);
    expect(bench.state.problem).toBe('wrong-plug');
  });
});

describe('the end of polling', () => {
  it('lets the plug go, arms no timer any more and asks nothing any more', async () => {
    const bench = await PlugBench.polled();
    await bench.loop.stop('stopping');
    expect(bench.clock.armed).toBe(0);
    expect(bench.transport.closes).toBe(1);
    const { length } = bench.transport.queries;
    bench.loop.refresh();
    await bench.clock.advance(60_000);
    expect(bench.transport.queries).toHaveLength(length);
  });

  it('gives an exchange in flight one second, then drops it', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    bench.transport.behaviour = 'hang';
    await bench.clock.advance(4000);
    let stopped = false;
    const stop = bench.loop.stop('stopping').then(() => {
      stopped = true;
    });
    await bench.clock.advance(999);
    expect(stopped).toBe(false);
    await bench.clock.advance(1);
    await stop;
    expect(bench.clock.armed).toBe(0);
    expect(bench.said('plug is offline')).toEqual([]);
  });

  it('does not begin anything for what was found out too late', async () => {
    const bench = await PlugBench.polled();
    await bench.clock.advance(1000);
    bench.transport.behaviour = 'hang';
    await bench.clock.advance(4000);
    const stop = bench.loop.stop('stopping');
    bench.transport.fail(new PlugError('timeout', 'too late'));
    await stop;
    await bench.clock.advance(60_000);
    expect(bench.polls).toEqual([0, 5000]);
  });
});
