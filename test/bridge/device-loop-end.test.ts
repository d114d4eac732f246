import { describe, expect, it } from 'vitest';
import { settled } from '../support/manual-clock.ts';
import { PlugBench } from '../support/plug-bench.ts';
import { rejectionOf } from '../support/thrown.ts';

const CONFIRMED = { outcome: 'confirmed' };

describe('a question', () => {
  const TIME = { time: { get_time: {} } };

  it('is answered with what the plug says, each in its turn', async () => {
    const bench = await PlugBench.polled();
    const answers = await Promise.all([bench.loop.ask(TIME), bench.loop.ask({ cnCloud: { get_info: {} } })]);
    expect(answers).toMatchObject([{ time: { get_time: { err_code: 0 } } }, { cnCloud: {} }]);
  });

  it('is rejected with the plug’s failure, which does not count as a failed poll', async () => {
    const bench = await PlugBench.polled({ poll: { offlineAfter: 1 } });
    bench.fail('timeout');
    expect(await rejectionOf(bench.loop.ask(TIME))).toMatchObject({ reason: 'timeout' });
    expect(bench.state.availability).toBe('online');
  });

  it('is refused when sixteen wait already', async () => {
    const bench = new PlugBench();
    const waiting = Array.from({ length: 16 }, () => bench.loop.ask(TIME));
    expect(await rejectionOf(bench.loop.ask(TIME))).toMatchObject({
      code: 'busy',
      message: '16 queries wait for lamp already; try again later',
    });
    bench.loop.start(0);
    expect(await Promise.all(waiting)).toHaveLength(16);
  });

  it('is rejected when the bridge stops, also if it is asked after that', async () => {
    const bench = new PlugBench();
    const waiting = rejectionOf(bench.loop.ask(TIME));
    await bench.loop.stop('stopping');
    expect(await waiting).toMatchObject({ reason: 'stopping' });
    expect(await rejectionOf(bench.loop.ask(TIME))).toMatchObject({ reason: 'stopping' });
  });
});

describe('the end of what is wanted', () => {
  it('fails all that waits, and lets what is in flight end by its own outcome', async () => {
    const bench = await PlugBench.polled();
    bench.transport.behaviour = 'hang';
    const flying = bench.order({ relay: 'on' });
    await settled();
    const waiting = bench.order({ led: false });
    const stop = bench.loop.stop('stopping');
    expect(waiting.ended()).toEqual({ outcome: 'failed', reason: 'stopping' });
    expect(flying.ended()).toBeUndefined();
    bench.transport.behaviour = 'answer';
    bench.transport.finish();
    await stop;
    expect(flying.ended()).toEqual(CONFIRMED);
    expect(bench.clock.armed).toBe(0);
  });

  it('fails what is in flight too when the plug does not answer in time', async () => {
    const bench = await PlugBench.polled();
    bench.transport.behaviour = 'hang';
    const flying = bench.order({ relay: 'on' });
    await settled();
    const stop = bench.loop.stop('stopping');
    await bench.clock.advance(1000);
    await stop;
    expect(flying.ended()).toEqual({ outcome: 'failed', reason: 'stopping' });
    expect(bench.clock.armed).toBe(0);
  });
});
