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

function strip(): SimulatedStrip {
  const outlets = ['Left', 'Right'].map((alias) => ({ alias, loadW: 40 }));
  return new SimulatedStrip({ alias: 'Bench', mac: MAC, model: 'HS300(US)', outlets }, clock);
}

/** Runs a command of `plug` on a device, and returns how it ended and what the device was asked. */
async function run(device: PlugDevice, words: readonly string[]) {
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: () => 0.5 });
  const queries: JsonObject[] = [];
  server.onQuery = (query) => queries.push(query);
  await server.start();
  const shell = new FakeShell();
  const code = await shell.run('plug', `127.0.0.1:${server.port}`, ...words);
  await server.stop();
  return { code, printed: shell.output, errors: shell.errors, queries };
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

describe('a plug that is a strip', () => {
  it.each(SWITCHING)('is not switched by %s %s %s', async (...words) => {
    const { code, errors, queries } = await run(strip(), words.filter(Boolean));
    expect(errors).toContain('only plugs, outlets of strips, and bulbs are switched');
    expect(code).toBe(1);
    expect(new Set(queries.map((query) => JSON.stringify(query)))).toEqual(
      new Set(['{"system":{"get_sysinfo":{}}}']),
    );
  });

  it('is still described', async () => {
    expect(await run(strip(), ['info'])).toMatchObject({ code: 0, errors: '' });
  });

  it('says how one of its outlets is named when none was', async () => {
    const { errors } = await run(strip(), ['off']);
    expect(errors).toContain('\nName the outlet: --outlet 2, or by its name in the Kasa app.');
  });

  it.each(['2', 'Right'])('switches the outlet %s and no other', async (outlet) => {
    const device = strip();
    expect(await run(device, ['on', '--outlet', outlet])).toMatchObject({
      code: 0,
      printed: expect.stringMatching(/^Right reports ON, (39|40)[.\d]* W, /),
    });
    expect(device.relays).toEqual([false, true]);
    expect(await run(device, ['toggle', '--outlet', outlet])).toMatchObject({ code: 0 });
    expect(device.relays).toEqual([false, false]);
  });

  it('tells of an outlet what it tells of a plug', async () => {
    const device = strip();
    await run(device, ['on', '--outlet', 'Left']);
    const info = await run(device, ['info', '--outlet', '1', '--json']);
    expect(JSON.parse(info.printed)).toMatchObject({ alias: 'Left', state: 'ON', model: 'HS300(US)' });
    const { power } = JSON.parse((await run(device, ['energy', '--outlet', '1', '--json'])).printed);
    expect(power).toBeCloseTo(40, -1);
    for (const words of [['day'], ['month'], ['countdown', 'off', '30m'], ['schedule'], ['alias', 'Lamp']])
      expect(await run(device, [...words, '--outlet', '1']), words.join(' ')).toMatchObject({
        code: 0,
        errors: '',
      });
    expect((await run(device, ['alias', 'Spot', '--outlet', 'Lamp'])).printed).toBe('alias  Spot');
  });

  it('names its outlets when there is none of that name', async () => {
    const { code, errors } = await run(strip(), ['off', '--outlet', '3']);
    expect([code, errors]).toEqual([2, 'hs110-mqtt: there is no outlet "3"; there are 1 (Left), 2 (Right)']);
  });
});

describe('--outlet', () => {
  it.each([
    [['off', '--outlet', '1'], '--outlet is for strips only: this device has one relay'],
    [['send', '{"system":{"get_sysinfo":{}}}', '--outlet', '1'], '--outlet does not go with send'],
  ])('is refused where it means nothing: %j', async (words, why) => {
    const { code, errors } = await run(new SimulatedBulb({ alias: 'Lamp', mac: MAC }, clock), words);
    expect([code, errors]).toEqual([2, `hs110-mqtt: ${why}`]);
  });
});

describe('a plug that is a bulb', () => {
  it('is switched and described', async () => {
    const bulb = new SimulatedBulb({ alias: 'Lamp', mac: MAC }, clock);
    expect(await run(bulb, ['on'])).toMatchObject({ code: 0, errors: '' });
    expect(bulb.on).toBe(true);
    expect(await run(bulb, ['toggle'])).toMatchObject({ code: 0, errors: '' });
    expect(bulb.on).toBe(false);
    expect(await run(bulb, ['info'])).toMatchObject({ code: 0, errors: '' });
  });

  it('is dimmed, its white is set, and it says how it is then', async () => {
    const bulb = new SimulatedBulb({ alias: 'Lamp', mac: MAC }, clock);
    expect(await run(bulb, ['brightness', '40'])).toMatchObject({
      code: 0,
      printed: 'Lamp reports ON, 40 %, 2700 K, 5.8 W',
    });
    expect(await run(bulb, ['temperature', '4000'])).toMatchObject({
      code: 0,
      printed: 'Lamp reports ON, 40 %, 4000 K, 5.8 W',
    });
    expect([bulb.on, bulb.brightness, bulb.colorTemp]).toEqual([true, 40, 4000]);
  });

  it('tells what it uses and what its clock shows, in modules that have other names there', async () => {
    const bulb = new SimulatedBulb({ alias: 'Lamp', mac: MAC, on: true }, clock);
    const { code, printed, queries } = await run(bulb, ['energy', '--json']);
    expect([code, JSON.parse(printed)]).toEqual([
      0,
      { power: 5.8, voltage: null, current: null, energy: null },
    ]);
    expect(queries).toEqual([
      { emeter: { get_realtime: {} } },
      { 'smartlife.iot.common.emeter': { get_realtime: {} } },
    ]);
    for (const command of ['day', 'month', 'time', 'cloudinfo'])
      expect(await run(bulb, [command]), command).toMatchObject({ code: 0, errors: '' });
  });

  it.each([
    [['temperature', '9500'], 'its colour temperature is between 2500 and 9000 K'],
    [['led', 'off'], 'it has no LED to be set'],
    [['countdown', 'on', '30m'], 'count_down'],
  ])('says what it cannot do: %j', async (words, why) => {
    const { code, errors } = await run(new SimulatedBulb({ alias: 'Lamp', mac: MAC }, clock), words);
    expect(errors).toContain(why);
    expect(code).toBe(1);
  });
});
