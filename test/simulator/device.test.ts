import { describe, expect, it } from 'vitest';
import {
  answerTo,
  readDays,
  readMeter,
  readMonths,
  readSysinfo,
  readTime,
} from '../../src/protocol/replies.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import { FIXTURES } from '../support/fixtures.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function plug(options: Partial<SimulatedDevice['options']> = {}): {
  device: SimulatedDevice;
  clock: ManualClock;
} {
  const clock = new ManualClock();
  const own = { alias: 'Loom', mac: '50:C7:BF:00:00:01', hardware: '2.0', loadW: 100, ...options } as const;
  return { device: new SimulatedDevice(own, clock), clock };
}

function sysinfoOf(device: SimulatedDevice) {
  return readSysinfo(answerTo(device.answer({ system: { get_sysinfo: {} } }), 'system', 'get_sysinfo'));
}

function meterOf(device: SimulatedDevice) {
  return readMeter(answerTo(device.answer({ emeter: { get_realtime: {} } }), 'emeter', 'get_realtime'));
}

/** Energy by day and by month of January 2026, in kWh. */
function statisticsOf(device: SimulatedDevice) {
  const reply = device.answer({
    emeter: { get_daystat: { year: 2026, month: 1 }, get_monthstat: { year: 2026 } },
  });
  return {
    days: readDays(answerTo(reply, 'emeter', 'get_daystat')),
    months: readMonths(answerTo(reply, 'emeter', 'get_monthstat')),
  };
}

const BOTH = ['1.0', '2.0'] as const;
const MIDNIGHT = { year: 2026, month: 1, mday: 1, hour: 0, min: 0, sec: 0 };

describe('a simulated plug answers', () => {
  it('the modules and methods in the order in which it was asked', () => {
    const { device } = plug();
    const reply = device.answer({ emeter: { get_realtime: {} }, nonsense: {}, system: { get_sysinfo: {} } });
    expect(Object.keys(reply)).toEqual(['emeter', 'nonsense', 'system']);
    const both = device.answer({
      system: { set_led_off: { off: 1 }, set_relay_state: { state: 1 }, get_sysinfo: {} },
    });
    expect(JSON.stringify(both)).toMatch(
      /^\{"system":\{"set_led_off":\{"err_code":0\},"set_relay_state":\{"err_code":0\},"get_sysinfo"/,
    );
    expect(both.system).toMatchObject({ get_sysinfo: { relay_state: 1, led_off: 1 } });
  });

  it.each([
    [
      'an unknown module',
      { nonsense: { get: {} } },
      { nonsense: { get: { err_code: -1, err_msg: 'module not support' } } },
    ],
    [
      'a name that every object has',
      { constructor: { name: {} } },
      { constructor: { name: { err_code: -1 } } },
    ],
    [
      'an unknown method',
      { system: { get: {} } },
      { system: { get: { err_code: -2, err_msg: 'member not support' } } },
    ],
    [
      'a method that every object has',
      { system: { toString: {} } },
      { system: { toString: { err_code: -2 } } },
    ],
    [
      'a relay that is neither on nor off',
      { system: { set_relay_state: { state: 2 } } },
      { system: { set_relay_state: { err_code: -3 } } },
    ],
    [
      'a relay without a state',
      { system: { set_relay_state: {} } },
      { system: { set_relay_state: { err_code: -3 } } },
    ],
    ['no argument at all', { system: { set_led_off: null } }, { system: { set_led_off: { err_code: -3 } } }],
    [
      'a name that is none',
      { system: { set_dev_alias: { alias: 5 } } },
      { system: { set_dev_alias: { err_code: -3 } } },
    ],
    [
      'a time zone without a time',
      { time: { set_timezone: { index: 13 } } },
      { time: { set_timezone: { err_code: -3 } } },
    ],
    ['leaving a cloud it is not in', { cnCloud: { unbind: {} } }, { cnCloud: { unbind: { err_code: -8 } } }],
    [
      'a rule that is not there',
      { schedule: { delete_rule: { id: 'X' } } },
      { schedule: { delete_rule: { err_code: -14 } } },
    ],
    [
      'a countdown without a delay',
      { count_down: { add_rule: { act: 1 } } },
      { count_down: { add_rule: { err_code: -3 } } },
    ],
    ['nothing', {}, {}],
    ['a context', { context: { source: 'x' } }, {}],
  ])('%s as the firmware does', (_, query, reply) => {
    expect(plug().device.answer(query)).toMatchObject(reply);
  });

  it('of a meter it does not have that it does not have one', () => {
    const { device } = plug({ model: 'HS100(EU)' });
    expect(device.answer({ emeter: { get_realtime: {} } })).toEqual({
      emeter: { get_realtime: { err_code: -1, err_msg: 'module not support' } },
    });
    expect(sysinfoOf(device).hasMeter).toBe(false);
  });

  it('of an unknown module once on hardware 1, for each method on hardware 2', () => {
    const query = { nonsense: { get: {}, set: {} } };
    const refusal = { err_code: -1, err_msg: 'module not support' };
    expect(plug({ hardware: '1.0' }).device.answer(query)).toEqual({ nonsense: refusal });
    expect(plug().device.answer(query)).toEqual({ nonsense: { get: refusal, set: refusal } });
  });

  it.each([
    ['system', 'get_dev_icon', {}, { icon: '', hash: '', err_code: 0 }],
    ['system', 'set_dev_icon', { icon: 'aWNvbg==', hash: 'H' }, { err_code: 0 }],
    ['system', 'set_dev_icon', { icon: 'aWNvbg==' }, { err_code: -3 }],
    ['system', 'set_dev_location', { latitude_i: 520_000, longitude_i: 134_000 }, { err_code: 0 }],
    ['system', 'set_dev_location', { latitude: 52 }, { err_code: -3 }],
    ['system', 'set_mac_addr', { mac: '50:C7:BF:00:00:02' }, { err_code: 0 }],
    ['system', 'set_device_id', {}, { err_code: -3 }],
    ['system', 'set_hw_id', { hwId: '1'.repeat(32) }, { err_code: 0 }],
    ['system', 'reboot', {}, { err_code: -3 }],
    ['system', 'reset', { delay: 'now' }, { err_code: -3 }],
    ['system', 'download_firmware', {}, { err_code: -3 }],
    ['system', 'flash_firmware', {}, { err_code: -5, err_msg: 'not enough memory' }],
    ['system', 'get_download_state', {}, { status: 0, ratio: 0, err_code: 0 }],
    ['system', 'check_new_config', {}, { err_code: 0 }],
    ['system', 'test_check_uboot', {}, { err_code: 0 }],
    ['system', 'set_test_mode', { enable: 1 }, { err_code: 0 }],
    ['netif', 'get_stainfo', {}, { ssid: 'museum', key_type: 3, err_code: 0 }],
    ['cnCloud', 'get_intl_fw_list', {}, { fw_list: [], err_code: 0 }],
    [
      'cnCloud',
      'bind',
      { username: 'a@example.com', password: 'x' },
      { err_code: -21, err_msg: 'can not connect to the server' },
    ],
    ['cnCloud', 'bind', { username: 'a@example.com' }, { err_code: -3 }],
    ['emeter', 'get_vgain_igain', {}, { vgain: 13_290, igain: 16_887, err_code: 0 }],
    ['emeter', 'set_vgain_igain', { vgain: 1 }, { err_code: -3 }],
    ['emeter', 'start_calibration', { vtarget: 230, itarget: 1 }, { err_code: 0 }],
    ['time', 'set_timezone', { index: 110, ...MIDNIGHT }, { err_code: -3 }],
    ['time', 'set_timezone', { index: -1, ...MIDNIGHT }, { err_code: -3 }],
    ['time', 'set_timezone', { index: 1.5, ...MIDNIGHT }, { err_code: -3 }],
    ['time', 'set_timezone', { index: 109, ...MIDNIGHT }, { err_code: 0 }],
    ['schedule', 'edit_rule', { name: 'no id' }, { err_code: -3 }],
    ['schedule', 'delete_rule', {}, { err_code: -3 }],
    ['schedule', 'set_overall_enable', { enable: 'yes' }, { err_code: -3 }],
    ['anti_theft', 'get_next_action', {}, { err_code: -2 }],
    ['count_down', 'delete_rule', { id: 'X' }, { err_code: -14 }],
    ['count_down', 'edit_rule', { id: 'X' }, { err_code: -14 }],
  ])('to %s.%s as the firmware does (%j)', (module, method, argument, answer) => {
    expect(plug().device.answer({ [module]: { [method]: argument } })).toMatchObject({
      [module]: { [method]: answer },
    });
  });

  it('differently where hardware 1 is older', () => {
    const { device } = plug({ hardware: '1.0' });
    expect(device.answer({ system: { get_download_state: {} }, netif: { get_stainfo: {} } })).toEqual({
      system: { get_download_state: { err_code: -7, err_msg: 'unknown error' } },
      netif: { get_stainfo: { err_code: -2, err_msg: 'member not support' } },
    });
  });

  it.each(BOTH)('what it was told to be, on hardware %s', (hardware) => {
    const { device } = plug({ hardware });
    device.answer({
      system: {
        set_dev_location: { latitude: 52.5, longitude: -13.4 },
        set_dev_icon: { icon: 'aWNvbg==', hash: 'H' },
      },
    });
    const answer = answerTo(device.answer({ system: { get_sysinfo: {} } }), 'system', 'get_sysinfo');
    expect(answer).toMatchObject(
      hardware === '1.0'
        ? { latitude: 52.5, longitude: -13.4, icon_hash: 'H' }
        : { latitude_i: 525_000, longitude_i: -134_000, icon_hash: 'H' },
    );
  });

  it.each(BOTH)('its description in the shape of real plugs of hardware %s', (hardware) => {
    const { device } = plug({ hardware });
    const answer = answerTo(device.answer({ system: { get_sysinfo: {} } }), 'system', 'get_sysinfo');
    const real = FIXTURES.map(({ reply }) => answerTo(reply, 'system', 'get_sysinfo')).filter(
      ({ hw_ver }) => typeof hw_ver === 'string' && hw_ver.startsWith(hardware.slice(0, 2)),
    );
    expect(real.length).toBeGreaterThan(0);
    const known = new Set(real.flatMap((one) => Object.keys(one)));
    expect(Object.keys(answer).filter((key) => !known.has(key))).toEqual([]);
    // Hardware 1 says that all went well first, later hardware says it last.
    expect(Object.keys(answer).at(hardware === '1.0' ? 0 : -1)).toBe('err_code');
  });

  it('with errors of a module that a test breaks', () => {
    const { device } = plug();
    device.broken.set('emeter', -7);
    expect(device.answer({ emeter: { get_realtime: {} }, time: { get_time: {} } })).toMatchObject({
      emeter: { err_code: -7 },
      time: { get_time: { err_code: 0 } },
    });
  });
});

describe('the relay of a simulated plug', () => {
  it('counts how long it has been on, and only while it is on', async () => {
    const { device, clock } = plug();
    await clock.advance(5000);
    expect(sysinfoOf(device)).toMatchObject({ relay: false, onTimeS: 0 });
    device.press();
    await clock.advance(61_500);
    expect(sysinfoOf(device)).toMatchObject({ relay: true, onTimeS: 61 });
    device.answer({ system: { set_relay_state: { state: 1 } } });
    expect(sysinfoOf(device).onTimeS).toBe(61);
    device.answer({ system: { set_relay_state: { state: 0 } } });
    expect(sysinfoOf(device)).toMatchObject({ relay: false, onTimeS: 0 });
  });

  it('may be stuck while it accepts commands, or not be reported', () => {
    const { device } = plug();
    device.stuck = true;
    expect(device.answer({ system: { set_relay_state: { state: 1 } } })).toEqual({
      system: { set_relay_state: { err_code: 0 } },
    });
    expect(sysinfoOf(device).relay).toBe(false);
    device.hideRelay = true;
    expect(sysinfoOf(device).relay).toBeUndefined();
  });
});

describe('the meter of a simulated plug', () => {
  it.each(BOTH)('adds up on hardware %s what the lamp uses while it is on', async (hardware) => {
    const { device, clock } = plug({ hardware, on: true });
    await clock.advance(3 * HOUR_MS);
    expect(meterOf(device).energy).toBeCloseTo(0.3, 9);
    device.press();
    await clock.advance(5 * HOUR_MS);
    expect(meterOf(device)).toMatchObject({ power: 0, current: 0 });
    expect(meterOf(device).energy).toBeCloseTo(0.3, 9);
    device.press();
    await clock.advance(HOUR_MS / 2);
    expect(meterOf(device).energy).toBeCloseTo(0.35, 9);
  });

  it('speaks the dialect of its hardware', () => {
    const keys = (hardware: '1.0' | '2.0') =>
      Object.keys(
        answerTo(
          plug({ hardware }).device.answer({ emeter: { get_realtime: {} } }),
          'emeter',
          'get_realtime',
        ),
      );
    expect(keys('1.0')).toEqual(['current', 'voltage', 'power', 'total', 'err_code']);
    expect(keys('2.0')).toEqual(['voltage_mv', 'current_ma', 'power_mw', 'total_wh', 'err_code']);
  });

  it('tells no more than six decimals on hardware 1.0', async () => {
    const { device, clock } = plug({ hardware: '1.0', on: true });
    await clock.advance(1234);
    const { current, voltage, power, total } = answerTo(
      device.answer({ emeter: { get_realtime: {} } }),
      'emeter',
      'get_realtime',
    );
    for (const value of [current, voltage, power, total]) expect(String(value)).toMatch(/^\d+(\.\d{1,6})?$/);
  });

  it.each(BOTH)('books energy on hardware %s by day and by month', async (hardware) => {
    const { device, clock } = plug({ hardware, on: true });
    await clock.advance(36 * HOUR_MS);
    const { days, months } = statisticsOf(device);
    expect(days).toMatchObject([
      { day: 1, energy: expect.closeTo(1.2, 9) },
      { day: 2, energy: expect.closeTo(2.4, 9) },
    ]);
    expect(months).toEqual([{ year: 2026, month: 1, day: undefined, energy: expect.closeTo(3.6, 9) }]);
    const other = device.answer({ emeter: { get_daystat: { year: 2026, month: 2 } } });
    expect(readDays(answerTo(other, 'emeter', 'get_daystat'))).toEqual([]);
  });

  it('starts anew when the plug restarts, while the days are kept', async () => {
    const { device, clock } = plug({ on: true });
    let reboots = 0;
    device.onReboot = () => reboots++;
    await clock.advance(HOUR_MS);
    device.answer({ system: { reboot: { delay: 1 } } });
    expect(reboots).toBe(1);
    expect(meterOf(device).energy).toBe(0);
    expect(sysinfoOf(device)).toMatchObject({ relay: true, onTimeS: 0 });
    expect(statisticsOf(device).days).toMatchObject([{ day: 1, energy: 0.1 }]);
  });

  it('forgets its days when it is told to', async () => {
    const { device, clock } = plug({ on: true });
    await clock.advance(HOUR_MS);
    device.answer({ emeter: { erase_emeter_stat: {} } });
    expect(statisticsOf(device).days.every(({ energy }) => energy === 0)).toBe(true);
    expect(meterOf(device).energy).toBe(0);
  });
});

describe('the run time of a simulated plug', () => {
  const asked = {
    schedule: { get_daystat: { year: 2026, month: 1 }, get_monthstat: { year: 2026 }, get_realtime: {} },
  };

  it('is told in minutes, by day and by month, and counts only while the relay is on', async () => {
    const { device, clock } = plug({ on: true });
    await clock.advance(90 * 60_000);
    device.press();
    await clock.advance(HOUR_MS);
    const { year, month, day } = { year: 2026, month: 1, day: 1 };
    expect(device.answer(asked)).toEqual({
      schedule: {
        get_daystat: { day_list: [{ year, month, day, time: 90 }], err_code: 0 },
        get_monthstat: { month_list: [{ year, month, time: 90 }], err_code: 0 },
        get_realtime: { err_code: -2, err_msg: 'member not support' },
      },
    });
  });

  it('is forgotten when the plug is told to', async () => {
    const { device, clock } = plug({ on: true });
    await clock.advance(HOUR_MS);
    expect(device.answer({ schedule: { erase_runtime_stat: {}, ...asked.schedule } })).toMatchObject({
      schedule: { erase_runtime_stat: { err_code: 0 }, get_monthstat: { month_list: [] } },
    });
  });
});

describe('the clock of a simulated plug', () => {
  const EVENING = { year: 2026, month: 7, mday: 4, hour: 23, min: 59, sec: 30 };

  it('is set without its zone on hardware 2; hardware 1 says yes and keeps its time', () => {
    const timeAfter = (hardware: '1.0' | '2.0') =>
      plug({ hardware }).device.answer({ time: { set_time: EVENING, get_time: {}, get_timezone: {} } });
    const said = { set_time: { err_code: 0 }, get_timezone: { index: 39 } };
    expect(timeAfter('2.0')).toMatchObject({ time: { ...said, get_time: EVENING } });
    expect(timeAfter('1.0')).toMatchObject({
      time: { ...said, get_time: { year: 2026, month: 1, mday: 1 } },
    });
  });

  it('takes the zone and not the time on hardware 1', () => {
    const { device } = plug({ hardware: '1.0' });
    const asked = { set_timezone: { index: 41, ...EVENING }, get_time: {}, get_timezone: {} };
    expect(device.answer({ time: asked })).toMatchObject({
      time: {
        set_timezone: { err_code: 0 },
        // Berlin is an hour ahead of London, where it was before.
        get_time: { year: 2026, month: 1, mday: 1, hour: 13 },
        get_timezone: { index: 41 },
      },
    });
  });

  it('follows the summer time of its zone', async () => {
    const { device, clock } = plug();
    device.answer({
      time: { set_timezone: { index: 41, year: 2026, month: 3, mday: 29, hour: 1, min: 59, sec: 0 } },
    });
    await clock.advance(60_000);
    expect(device.answer({ time: { get_time: {} } })).toMatchObject({
      time: { get_time: { mday: 29, hour: 3, min: 0 } },
    });
  });

  it('is not set to half a time', () => {
    const { device } = plug();
    expect(device.answer({ time: { set_time: { year: 2026, month: 7 } } })).toMatchObject({
      time: { set_time: { err_code: -3 } },
    });
  });

  it('shows local time and is set together with its zone', async () => {
    const { device, clock } = plug();
    const set = { index: 13, ...EVENING };
    expect(device.answer({ time: { set_timezone: set } })).toMatchObject({
      time: { set_timezone: { err_code: 0 } },
    });
    await clock.advance(60_000);
    const reply = device.answer({ time: { get_time: {}, get_timezone: {} } });
    expect(readTime(answerTo(reply, 'time', 'get_time'))).toEqual({
      year: 2026,
      month: 7,
      day: 5,
      hour: 0,
      minute: 0,
      second: 30,
    });
    expect(reply).toMatchObject({ time: { get_timezone: { index: 13 } } });
  });

  it.each([
    { schedule: { get_next_action: {} } },
    { schedule: { get_rules: {} } },
    { anti_theft: { get_rules: {} } },
    { schedule: { add_rule: {} } },
    { schedule: { delete_all_rules: {} } },
    { schedule: { set_overall_enable: { enable: 1 } } },
    { count_down: { get_rules: {} } },
    { count_down: { add_rule: { enable: 1, delay: 1, act: 1, name: 'n' } } },
    { count_down: { delete_all_rules: {} } },
  ])('that is not set makes %o fail with -11', (query) => {
    const { device } = plug();
    expect(JSON.stringify(device.answer(query))).toContain('"err_code":0');
    device.setClock(undefined);
    expect(JSON.stringify(device.answer(query))).toContain('"err_code":-11,"err_msg":"time not sync"');
  });

  it('that is not set books nothing by day, while the meter goes on', async () => {
    const { device, clock } = plug({ on: true });
    device.setClock(undefined);
    await clock.advance(DAY_MS);
    expect(meterOf(device).energy).toBeCloseTo(2.4, 9);
    expect(statisticsOf(device)).toEqual({ days: [], months: [] });
  });
});

describe('the countdown of a simulated plug', () => {
  const rule = { enable: 1, delay: 90, act: 1, name: 'n' };

  it('switches when it is over, once', async () => {
    const { device, clock } = plug();
    device.answer({ count_down: { add_rule: rule } });
    await clock.advance(30_000);
    expect(device.answer({ count_down: { get_rules: {} } })).toMatchObject({
      count_down: { get_rules: { rule_list: [{ ...rule, remain: 60 }], err_code: 0 } },
    });
    expect(sysinfoOf(device).relay).toBe(false);
    await clock.advance(60_000);
    expect(sysinfoOf(device).relay).toBe(true);
    expect(device.answer({ count_down: { get_rules: {} } })).toMatchObject({
      count_down: { get_rules: { rule_list: [] } },
    });
    device.press();
    await clock.advance(DAY_MS);
    expect(sysinfoOf(device).relay).toBe(false);
  });

  it('has switched when it was over, not when somebody asked', async () => {
    const { device, clock } = plug({ on: true });
    device.answer({ count_down: { add_rule: { ...rule, delay: 3600, act: 0 } } });
    await clock.advance(10 * HOUR_MS);
    expect(device.relay).toBe(false);
    expect(meterOf(device).energy).toBeCloseTo(0.1, 9);
    device.press();
    device.answer({ count_down: { add_rule: { ...rule, delay: 1 } } });
    await clock.advance(60_000);
    expect(sysinfoOf(device)).toMatchObject({ relay: true, onTimeS: 60 });
  });

  it('is one: a second is refused until the first is deleted', async () => {
    const { device, clock } = plug();
    device.answer({ count_down: { add_rule: rule } });
    expect(device.answer({ count_down: { add_rule: rule } })).toMatchObject({
      count_down: { add_rule: { err_code: -10, err_msg: 'table is full' } },
    });
    device.answer({ count_down: { delete_all_rules: {} } });
    await clock.advance(DAY_MS);
    expect(sysinfoOf(device).relay).toBe(false);
    expect(device.answer({ count_down: { add_rule: rule } })).toMatchObject({
      count_down: { add_rule: { err_code: 0 } },
    });
  });

  it('does nothing while it is disabled', async () => {
    const { device, clock } = plug();
    device.answer({ count_down: { add_rule: { ...rule, enable: 0 } } });
    await clock.advance(DAY_MS);
    expect(sysinfoOf(device).relay).toBe(false);
  });
});

describe('the rules of a simulated plug', () => {
  it.each(['schedule', 'anti_theft'])('of %s are added, changed and deleted by id', (module) => {
    const { device } = plug();
    const ask = (method: string, argument: object) =>
      device.answer({ [module]: { [method]: argument } })[module];
    expect(ask('add_rule', { name: 'evening' })).toMatchObject({
      add_rule: { id: expect.stringMatching(/^[0-9A-F]{32}$/) },
    });
    ask('add_rule', { name: 'night' });
    const id = '1'.padStart(32, '0');
    expect(ask('edit_rule', { id, name: 'dusk' })).toEqual({ edit_rule: { err_code: 0 } });
    ask('set_overall_enable', { enable: 0 });
    expect(ask('get_rules', {})).toMatchObject({
      get_rules: { rule_list: [{ id, name: 'dusk' }, { name: 'night' }], enable: 0, err_code: 0 },
    });
    ask('delete_rule', { id });
    expect(ask('get_rules', {})).toMatchObject({ get_rules: { rule_list: [{ name: 'night' }] } });
    ask('delete_all_rules', {});
    expect(ask('get_rules', {})).toMatchObject({ get_rules: { rule_list: [] } });
    expect(ask('edit_rule', { id })).toMatchObject({ edit_rule: { err_code: -14 } });
  });
});
