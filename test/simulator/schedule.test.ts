import { describe, expect, it } from 'vitest';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import { ManualClock } from '../support/manual-clock.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const DAILY = [1, 1, 1, 1, 1, 1, 1];
const NEVER = { stime_opt: -1, sact: -1, etime_opt: -1, eact: -1, enable: 1, repeat: 1, wday: DAILY };

/** A plug whose clock shows `local` in the zone with that index; a Thursday, 1 January 2026, unless it says otherwise. */
function plugAt(local: object, index = 41) {
  const clock = new ManualClock();
  const device = new SimulatedDevice(
    { alias: 'Loom', mac: '50:C7:BF:00:00:01', hardware: '2.0', loadW: 100 },
    clock,
  );
  const day = { year: 2026, month: 1, mday: 1, hour: 0, min: 0, sec: 0 };
  device.answer({ time: { set_timezone: { index, ...day, ...local } } });
  return { device, clock };
}

function add(device: SimulatedDevice, rule: object): void {
  expect(device.answer({ schedule: { add_rule: { ...NEVER, ...rule } } })).toMatchObject({
    schedule: { add_rule: { err_code: 0 } },
  });
}

/** A rule that switches every day at that minute. */
function at(minute: number, act: 0 | 1): object {
  return { stime_opt: 0, smin: minute, sact: act };
}

describe('the schedule of a simulated plug', () => {
  it("switches at its minute by the plug's own clock, not before", async () => {
    const { device, clock } = plugAt({ hour: 7, min: 0 });
    add(device, at(7 * 60 + 30, 1));
    await clock.advance(30 * MINUTE_MS - 1);
    expect(device.relay).toBe(false);
    await clock.advance(1);
    expect(device.relay).toBe(true);
  });

  it('may switch at its start and at its end, day after day', async () => {
    const { device, clock } = plugAt({ hour: 12 });
    add(device, { ...at(18 * 60, 1), etime_opt: 0, emin: 23 * 60, eact: 0 });
    const seen: boolean[] = [];
    for (let hour = 0; hour < 48; hour++) {
      await clock.advance(HOUR_MS);
      seen.push(device.relay);
    }
    expect(seen.filter(Boolean)).toHaveLength(10);
  });

  it('has switched when it was time, not when somebody asked', async () => {
    const { device, clock } = plugAt({ hour: 12 });
    add(device, at(13 * 60, 1));
    add(device, at(15 * 60, 0));
    await clock.advance(10 * HOUR_MS);
    expect(device.answer({ schedule: { get_daystat: { year: 2026, month: 1 } } })).toMatchObject({
      schedule: { get_daystat: { day_list: [{ day: 1, time: 120 }] } },
    });
  });

  it('switches on its days of the week, Sunday first', async () => {
    const { device, clock } = plugAt({ hour: 1 });
    add(device, { ...at(60, 1), wday: [1, 0, 0, 0, 0, 0, 0] });
    await clock.advance(3 * DAY_MS - HOUR_MS);
    expect(device.relay).toBe(false);
    await clock.advance(HOUR_MS);
    expect(device.relay).toBe(true);
  });

  it('switches once on a date, however far ahead, and the rule is off afterwards', async () => {
    const { device, clock } = plugAt({ hour: 1 });
    add(device, { ...at(60, 1), repeat: 0, year: 2026, month: 2, day: 20 });
    await clock.advance(50 * DAY_MS - 1);
    expect(device.relay).toBe(false);
    await clock.advance(DAY_MS);
    expect(device.relay).toBe(true);
    expect(device.answer({ schedule: { get_rules: {} } })).toMatchObject({
      schedule: { get_rules: { rule_list: [{ enable: 0 }] } },
    });
  });

  it('counts from the minute of sunset that the app wrote', async () => {
    const { device, clock } = plugAt({ hour: 16 });
    add(device, { stime_opt: 2, smin: 17 * 60, soffset: -30, sact: 1 });
    await clock.advance(30 * MINUTE_MS);
    expect(device.relay).toBe(true);
  });

  it.each([
    ['a rule that is off', { enable: 0 }, {}],
    ['a schedule that is off as a whole', {}, { set_overall_enable: { enable: 0 } }],
    ['a rule that was deleted', {}, { delete_all_rules: {} }],
    ['a rule without days', { wday: [0, 0, 0, 0, 0, 0, 0] }, {}],
  ])('is not switched by %s', async (_, rule, then) => {
    const { device, clock } = plugAt({ hour: 7 });
    add(device, { ...at(8 * 60, 1), ...rule });
    device.answer({ schedule: then });
    expect(device.answer({ schedule: { get_next_action: {} } })).toEqual({
      schedule: { get_next_action: { type: -1, err_code: 0 } },
    });
    await clock.advance(8 * DAY_MS);
    expect(device.relay).toBe(false);
  });

  it('does nothing while the plug does not know the time, and makes up for nothing', async () => {
    const { device, clock } = plugAt({ hour: 7 });
    add(device, at(8 * 60, 1));
    device.setClock(undefined);
    await clock.advance(2 * HOUR_MS);
    expect(device.relay).toBe(false);
    device.setClock(10 * HOUR_MS);
    expect(device.relay).toBe(false);
  });

  it('keeps its local time over a change to summer time', async () => {
    const { device, clock } = plugAt({ month: 3, mday: 28, hour: 12 });
    add(device, at(12 * 60, 1));
    await clock.advance(23 * HOUR_MS - 1);
    expect(device.relay).toBe(false);
    await clock.advance(1);
    expect(device.relay).toBe(true);
  });

  it('says what it will do next, in seconds since midnight', () => {
    const { device } = plugAt({ hour: 7 });
    add(device, at(8 * 60, 1));
    add(device, at(7 * 60 + 15, 0));
    const next = { type: 1, id: '2'.padStart(32, '0'), schd_sec: 26_100, action: 0 };
    expect(device.answer({ schedule: { get_next_action: {} }, system: { get_sysinfo: {} } })).toMatchObject({
      schedule: { get_next_action: { ...next, err_code: 0 } },
      system: { get_sysinfo: { next_action: next, active_mode: 'schedule' } },
    });
  });

  it('and the countdown switch in the order of their times', async () => {
    const { device, clock } = plugAt({ hour: 7 });
    add(device, at(7 * 60 + 10, 1));
    device.answer({ count_down: { add_rule: { enable: 1, delay: 1200, act: 0, name: 'n' } } });
    expect(device.answer({ system: { get_sysinfo: {} } })).toMatchObject({
      system: { get_sysinfo: { active_mode: 'count_down' } },
    });
    await clock.advance(HOUR_MS);
    expect(device.relay).toBe(false);
    expect(device.answer({ schedule: { get_daystat: { year: 2026, month: 1 } } })).toMatchObject({
      schedule: { get_daystat: { day_list: [{ time: 10 }] } },
    });
  });
});

describe('a changed countdown of a simulated plug', () => {
  it('counts anew, and one that is disabled has nothing left', async () => {
    const { device, clock } = plugAt({});
    const ask = (method: string, argument: object) =>
      device.answer({ count_down: { [method]: argument } }).count_down;
    ask('add_rule', { enable: 1, delay: 60, act: 1, name: 'n' });
    const id = 'C0'.repeat(16);
    await clock.advance(30_000);
    expect(ask('edit_rule', { id, delay: 90 })).toEqual({ edit_rule: { err_code: 0 } });
    expect(ask('get_rules', {})).toMatchObject({ get_rules: { rule_list: [{ id, delay: 90, remain: 90 }] } });
    expect(ask('edit_rule', { id, delay: -1 })).toMatchObject({ edit_rule: { err_code: -3 } });
    ask('edit_rule', { id, enable: 0 });
    expect(ask('get_rules', {})).toMatchObject({ get_rules: { rule_list: [{ enable: 0, remain: 0 }] } });
    await clock.advance(DAY_MS);
    expect(device.relay).toBe(false);
    expect(ask('delete_rule', { id })).toEqual({ delete_rule: { err_code: 0 } });
    expect(ask('get_rules', {})).toMatchObject({ get_rules: { rule_list: [] } });
  });
});
