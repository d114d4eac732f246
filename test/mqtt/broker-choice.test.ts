import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerChoice } from '../../src/mqtt/broker-choice.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { freePort } from '../support/free-port.ts';

const clock = new SystemClock();
const never = () => new AbortController().signal;

describe('the choice between brokers', () => {
  const servers: Server[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listening(): Promise<string> {
    const server = createServer((socket) => socket.on('error', () => {}));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return `mqtt://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  const dead = async () => `mqtt://127.0.0.1:${await freePort()}`;

  it('takes the only one as it is, whether it can be reached or not', async () => {
    const url = await dead();
    const choice = new BrokerChoice([url], clock);
    expect([await choice.next(never()), await choice.next(never())]).toEqual([url, url]);
    expect([choice.hasOthers, choice.answerTimeoutMs]).toEqual([false, 10_000]);
  });

  it('prefers the first that is configured, and passes over what cannot be reached', async () => {
    const [gone, first, second] = [await dead(), await listening(), await listening()];
    expect(await new BrokerChoice([first, second], clock).next(never())).toBe(first);
    const choice = new BrokerChoice([gone, first, second], clock);
    expect(await choice.next(never())).not.toBe(gone);
  });

  it('tries each once in a round, and gives those that do not answer longer in the next', async () => {
    const [first, second] = [await listening(), await listening()];
    const choice = new BrokerChoice([first, second], clock);
    const round = async () => {
      const tried = [await choice.next(never())];
      expect(choice.hasOthers).toBe(true);
      tried.push(await choice.next(never()));
      expect(choice.hasOthers).toBe(false);
      return { tried: tried.sort(), ms: choice.answerTimeoutMs };
    };
    const all = [first, second].sort();
    expect(await round()).toEqual({ tried: all, ms: 2000 });
    expect(await round()).toEqual({ tried: all, ms: 4000 });
    expect(await round()).toEqual({ tried: all, ms: 8000 });
    expect(await round()).toEqual({ tried: all, ms: 10_000 });
  });

  it('returns to the one that answered last after a connection that held, to the others after a brief one', async () => {
    const [first, second] = [await listening(), await listening()];
    const choice = new BrokerChoice([first, second], clock);
    choice.lost(second, 3_600_000);
    expect(await choice.next(never())).toBe(second);
    choice.lost(second, 100);
    expect(await choice.next(never())).toBe(first);
    expect(choice.hasOthers).toBe(false);
    expect(await choice.next(never())).toBe(second);
  });

  it('spends one attempt, and then waits, where none can be reached', async () => {
    const [one, other] = [await dead(), await dead()];
    const choice = new BrokerChoice([one, other], clock);
    expect(await choice.next(never())).toBe(one);
    expect(choice.hasOthers).toBe(false);
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const choice = new BrokerChoice(['mqtt://192.0.2.1', 'mqtts://192.0.2.2'], clock);
    const next = choice.next(stop.signal);
    stop.abort();
    await next;
  });
});
