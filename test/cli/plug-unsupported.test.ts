import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/protocol/json.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedBulb } from '../../src/simulator/bulb.ts';
import type { PlugDevice } from '../../src/simulator/plug-device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { SimulatedStrip } from '../../src/simulator/strip.ts';
import { FakeShell } from '../support/fake-shell.ts';

const clock = new SystemClock();
const MAC = '50:C7:BF:00:00:07';

const DEVICES: readonly [string, () => PlugDevice][] = [
  [
    'a strip',
    () => {
      const outlets = ['Left', 'Right'].map((alias) => ({ alias, loadW: 40 }));
      return new SimulatedStrip({ alias: 'Bench', mac: MAC, model: 'HS300(US)', outlets }, clock);
    },
  ],
  ['a bulb', () => new SimulatedBulb({ alias: 'Lamp', mac: MAC }, clock)],
];

/** Runs a command of `plug` on a device, and returns how it ended and what the device was asked. */
async function run(device: PlugDevice, words: readonly string[]) {
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: () => 0.5 });
  const queries: JsonObject[] = [];
  server.onQuery = (query) => queries.push(query);
  await server.start();
  const shell = new FakeShell();
  const code = await shell.run('plug', `127.0.0.1:${server.port}`, ...words);
  await server.stop();
  return { code, errors: shell.errors, queries };
}

const SWITCHING = [
  ['on'],
  ['off'],
  ['toggle'],
  ['led', 'off'],
  ['countdown', 'on', '30m'],
  ['countdown', 'off', '30m'],
  ['schedule', 'add', '07:30', 'on'],
];

describe.each(DEVICES)('a plug that is %s', (_, made) => {
  it.each(SWITCHING)('is not switched by %s %s %s', async (...words) => {
    const { code, errors, queries } = await run(made(), words.filter(Boolean));
    expect(errors).toContain('only plugs with one relay are switched');
    expect(code).toBe(1);
    expect(new Set(queries.map((query) => JSON.stringify(query)))).toEqual(
      new Set(['{"system":{"get_sysinfo":{}}}']),
    );
  });

  it('is still described', async () => {
    expect(await run(made(), ['info'])).toMatchObject({ code: 0, errors: '' });
  });
});
