import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlugRefusal, ProtocolError } from '../../src/errors.ts';
import { isObject, type JsonObject, parseObject } from '../../src/protocol/json.ts';
import {
  answerTo,
  readDays,
  readMac,
  readMeter,
  readMonths,
  readSysinfo,
  readTime,
} from '../../src/protocol/replies.ts';
import { FIXTURES, fixture } from '../support/fixtures.ts';
import { thrownBy } from '../support/thrown.ts';

const WITH_METER = FIXTURES.filter(({ reply }) => isObject(reply.emeter) && 'get_realtime' in reply.emeter);

/** What the meter of the named plug reads, from its own dialect. */
function meterOf(name: string) {
  return readMeter(answerTo(fixture(name), 'emeter', 'get_realtime'));
}

describe('the answer to a question', () => {
  it('is found by module and method', () => {
    expect(answerTo({ time: { get_time: { year: 2026, err_code: 0 } } }, 'time', 'get_time')).toMatchObject({
      year: 2026,
    });
  });

  it.each([
    ['at the module', { emeter: { err_code: -1, err_msg: 'module not support' } }, -1, 'emeter with'],
    [
      'at the method',
      { emeter: { get_realtime: { err_code: -1, err_msg: 'module not support' } } },
      -1,
      'emeter.get_realtime with',
    ],
    ['without words of its own', { emeter: { get_realtime: { err_code: -11 } } }, -11, 'clock is not set'],
    ['that nobody knows', { emeter: { get_realtime: { err_code: -4711 } } }, -4711, 'undocumented'],
    [
      'with words that are no text',
      { emeter: { err_code: -2, err_msg: 5 } },
      -2,
      'does not have that method',
    ],
  ])('may be a refusal %s, and says so in words', (_, reply, errCode, words) => {
    const error = thrownBy(() => answerTo(reply, 'emeter', 'get_realtime'));
    expect(error).toBeInstanceOf(PlugRefusal);
    expect(error).toMatchObject({ errCode, reason: 'plug-error' });
    expect(String(error)).toContain(words);
    expect(String(error)).toContain(`err_code ${errCode}`);
  });

  it.each([
    ['is of another module', { schedule: { get_next_action: { err_code: 0 } } }],
    ['is of another method', { emeter: { get_daystat: { err_code: 0 } } }],
    ['is an empty module', { emeter: {} }],
    ['is a module that went well without a method', { emeter: { err_code: 0 } }],
    ['is a list', { emeter: [] }],
    ['is null', { emeter: { get_realtime: null } }],
  ])('is missed when what came %s', (_, reply) => {
    expect(() => answerTo(reply, 'emeter', 'get_realtime')).toThrow(ProtocolError);
  });

  it('is not spoilt by the refusal of another module in the same reply', () => {
    const reply = fixture('HS100(EU)_1.0_1.0.8');
    expect(() => answerTo(reply, 'emeter', 'get_realtime')).toThrow(PlugRefusal);
    expect(() => answerTo(reply, 'schedule', 'get_next_action')).toThrow(/clock is not set/);
    expect(answerTo(reply, 'system', 'get_sysinfo')).toMatchObject({ alias: 'Depot' });
  });
});

describe('the description of a plug', () => {
  it.each(FIXTURES)('$name tells what it is', ({ name, reply }) => {
    const info = readSysinfo(answerTo(reply, 'system', 'get_sysinfo'));
    const [model, hardware, firmware] = name.split('_');
    expect(info).toMatchObject({
      model,
      hardware,
      hasMeter: name.startsWith('HS110') || name.startsWith('HS300'),
    });
    expect(info.firmware?.split(' ')[0]).toBe(firmware);
    expect(info.mac).toMatch(/^50:C7:BF:00:00:0\d$/);
    expect(info.alias).toBeTypeOf('string');
    expect(info.led).toBeTypeOf('boolean');
  });

  it.each(FIXTURES)('$name reads the same when its fields come in another order', ({ reply }) => {
    const answer = answerTo(reply, 'system', 'get_sysinfo');
    expect(readSysinfo(Object.fromEntries(Object.entries(answer).reverse()))).toEqual(readSysinfo(answer));
  });

  it.each([
    ['HS110(EU)_1.0_1.2.5', { relay: true, led: true, onTimeS: 731, rssi: -61, alias: 'Vitrine Süd' }],
    ['HS110(AU)_2.0_1.5.2', { relay: false, led: false, onTimeS: 0, rssi: -57, alias: 'Lantern 🏮' }],
    ['HS100(US)_1.0_1.2.5', { relay: true, rssi: undefined, hasMeter: false }],
    ['HS300(US)_1.0_1.0.6', { relay: undefined, onTimeS: undefined, hasMeter: true }],
  ])('%s reads as its owner sees it', (name, seen) => {
    expect(readSysinfo(answerTo(fixture(name), 'system', 'get_sysinfo'))).toMatchObject(seen);
  });

  it('leaves open what the plug did not say', () => {
    const info = readSysinfo({ err_code: 0 });
    const { kind, hasMeter, hasSensors, outlets, ...rest } = info;
    expect({ kind, hasMeter, hasSensors, outlets }).toEqual({
      kind: 'other',
      hasMeter: false,
      hasSensors: false,
      outlets: [],
    });
    expect(Object.values(rest).every((value) => value === undefined)).toBe(true);
  });

  it.each([
    ['plug', 'a plug', { relay_state: 1, type: 'IOT.SMARTPLUGSWITCH' }],
    ['plug', 'a dimmer for the wall', { relay_state: 0, brightness: 50, mic_type: 'IOT.SMARTPLUGSWITCH' }],
    ['strip', 'a strip', { children: [{ id: '00', state: 1 }], child_num: 1 }],
    ['strip', 'a strip that reports a relay too', { children: [], relay_state: 1 }],
    ['bulb', 'a bulb', { light_state: { on_off: 1 } }],
    ['bulb', 'a bulb by its type', { mic_type: 'IOT.SMARTBULB' }],
    ['bulb', 'a bulb by its older type', { type: 'IOT.SMARTBULB', relay_state: 1 }],
    ['other', 'something without a relay', { type: 'IOT.SMARTPLUGSWITCH' }],
    ['other', 'something whose relay is no number', { relay_state: 'on' }],
  ])('is that of a %s for %s', (kind, _, answer) => {
    expect(readSysinfo(answer).kind).toBe(kind);
  });

  it.each(FIXTURES)('$name is taken for what it is', ({ name, reply }) => {
    const kind = name.startsWith('HS300') ? 'strip' : 'plug';
    expect(readSysinfo(answerTo(reply, 'system', 'get_sysinfo')).kind).toBe(kind);
  });

  it.each([
    ['TIM:ENE', true],
    ['ENE', true],
    ['TIM', false],
    ['', false],
    ['TIM:GENERIC', false],
    [undefined, false],
    [5, false],
  ])('with the features %s has a meter: %s', (feature, hasMeter) => {
    expect(readSysinfo({ feature }).hasMeter).toBe(hasMeter);
  });

  it.each([2, -1, '1', true, null])('takes a relay_state of %j for not said', (relay_state) => {
    expect(readSysinfo({ relay_state }).relay).toBeUndefined();
  });

  it.each([
    ['50:C7:BF:00:00:0a', '50:C7:BF:00:00:0A'],
    ['50c7bf00000a', '50:C7:BF:00:00:0A'],
    ['50-C7-BF-00-00-0A', '50:C7:BF:00:00:0A'],
    ['50c7.bf00.000a', '50:C7:BF:00:00:0A'],
    ['501122334455', '50:11:22:33:44:55'],
    ['192.168.178.101', undefined],
    ['50-C7:BF-00:00-0A', undefined],
    ['50C7:BF00:000A', undefined],
    ['50c7.bf.00.000a', undefined],
    ['50:C7:BF:00:00', undefined],
    ['50:C7:BF:00:00:0G', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads the MAC %s as %s', (text, mac) => {
    expect(readMac(text)).toBe(mac);
  });

  it('finds the MAC of a bulb where bulbs have it', () => {
    expect(readSysinfo({ mic_mac: '50C7BF000009' }).mac).toBe('50:C7:BF:00:00:09');
  });
});

describe('the meter', () => {
  it('speaks W, V, A and kWh on hardware 1', () => {
    expect(meterOf('HS110(EU)_1.0_1.2.5')).toEqual({
      power: 38.204519,
      voltage: 229.410277,
      current: 0.181204,
      energy: 12.875,
    });
  });

  it('speaks mW, mV, mA and Wh on later hardware, which read as the same units', () => {
    expect(meterOf('HS110(UK)_2.1_1.5.10')).toEqual({
      power: 40.155,
      voltage: 243.12,
      current: 0.198,
      energy: 0.207,
    });
    expect(meterOf('HS110(UK)_4.1_1.0.4')).toEqual({
      power: 1.702,
      voltage: 250.931,
      current: 0.031,
      energy: 0.988,
    });
  });

  it('says 0 W where it says 0, in both dialects', () => {
    expect(meterOf('HS110(AU)_2.0_1.5.2')).toEqual({ power: 0, voltage: 241.876, current: 0, energy: 0 });
    expect(readMeter({ power: 0, voltage: 230, current: 0, total: 0 })).toEqual({
      power: 0,
      voltage: 230,
      current: 0,
      energy: 0,
    });
    expect(readMeter({ power: 0, power_mw: 5000 }).power).toBe(0);
  });

  it('is read by the keys that are there, each by itself', () => {
    expect(readMeter({ power_mw: 1500, voltage: 230 })).toEqual({
      power: 1.5,
      voltage: 230,
      current: undefined,
      energy: undefined,
    });
  });

  it.each(WITH_METER)('$name measures plausible values', ({ reply }) => {
    const meter = readMeter(answerTo(reply, 'emeter', 'get_realtime'));
    expect(meter.voltage).toBeGreaterThan(200);
    expect(meter.voltage).toBeLessThan(260);
    expect(meter.power).toBeGreaterThanOrEqual(0);
    expect(meter.energy).toBeGreaterThanOrEqual(0);
  });

  it.each([
    ['a current of 41 A', { current_ma: 41_124, power_mw: 9341, voltage_mv: 237_500 }, 'current'],
    ['a power of 100 kW', { power: 100_000.5, current: 0.2, voltage: 231 }, 'power'],
    ['a negative power', { power_mw: -1, current_ma: 3, voltage_mv: 230_000 }, 'power'],
    ['a voltage of 600 V', { voltage: 600, power: 1, current: 0.1 }, 'voltage'],
    ['a power that is a text', { power: '5', voltage: 230, current: 0 }, 'power'],
  ] as const)('takes %s for not said, and the rest as it is', (_, answer, key) => {
    const { energy, ...measured } = readMeter(answer);
    expect(energy).toBeUndefined();
    expect(measured[key]).toBeUndefined();
    expect(Object.values(measured).filter((value) => value === undefined)).toHaveLength(1);
  });

  it.each([
    ['power', 5000],
    ['voltage', 500],
    ['current', 25],
  ] as const)('believes a %s of %d, and nothing above', (key, most) => {
    expect(readMeter({ [key]: most })[key]).toBe(most);
    expect(readMeter({ [key]: most + 0.001 })[key]).toBeUndefined();
  });
});

describe('energy records', () => {
  it('are kWh in both dialects, in whatever order the plug keeps them', () => {
    const old = readDays(answerTo(fixture('HS110(EU)_1.0_1.2.5'), 'emeter', 'get_daystat'));
    expect(old.map(({ day, energy }) => [day, energy])).toEqual([
      [3, 0.412],
      [4, 0.398],
      [5, 0.401],
      [1, 0.377],
      [2, 0],
    ]);
    const recent = readMonths(answerTo(fixture('HS110(UK)_2.1_1.5.10'), 'emeter', 'get_monthstat'));
    expect(recent).toEqual([
      { year: 2026, month: 5, day: undefined, energy: 30.21 },
      { year: 2026, month: 6, day: undefined, energy: 29.008 },
      { year: 2026, month: 1, day: undefined, energy: 2.012 },
    ]);
  });

  it('may be none', () => {
    const reply = fixture('HS110(AU)_2.0_1.5.2');
    expect(readDays(answerTo(reply, 'emeter', 'get_daystat'))).toEqual([]);
    expect(readMonths(answerTo(reply, 'emeter', 'get_monthstat'))).toEqual([]);
    expect(readDays({ err_code: 0 })).toEqual([]);
  });

  it.each([
    ['no year', { month: 1, day: 1, energy: 1 }],
    ['no month', { year: 2026, day: 1, energy: 1 }],
    ['no energy', { year: 2026, month: 1, day: 1, time: 60 }],
    ['a negative energy', { year: 2026, month: 1, day: 1, energy: -1 }],
    ['a text for energy', { year: 2026, month: 1, day: 1, energy: '1' }],
    ['no day', { year: 2026, month: 1, energy: 1 }],
  ])('with %s are no days', (_, record) => {
    expect(readDays({ day_list: [record, { year: 2026, month: 1, day: 2, energy_wh: 7 }] })).toEqual([
      { year: 2026, month: 1, day: 2, energy: 0.007 },
    ]);
  });
});

describe("the plug's time", () => {
  const time = { year: 2026, month: 1, mday: 31, hour: 0, min: 5, sec: 59, err_code: 0 };

  it('is read part by part', () => {
    expect(readTime(time)).toEqual({ year: 2026, month: 1, day: 31, hour: 0, minute: 5, second: 59 });
  });

  it.each(['year', 'month', 'mday', 'hour', 'min', 'sec'])('is none without its %s', (key) => {
    expect(() => readTime({ ...time, [key]: undefined })).toThrow(new RegExp(`has no ${key}$`));
  });
});

describe('what no plug can mean', () => {
  /** Numbers of every size, near the bounds and far beyond them. */
  const numbers = fc.oneof(
    fc.integer({ min: -200, max: 6000 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(8.64e12, 8.64e12 + 1, 1e308, -1e308, 2 ** 53, 2 ** 31, -0.0001, 5e-324),
  );

  it('is not said: an on-time is one that a date can be counted back by', () => {
    fc.assert(
      fc.property(numbers, (on_time) => {
        const { onTimeS } = readSysinfo({ on_time });
        if (onTimeS === undefined) return;
        expect(onTimeS).toBeGreaterThanOrEqual(0);
        expect(() => new Date(Date.UTC(2026, 0) - 1000 * onTimeS).toISOString()).not.toThrow();
      }),
    );
    expect(readSysinfo({ on_time: 10 * 365 * 86_400 }).onTimeS).toBe(315_360_000);
    expect(readSysinfo({ on_time: -32_407 }).onTimeS).toBeUndefined();
  });

  it('is not said: the strength of the Wi-Fi is in dBm', () => {
    fc.assert(
      fc.property(numbers, (rssi) => {
        const inRange = rssi >= -127 && rssi <= 0;
        expect(readSysinfo({ rssi }).rssi).toBe(inRange ? rssi : undefined);
      }),
    );
  });

  it('is not said: an energy is what the meter can have counted', () => {
    fc.assert(
      fc.property(numbers, fc.boolean(), (energy, inThousandths) => {
        const total = readMeter(inThousandths ? { total_wh: energy } : { total: energy }).energy;
        if (total !== undefined) expect(total >= 0 && total < 3e6).toBe(true);
        const date = { year: 2026, month: 1, day: 1 };
        const said = { ...date, ...(inThousandths ? { energy_wh: energy } : { energy }) };
        for (const day of readDays({ day_list: [said] }))
          expect(day.energy >= 0 && day.energy <= 120).toBe(true);
        for (const month of readMonths({ month_list: [said] }))
          expect(month.energy >= 0 && month.energy <= 3720).toBe(true);
      }),
    );
  });

  it('is not said: a record is of a day that there is', () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, (year, month, day) => {
        for (const record of readDays({ day_list: [{ year, month, day, energy: 1 }] })) {
          expect(record.year >= 1970 && record.year <= 2099).toBe(true);
          expect(record.month >= 1 && record.month <= 12).toBe(true);
          expect([record.year, record.month, record.day].every(Number.isInteger)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['year', 1969, 1970, 2099, 2100],
    ['month', 0, 1, 12, 13],
    ['mday', 0, 1, 31, 32],
    ['hour', -1, 0, 23, 24],
    ['min', -1, 0, 59, 60],
    ['sec', -1, 0, 60, 61],
  ])('is no time: the %s', (key, below, least, most, above) => {
    const time = { year: 2026, month: 1, mday: 31, hour: 0, min: 5, sec: 59 };
    for (const value of [least, most]) expect(() => readTime({ ...time, [key]: value })).not.toThrow();
    for (const value of [below, above, least + 0.5, 1e300])
      expect(() => readTime({ ...time, [key]: value })).toThrow(new RegExp(`has no ${key}$`));
  });

  it.each(['alias', 'model', 'hw_ver', 'sw_ver'])('is cut: a long %s, between characters', (key) => {
    const { alias, model, hardware, firmware } = readSysinfo({ [key]: '🏮'.repeat(20_000) });
    expect(alias ?? model ?? hardware ?? firmware).toBe('🏮'.repeat(100));
  });

  it('is cut: the words of a refusal', () => {
    const reply = { emeter: { err_code: -1, err_msg: 'x'.repeat(60_000) } };
    expect(String(thrownBy(() => answerTo(reply, 'emeter', 'get_realtime'))).length).toBeLessThan(300);
  });
});

describe('no reader', () => {
  const keys = fc.constantFrom(
    ...['system', 'get_sysinfo', 'emeter', 'get_realtime', 'day_list', 'month_list', 'err_code', 'err_msg'],
    ...[
      'feature',
      'mac',
      'relay_state',
      'led_off',
      'power',
      'power_mw',
      'total_wh',
      'year',
      'month',
      'day',
      'energy',
    ],
    ...['__proto__', 'constructor', 'toString'],
  );
  const values = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.jsonValue({ maxDepth: 0 }),
      fc.constantFrom(0, 1, -1, ''),
      tie('object'),
      fc.array(tie('object'), { maxLength: 3 }),
    ),
    object: fc.dictionary(keys, tie('any'), { maxKeys: 5 }),
  }));

  const readers: readonly (readonly [string, (object: JsonObject) => unknown])[] = [
    ['answerTo', (object) => answerTo(object, 'system', 'get_sysinfo')],
    ['readSysinfo', readSysinfo],
    ['readMeter', readMeter],
    ['readDays', readDays],
    ['readMonths', readMonths],
    ['readTime', readTime],
  ];

  it.each(readers)('throws anything but the typed errors on arbitrary JSON: %s', (_, read) => {
    fc.assert(
      fc.property(values.object, (object) => {
        try {
          read(parseObject(JSON.stringify(object)));
        } catch (error) {
          if (!(error instanceof ProtocolError) && !(error instanceof PlugRefusal)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
