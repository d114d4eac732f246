import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/mqtt/session.ts';
import { SubscriberWait } from '../../src/mqtt/subscriber-wait.ts';
import { ManualClock } from '../support/manual-clock.ts';

function open() {
  const clock = new ManualClock();
  const sent: string[] = [];
  const wait = new SubscriberWait(clock, ({ topic }) => sent.push(topic));
  wait.start();
  const add = (topic: string) => wait.add({ topic, payload: '', retain: false, qos: 1 } satisfies Message);
  return { clock, sent, wait, add };
}

describe('the wait for subscribers', () => {
  it('ends for each message when a client has subscribed to it', () => {
    const { sent, wait, add } = open();
    for (const topic of ['museum/a/result', 'museum/b/result']) add(topic);
    wait.subscribed(['museum/c/result', 'museum/b/+']);
    expect(sent).toEqual(['museum/b/result']);
    add('museum/b/result');
    expect(sent).toHaveLength(2);
  });

  it('ends for all after a minute, in their order, and later ones do not wait', async () => {
    const { clock, sent, add } = open();
    for (const topic of ['a', 'b']) add(topic);
    await clock.advance(59_999);
    expect(sent).toEqual([]);
    await clock.advance(1);
    add('c');
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  it('ends with the program without a word: what nobody heard is sent after the next start', async () => {
    const { clock, sent, wait, add } = open();
    add('a');
    wait.stop();
    wait.subscribed(['#']);
    await clock.advance(60_000);
    expect(sent).toEqual([]);
    expect(clock.armed).toBe(0);
  });
});
