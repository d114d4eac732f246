import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Receivers } from '../../src/mqtt/receivers.ts';
import { until } from '../support/until.ts';

const MESSAGE = { brokerId: 'bridge', brokerCounter: 1 };

/** A connection that takes nothing until it is told to, and like a socket fails what it has not taken at its end. */
function slow() {
  let take = (_error?: Error) => {};
  const connection = new Duplex({
    read() {},
    write(_chunk, _encoding, written) {
      take = written;
    },
    destroy(error, destroyed) {
      take(new Error('cancelled'));
      destroyed(error);
    },
  });
  connection.on('error', () => {});
  return { connection, take: () => take() };
}

describe('the receivers of a message', () => {
  it('have it once the system has taken all that was written to them', async () => {
    const receivers = new Receivers();
    const { connection, take } = slow();
    receivers.follow(MESSAGE);
    receivers.add(MESSAGE, connection);
    connection.write('the message');
    const answers: boolean[] = [];
    receivers.flushed(MESSAGE, (isAny) => answers.push(isAny));
    await new Promise(setImmediate);
    expect(answers).toEqual([]);
    take();
    await new Promise(setImmediate);
    take();
    await until(() => answers.length > 0, 'the answer');
    expect(answers).toEqual([true]);
  });

  it('do not have it when their connections end before', async () => {
    const receivers = new Receivers();
    const [ending, ended] = [slow().connection, slow().connection];
    receivers.follow(MESSAGE);
    for (const connection of [ending, ended]) receivers.add(MESSAGE, connection);
    ended.destroy();
    ending.write('the message');
    const answers: boolean[] = [];
    receivers.flushed(MESSAGE, (isAny) => answers.push(isAny));
    ending.destroy();
    await until(() => answers.length > 0, 'the answer');
    expect(answers).toEqual([false]);
  });

  it('are those of that sender and number, and only while the message is followed', () => {
    const receivers = new Receivers();
    const answers: boolean[] = [];
    const ask = () => receivers.flushed(MESSAGE, (isAny) => answers.push(isAny));
    receivers.add(MESSAGE, slow().connection);
    ask();
    receivers.follow(MESSAGE);
    receivers.add({ ...MESSAGE, brokerId: 'another' }, slow().connection);
    receivers.add({ ...MESSAGE, brokerCounter: 2 }, slow().connection);
    ask();
    receivers.follow(MESSAGE);
    receivers.add(MESSAGE, slow().connection);
    ask();
    expect(answers).toEqual([false, false, true]);
  });
});
