import { describe, expect, it } from 'vitest';
import { PacketLimit } from '../../src/mqtt/packet-limit.ts';
import { ManualClock } from '../support/manual-clock.ts';

const MINUTE_MS = 60_000;

describe('how large a packet the broker takes', () => {
  function limit() {
    const clock = new ManualClock();
    const answers: (() => void)[] = [];
    const made = new PacketLimit(clock, (answered) => answers.push(answered));
    /** Connects, sends a packet, and loses the connection so much later. */
    const lose = async (size: number, afterMs = 100) => {
      made.open(undefined);
      made.sent(size);
      await clock.advance(afterMs);
      made.lost();
    };
    /** The broker gives the sign of life for which it was asked last. */
    const answer = () => answers.at(-1)?.();
    return { made, clock, lose, answer, asked: () => answers.length };
  }

  it('is what the broker says', () => {
    const { made } = limit();
    made.open(1000);
    expect(made.largest).toBe(1000);
    made.open(undefined);
    expect(made.largest).toBe(Number.POSITIVE_INFINITY);
  });

  it('is less than what cost the connection three times in a row', async () => {
    const { made, lose } = limit();
    for (const _ of [1, 2]) {
      await lose(9000);
      expect([made.largest, made.isSuspected]).toEqual([Number.POSITIVE_INFINITY, true]);
    }
    await lose(9000);
    expect([made.largest, made.isSuspected]).toEqual([8192, true]);
    for (const _ of [1, 2]) {
      await lose(8192);
      expect(made.largest).toBe(8192);
    }
    await lose(8192);
    expect(made.largest).toBe(4096);
  });

  it.each([
    ['after the broker has given a sign of life', (answer: () => void) => answer(), 9000, 100],
    ['over a small packet', () => {}, 4096, 100],
    ['long after the packet was sent: the broker was stuck', () => {}, 9000, 2001],
  ])('has nothing to do with a connection that is lost %s', async (_, meanwhile, size, afterMs) => {
    const { made, clock, lose, answer } = limit();
    for (let each = 0; each < 3; each++) {
      await lose(9000);
      made.open(undefined);
      made.sent(size);
      meanwhile(answer);
      await clock.advance(afterMs);
      made.lost();
    }
    expect([made.largest, made.isSuspected]).toEqual([Number.POSITIVE_INFINITY, false]);
  });

  it('is asked for once while an answer is on its way, and again for what was larger meanwhile', () => {
    const { made, asked, answer } = limit();
    made.open(undefined);
    for (const size of [100, 5000, 4500, 6000]) made.sent(size);
    expect(asked()).toBe(1);
    answer();
    expect(asked()).toBe(2);
    answer();
    made.sent(6000);
    expect(asked()).toBe(2);
  });

  it('is forgotten after ten minutes: the broker may take more by then', async () => {
    const { made, clock, lose } = limit();
    for (const _ of [1, 2, 3]) await lose(9000);
    await clock.advance(10 * MINUTE_MS);
    made.open(undefined);
    expect(made.largest).toBe(8192);
    await clock.advance(1);
    made.open(undefined);
    expect(made.largest).toBe(Number.POSITIVE_INFINITY);
  });
});
