import { describe, expect, it } from 'vitest';
import { blink } from '../../src/api/requests/blink.ts';
import { Permission } from '../../src/api/requests/request.ts';
import { foundPlug } from '../support/finder-bench.ts';
import { LoopbackPlug } from '../support/loopback-plug.ts';
import { memoryLog } from '../support/memory-log.ts';

const ASKER = { origin: 'mqtt', user: null } as const;

async function open(allow: readonly string[] = ['discover/blink']) {
  const plug = await LoopbackPlug.started();
  const { log } = memoryLog();
  const handler = blink({
    search: async () => [foundPlug(plug.device.options.mac, undefined)],
    clientOf: ({ mac }) => plug.client(mac),
    permission: new Permission(() => new Set(allow), log),
    clock: plug.clock,
  });
  const lights = () =>
    plug.queries.flatMap((query) => {
      const text = JSON.stringify(query);
      return text.includes('set_led_off') ? [/"off":1/.test(text) ? 'off' : 'on'] : [];
    });
  return { plug, handler, lights };
}

describe('discover/blink', () => {
  it('lets the light of a found plug go off and on, leaves it on, and does not touch the relay', async () => {
    const { plug, handler, lights } = await open();
    const before = plug.device.relay;
    let isOver = false;
    const blinking = Promise.resolve(handler({ mac: plug.device.options.mac.toLowerCase() }, ASKER)).finally(
      () => {
        isOver = true;
      },
    );
    while (!isOver) await plug.clock.advance(100);
    await blinking;
    expect(lights()).toEqual(['off', 'on', 'off', 'on', 'off', 'on', 'off', 'on']);
    expect(plug.device.relay).toBe(before);
    await plug.stop();
  });

  it('is refused where the configuration does not allow it, and for a plug that is not there', async () => {
    const { plug, handler } = await open([]);
    await expect(Promise.resolve().then(() => handler({ mac: 'x' }, ASKER))).rejects.toMatchObject({
      code: 'not-allowed',
    });
    await plug.stop();
    const other = await open();
    await expect(
      Promise.resolve().then(() => other.handler({ mac: '50:C7:BF:99:99:99' }, ASKER)),
    ).rejects.toMatchObject({ code: 'not-found' });
    await other.plug.stop();
  });
});
