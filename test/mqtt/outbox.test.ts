import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/mqtt/outbox.ts';
import type { Message } from '../../src/mqtt/session.ts';

/** So long after a message was sent that its loss says nothing about it. */
const LATE = 60_000;

/** So soon after it that it may be to blame. */
const SOON = 10;

const message = (payload: string, keep = true): Message => ({
  topic: 't',
  payload,
  retain: false,
  qos: 1,
  keep,
});

/** Takes out all that may be sent now. */
function drain(outbox: Outbox): Message[] {
  const sent: Message[] = [];
  for (let next = outbox.next(0); next !== undefined; next = outbox.next(0)) sent.push(next);
  return sent;
}

const names = (messages: readonly Message[]) => messages.map(({ payload }) => payload);

function filled(count: number, receiveMaximum?: number): Outbox {
  const outbox = new Outbox();
  outbox.open(receiveMaximum);
  for (let each = 0; each < count; each++) outbox.add(message(String(each)));
  return outbox;
}

/** Confirms messages, one after the other, each so long after the one before; returns those that are then on their way. */
function confirm(outbox: Outbox, flying: readonly Message[], eachMs: number, count = 100): Message[] {
  const sent = [...flying];
  let now = outbox.silentSince ?? 0;
  for (let each = 0; each < count; each++) {
    const first = sent.shift();
    if (first === undefined) break;
    now += eachMs;
    outbox.settle(first, now);
    for (let next = outbox.next(now); next !== undefined; next = outbox.next(now)) sent.push(next);
  }
  return sent;
}

describe('the outbox', () => {
  it.each([
    [undefined, 8, 64],
    [10, 8, 10],
    [1, 1, 1],
    [65_535, 8, 64],
  ])('has, for a broker that takes %s at a time, %i on their way, and soon %i', (most, first, later) => {
    const outbox = filled(500, most);
    const sent = drain(outbox);
    expect(sent).toHaveLength(first);
    expect(confirm(outbox, sent, 10)).toHaveLength(later);
  });

  it('has one on its way to a broker that takes seconds over each, and more again when it is quick', () => {
    const outbox = filled(500);
    const slow = confirm(outbox, drain(outbox), 5000, 12);
    expect(slow).toHaveLength(1);
    expect(confirm(outbox, slow, 10)).toHaveLength(64);
  });

  it('sends first what somebody waits for, as long as the broker is slow', () => {
    const outbox = new Outbox();
    outbox.open(undefined);
    for (const payload of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'])
      outbox.add(message(payload, false));
    outbox.add(message('receipt'));
    outbox.add({ ...message('online', false), urgent: true });
    const sent = drain(outbox);
    expect(names(sent)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    const last = confirm(outbox, sent, 5000, 7);
    expect(names(last)).toEqual(['h']);
    const next = confirm(outbox, last, 5000, 1);
    expect(names(next)).toEqual(['receipt']);
    expect(names(confirm(outbox, next, 5000, 1))).toEqual(['online']);
  });

  it('tells since when the broker confirms nothing that is on its way', () => {
    const outbox = new Outbox();
    const [first, second] = [message('a'), message('b')];
    expect(outbox.silentSince).toBeUndefined();
    outbox.add(first);
    outbox.add(second);
    outbox.next(100);
    outbox.next(150);
    expect(outbox.silentSince).toBe(100);
    outbox.settle(first, 5000);
    expect(outbox.silentSince).toBe(5000);
    outbox.settle(second, 6000);
    expect(outbox.silentSince).toBeUndefined();
  });

  it('sends the next when one is confirmed, in order', () => {
    const outbox = filled(4, 2);
    const [first, second] = drain(outbox);
    expect(names([first, second].flatMap((sent) => sent ?? []))).toEqual(['0', '1']);
    if (second !== undefined) outbox.settle(second, 0);
    expect(names(drain(outbox))).toEqual(['2']);
    expect(outbox.isEmpty).toBe(false);
  });

  it('is empty when all are confirmed', () => {
    const outbox = filled(3);
    expect(outbox.isEmpty).toBe(false);
    for (const sent of drain(outbox)) outbox.settle(sent, 0);
    expect(outbox.isEmpty).toBe(true);
  });

  it('sends again after an outage what had not been confirmed, before what waited, in the same order', () => {
    const outbox = filled(6, 3);
    const [, second] = drain(outbox);
    if (second !== undefined) outbox.settle(second, 0);
    outbox.close(LATE);
    outbox.open(undefined);
    expect(names(drain(outbox))).toEqual(['0', '2', '3', '4', '5']);
  });

  it('forgets over an outage what is not to be kept', () => {
    const outbox = new Outbox();
    outbox.open(1);
    for (const each of [message('a', false), message('b'), message('c', false)]) outbox.add(each);
    drain(outbox);
    outbox.close(LATE);
    outbox.open(undefined);
    expect(names(drain(outbox))).toEqual(['b']);
  });

  it('takes a hundred thousand, then lets the oldest go', () => {
    const outbox = filled(100_002);
    expect(outbox.next(0)?.payload).toBe('2');
  });

  it('gives up a message that is the first without confirmation at two losses, the second time alone', () => {
    const outbox = filled(3);
    expect(names(drain(outbox))).toEqual(['0', '1', '2']);
    expect(outbox.close(SOON)).toBeUndefined();
    outbox.open(undefined);
    expect(names(drain(outbox))).toEqual(['0']);
    expect(outbox.close(SOON)?.payload).toBe('0');
    outbox.open(undefined);
    expect(names(drain(outbox))).toEqual(['1']);
  });

  it('finds the guilty one among several, and sends the others once each after it', () => {
    const outbox = filled(4);
    drain(outbox);
    // The third is to blame; the confirmations of the two before it were lost with the connection.
    outbox.close(SOON);
    const confirmed: string[] = [];
    for (let round = 0; round < 2; round++) {
      outbox.open(undefined);
      for (let next = outbox.next(0); next !== undefined && next.payload !== '2'; next = outbox.next(0)) {
        confirmed.push(next.payload);
        outbox.settle(next, 0);
      }
      expect(outbox.close(SOON)?.payload).toBe(round === 0 ? undefined : '2');
    }
    outbox.open(undefined);
    for (let next = outbox.next(0); next !== undefined; next = outbox.next(0)) {
      confirmed.push(next.payload);
      outbox.settle(next, 0);
    }
    expect(confirmed).toEqual(['0', '1', '3']);
  });

  it('blames no message for a loss long after it was sent', () => {
    const outbox = filled(1);
    for (let loss = 0; loss < 5; loss++) {
      outbox.open(undefined);
      expect(names(drain(outbox))).toEqual(['0']);
      expect(outbox.close(LATE)).toBeUndefined();
    }
  });

  it('blames no message for a loss that the broker gives another reason for', () => {
    const outbox = filled(1);
    for (let loss = 0; loss < 5; loss++) {
      outbox.open(undefined);
      expect(names(drain(outbox))).toEqual(['0']);
      expect(outbox.close(undefined)).toBeUndefined();
    }
  });

  it('has its full window again when a suspect had to go for want of room', () => {
    const outbox = filled(1);
    drain(outbox);
    outbox.close(SOON);
    for (let each = 0; each < 100_000; each++) outbox.add(message('new'));
    outbox.open(undefined);
    expect(drain(outbox)).toHaveLength(8);
  });

  it('has its full window again once all suspects are confirmed', () => {
    const outbox = filled(2);
    drain(outbox);
    outbox.close(SOON);
    outbox.open(undefined);
    for (let each = 2; each < 10; each++) outbox.add(message(String(each)));
    for (const suspect of ['0', '1']) {
      const [sent, ...more] = drain(outbox);
      expect([sent?.payload, more]).toEqual([suspect, []]);
      if (sent !== undefined) outbox.settle(sent, 0);
    }
    expect(drain(outbox)).toHaveLength(8);
  });

  it('lets nothing that is to be kept get lost or out of order, whatever happens', () => {
    const step = fc.constantFrom('add', 'send', 'land', 'outage');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const outbox = new Outbox();
        outbox.open(3);
        let added = 0;
        const confirmed: number[] = [];
        let flying: Message[] = [];
        for (const one of [...steps, 'outage']) {
          if (one === 'add') outbox.add(message(String(added++)));
          else if (one === 'send') flying.push(...drain(outbox));
          else if (one === 'land') {
            const first = flying.shift();
            if (first === undefined) continue;
            outbox.settle(first, 0);
            confirmed.push(Number(first.payload));
          } else {
            outbox.close(LATE);
            outbox.open(3);
            flying = [];
          }
          expect(flying.length).toBeLessThanOrEqual(3);
        }
        for (let sent = outbox.next(0); sent !== undefined; sent = outbox.next(0)) {
          outbox.settle(sent, 0);
          confirmed.push(Number(sent.payload));
        }
        expect(confirmed).toEqual(Array.from({ length: added }, (_, index) => index));
      }),
    );
  });
});
