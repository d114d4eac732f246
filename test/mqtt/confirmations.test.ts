import { describe, expect, it } from 'vitest';
import { Confirmations } from '../../src/mqtt/confirmations.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A connection on which messages wait for their confirmation. */
function connection() {
  const clock = new ManualClock();
  const state = { silentSince: undefined as number | undefined, asked: 0, givenUp: 0, answer: () => {} };
  const confirmations = new Confirmations({
    clock,
    silentSince: () => state.silentSince,
    ask: (answered) => {
      state.asked++;
      state.answer = answered;
    },
    giveUp: () => {
      state.givenUp++;
    },
  });
  confirmations.open();
  return { clock, state, confirmations };
}

describe('a broker', () => {
  it('is asked nothing while it confirms what it is sent', async () => {
    const { clock, state } = connection();
    for (let second = 0; second < 60; second++) {
      state.silentSince = clock.now();
      await clock.advance(1000);
    }
    expect(state).toMatchObject({ asked: 0, givenUp: 0 });
  });

  it('is given up once it has read a message and not confirmed it', async () => {
    const { clock, state } = connection();
    state.silentSince = clock.now();
    await clock.advance(10_000);
    expect(state).toMatchObject({ asked: 1, givenUp: 0 });
    state.answer();
    await clock.advance(9999);
    expect(state.givenUp).toBe(0);
    await clock.advance(1);
    expect(state).toMatchObject({ asked: 1, givenUp: 1 });
  });

  it('is not given up as long as it has not read the message', async () => {
    const { clock, state } = connection();
    state.silentSince = clock.now();
    await clock.advance(300_000);
    expect(state).toMatchObject({ asked: 1, givenUp: 0 });
  });

  it('is not given up if it confirms one at last', async () => {
    const { clock, state } = connection();
    state.silentSince = clock.now();
    await clock.advance(10_000);
    state.answer();
    state.silentSince = clock.now();
    await clock.advance(10_000);
    expect(state).toMatchObject({ asked: 2, givenUp: 0 });
    state.silentSince = undefined;
    state.answer();
    await clock.advance(60_000);
    expect(state.givenUp).toBe(0);
  });

  it('is asked anew on each connection, and nothing without one', async () => {
    const { clock, state, confirmations } = connection();
    state.silentSince = clock.now();
    await clock.advance(10_000);
    state.answer();
    confirmations.close();
    await clock.advance(60_000);
    expect(state).toMatchObject({ asked: 1, givenUp: 0 });
    confirmations.open();
    await clock.advance(10_000);
    expect(state).toMatchObject({ asked: 2, givenUp: 0 });
  });
});
