import { describe, expect, it } from 'vitest';
import { PlugError } from '../../src/errors.ts';
import { presetOf } from '../../src/plug/presets/presets.ts';
import { readQuery } from '../../src/plug/query.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { thrownBy } from '../support/thrown.ts';

const DATE = Date.parse('2026-03-01T12:00:00Z');

/** What the preset reads in a reply. */
function read(
  name: string,
  reply: JsonObject,
  given: readonly string[] = [],
  before: JsonObject = {},
): JsonObject {
  const preset = presetOf(name);
  if (preset === undefined) throw new Error(`there is no preset ${name}`);
  return preset.plan(given, { date: DATE, timeZone: 'Europe/Berlin', before }).read(reply);
}

describe('the presets read answers of real plugs', () => {
  it('sums up days that come unsorted and twice, in either unit', () => {
    const days = [
      { year: 2021, month: 4, day: 23, energy: 0.016 },
      { year: 2021, month: 4, day: 22, energy_wh: 1201 },
      { year: 2021, month: 4, day: 23, energy: 0.02 },
    ];
    expect(read('day', { emeter: { get_daystat: { day_list: days, err_code: 0 } } }, ['2021', '4'])).toEqual({
      days: [
        { date: '2021-04-22', energy: 1.201 },
        { date: '2021-04-23', energy: 0.02 },
      ],
      total: 1.221,
    });
  });

  it('takes the month from the clock of the plug, not from that of this machine', () => {
    const before = {
      time: { get_time: { year: 2024, month: 2, mday: 29, hour: 0, min: 0, sec: 0, err_code: 0 } },
    };
    const { query } = presetOf('day')?.plan([], { date: DATE, timeZone: 'UTC', before }) ?? {};
    expect(query).toEqual({ emeter: { get_daystat: { year: 2024, month: 2 } } });
  });

  it('says that hardware 1 has not taken the time, although it says that it has', () => {
    const reply = {
      time: {
        set_timezone: { err_code: 0 },
        get_time: { year: 2000, month: 1, mday: 1, hour: 0, min: 3, sec: 0, err_code: 0 },
        get_timezone: { index: 41, err_code: 0 },
      },
    };
    const error = thrownBy(() => read('set-time', reply));
    expect(error).toBeInstanceOf(PlugError);
    expect(error).toHaveProperty(
      'message',
      'the plug accepted the time but shows 2000-01-01 00:03:00: its hardware takes the time from the Internet only',
    );
  });

  it('reads what the schedule does next, by either name of the time', () => {
    const rules = { get_rules: { rule_list: [], version: 2, enable: 1, err_code: 0 } };
    const next = (answer: JsonObject) =>
      read('schedule', { schedule: { ...rules, get_next_action: { ...answer, err_code: 0 } } }).next;
    expect(next({ type: 1, id: 'A', schd_sec: 27_000, action: 1 })).toEqual({ time: '07:30', action: 'ON' });
    expect(next({ type: 1, id: 'A', schd_time: 86_340, action: 0 })).toEqual({
      time: '23:59',
      action: 'OFF',
    });
    expect(next({ type: -1 })).toBeNull();
  });

  it('reads rules of the away mode, which have an end, and rules that follow the sun', () => {
    const rule = { name: 'holidays', enable: 0, wday: [1, 0, 0, 0, 0, 0, 1], repeat: 1, sact: 1 };
    const rules = [
      { ...rule, id: 'A', stime_opt: 0, smin: 1200, etime_opt: 0, emin: 1380 },
      { ...rule, id: 'B', stime_opt: 1, smin: 0, soffset: -15, etime_opt: -1 },
    ];
    const data = read('antitheft', {
      anti_theft: { get_rules: { rule_list: rules, enable: 0, err_code: 0 } },
    });
    expect(data).toMatchObject({
      enabled: false,
      rules: [
        { time: '20:00', until: '23:00', days: 'sun,sat', enabled: false, name: 'holidays' },
        { time: 'sunrise -15 min', id: 'B' },
      ],
    });
  });

  it('sorts networks by strength where the plug says it', () => {
    const networks = [
      { ssid: 'far', key_type: 2, rssi: -80 },
      { ssid: 'near', key_type: 9, rssi: -40 },
      { ssid: 'mute' },
    ];
    expect(read('wlanscan', { netif: { get_scaninfo: { ap_list: networks, err_code: 0 } } })).toEqual({
      networks: [
        { ssid: 'near', security: null, rssi: -40 },
        { ssid: 'far', security: 'wpa', rssi: -80 },
        { ssid: 'mute', security: null, rssi: null },
      ],
    });
  });
});

describe('a question in JSON', () => {
  it('is sent as it was understood', () => {
    const { text, query } = readQuery(
      ' {"system" : {"get_sysinfo":null}, "system":{"set_led_off":{"off":1}}} ',
    );
    expect(text).toBe('{"system":{"set_led_off":{"off":1}}}');
    expect(query).toEqual({ system: { set_led_off: { off: 1 } } });
  });

  it('may hold names that mean something to JavaScript', () => {
    expect(readQuery('{"__proto__":{"constructor":{}}}').text).toBe('{"__proto__":{"constructor":{}}}');
  });
});
