import { describe, expect, it } from 'vitest';
import { HttpError } from '../../src/web/page/http.ts';
import { type CommandBody, type CommandWay, give, giveAgain } from '../../src/web/page/live/commands.ts';
import type { Happening } from '../../src/web/page/live/reducer.ts';
import type { Receipt } from '../../src/web/page/wire.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { pageClock } from './page-clock.ts';
import { someReceipt } from './samples.ts';

const unreachable = () => new HttpError(0, 'unreachable', 'the bridge cannot be reached');

function bench(answer: (sent: CommandBody, count: number) => Receipt | null) {
  const clock = new ManualClock();
  const sent: CommandBody[] = [];
  const told: Happening[] = [];
  let seed = 0.1;
  const way: CommandWay = {
    clock: pageClock(clock),
    random: () => (seed += 0.0123),
    post: async (command) => {
      sent.push(command);
      return answer(command, sent.length);
    },
    tell: (happening) => told.push(happening),
  };
  return { clock, way, sent, told, end: () => told[told.length - 1] };
}

describe('a command of the page', () => {
  it('says what it wants, never "the other", and ends with the receipt', async () => {
    const receipt = someReceipt();
    const { way, sent, told } = bench(() => receipt);
    await give(way, 'shed1', 'OFF', true);
    expect(sent).toMatchObject([{ target: 'shed1', state: 'OFF', ttl: '10s' }]);
    expect(told).toMatchObject([
      { type: 'asked', ask: { target: 'shed1', wanted: 'OFF', receipt: null } },
      { type: 'answered', receipt },
    ]);
  });

  it('is sent again with the same id while the bridge cannot be reached, if it is OFF', async () => {
    const { clock, way, sent, end } = bench((_body, count) => {
      if (count < 4) throw unreachable();
      return someReceipt();
    });
    const given = give(way, '', 'OFF', false);
    await clock.advance(6000);
    await given;
    expect(sent).toHaveLength(4);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect(end()).toMatchObject({ type: 'answered' });
  });

  it('is not sent again if it is ON: nobody wants light minutes after he has gone', async () => {
    const { way, sent, end } = bench(() => {
      throw unreachable();
    });
    await give(way, 'shed1', 'ON', true);
    expect(sent).toHaveLength(1);
    expect(end()).toMatchObject({ type: 'failed', failure: 'unreachable' });
  });

  it('ends after 10 s without the bridge, and says that nothing is known of it', async () => {
    const { clock, way, end } = bench(() => {
      throw unreachable();
    });
    const given = give(way, '', 'OFF', false);
    await clock.advance(12_000);
    await given;
    expect(end()).toMatchObject({ type: 'failed', failure: 'unreachable' });
  });

  it('says what the bridge said when that refused it', async () => {
    const { way, end } = bench(() => {
      throw new HttpError(403, 'not-allowed', 'a viewer switches nothing');
    });
    await give(way, 'shed1', 'OFF', true);
    expect(end()).toMatchObject({ type: 'failed', failure: 'a viewer switches nothing' });
  });

  it('is given again to the missing plugs only, with one receipt for all of them', async () => {
    const { way, sent, end } = bench(({ target, id }) =>
      target === 'barn/silent'
        ? someReceipt({
            id,
            target,
            outcome: 'expired',
            confirmed: 0,
            missing: [{ path: target, reason: 'timeout' }],
          })
        : someReceipt({ id, target }),
    );
    await giveAgain(way, '', 'OFF', ['barn/silent', 'shed2']);
    expect(sent.map(({ target }) => target).sort()).toEqual(['barn/silent', 'shed2']);
    expect(end()).toMatchObject({
      type: 'answered',
      receipt: {
        outcome: 'partial',
        confirmed: 1,
        total: 2,
        missing: [{ path: 'barn/silent', reason: 'timeout' }],
      },
    });
  });
});
