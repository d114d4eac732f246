import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/mqtt/session.ts';
import { SubscriberWait } from '../../src/mqtt/subscriber-wait.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A broker at which somebody or nobody listens; what it answers `false` to goes unheard. */
function open(isHeard: (topic: string) => boolean = () => false) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const taken: string[] = [];
  const wait = new SubscriberWait(clock, (message, unheard) => {
    sent.push(message.topic);
    if (isHeard(message.topic)) message.taken?.();
    else unheard();
  });
  wait.start();
  const add = (topic: string) =>
    wait.add({
      ...{ topic, payload: '', retain: false, qos: 1 },
      taken: () => taken.push(topic),
    } satisfies Message);
  return { clock, sent, taken, wait, add };
}

describe('the wait for subscribers', () => {
  it('sends again what nobody received when a client has subscribed to it, until one receives it', () => {
    const heard = new Set<string>();
    const { sent, taken, wait, add } = open((topic) => heard.has(topic));
    for (const topic of ['museum/a/result', 'museum/b/result']) add(topic);
    wait.subscribed(['museum/c/result', 'museum/b/+']);
    expect([sent.splice(0), taken]).toEqual([['museum/a/result', 'museum/b/result', 'museum/b/result'], []]);
    heard.add('museum/b/result');
    wait.subscribed(['museum/#']);
    wait.subscribed(['museum/#']);
    expect(sent.filter((topic) => topic === 'museum/b/result')).toHaveLength(1);
    expect(taken).toEqual(['museum/b/result']);
  });

  it('sends again what was on its way to nobody while a client subscribed', () => {
    const unheard: (() => void)[] = [];
    const wait = new SubscriberWait(new ManualClock(), (_message, nobody) => unheard.push(nobody));
    wait.add({ topic: 'museum/a/result', payload: '', retain: false, qos: 1 });
    wait.subscribed(['#']);
    unheard[0]?.();
    expect(unheard).toHaveLength(2);
  });

  it('ends for all after a minute: what nobody received counts as taken, and later ones do not wait', async () => {
    const { clock, sent, taken, add } = open();
    for (const topic of ['a', 'b']) add(topic);
    await clock.advance(59_999);
    expect(taken).toEqual([]);
    await clock.advance(1);
    add('c');
    expect(sent).toEqual(['a', 'b', 'c']);
    expect(taken).toEqual(['a', 'b', 'c']);
  });

  it('keeps no more than ten thousand messages: the oldest counts as taken', () => {
    const { taken, add } = open();
    for (let number = 0; number <= 10_000; number++) add(`${number}`);
    expect(taken).toEqual(['0']);
  });

  it('ends with the program without a word: what nobody received is sent after the next start', async () => {
    const { clock, sent, taken, wait, add } = open();
    add('a');
    wait.stop();
    wait.subscribed(['#']);
    add('b');
    await clock.advance(60_000);
    expect([sent, taken]).toEqual([['a', 'b'], []]);
    expect(clock.armed).toBe(0);
  });
});
