import { describe, expect, it } from 'vitest';
import { answerTo } from '../../src/protocol/replies.ts';
import { SimulatedStrip } from '../../src/simulator/strip.ts';
import { ManualClock } from '../support/manual-clock.ts';

const MAC = '50:C7:BF:00:00:09';
const ID = `8006${MAC.replaceAll(':', '').padEnd(36, '0')}`;

function strip(model: 'HS300(US)' | 'KP303(UK)' = 'HS300(US)') {
  const clock = new ManualClock();
  const outlets = ['Left', 'Middle', 'Right'].map((alias, index) => ({ alias, loadW: 10 * (index + 1) }));
  return { device: new SimulatedStrip({ alias: 'Strip', mac: MAC, model, outlets }, clock), clock };
}

function children(device: SimulatedStrip, transport: 'tcp' | 'udp' = 'tcp'): unknown {
  return answerTo(device.answer({ system: { get_sysinfo: {} } }, transport), 'system', 'get_sysinfo')
    .children;
}

const ON = { system: { set_relay_state: { state: 1 } } };

describe('a simulated strip', () => {
  it('has outlets instead of a relay of its own', () => {
    const { device } = strip();
    const sysinfo = answerTo(device.answer({ system: { get_sysinfo: {} } }, 'tcp'), 'system', 'get_sysinfo');
    expect(sysinfo).not.toHaveProperty('relay_state');
    expect(sysinfo).toMatchObject({ child_num: 3, feature: 'TIM:ENE', mac: MAC });
    expect(sysinfo.children).toMatchObject([
      { id: `${ID}00`, state: 0, alias: 'Left', on_time: 0, next_action: { type: -1 } },
      { id: `${ID}01`, alias: 'Middle' },
      { id: `${ID}02`, alias: 'Right' },
    ]);
  });

  it('switches all outlets without context, those that are named with it', () => {
    const { device } = strip();
    device.answer(ON, 'tcp');
    expect(device.relays).toEqual([true, true, true]);
    const off = { system: { set_relay_state: { state: 0 } } };
    device.answer({ context: { child_ids: [`${ID}00`, `${ID}02`] }, ...off }, 'tcp');
    expect(device.relays).toEqual([false, true, false]);
    device.press(0);
    expect(device.relays).toEqual([true, true, false]);
  });

  it('calls its outlets by their number over UDP', () => {
    const { device } = strip();
    expect(children(device, 'udp')).toEqual([
      { id: '00', state: 0, alias: 'Left', on_time: 0 },
      { id: '01', state: 0, alias: 'Middle', on_time: 0 },
      { id: '02', state: 0, alias: 'Right', on_time: 0 },
    ]);
    device.answer({ context: { child_ids: ['01'] }, ...ON }, 'udp');
    expect(device.relays).toEqual([false, true, false]);
  });

  it.each([
    ['an outlet that is not there', ['X'], -14],
    ['one that is and one that is not', [`${ID}00`, 'X'], -14],
    ['something that is no list', {}, -3],
    ['numbers', [1], -3],
  ])('refuses %s, and switches nothing', (_, child_ids, err_code) => {
    const { device } = strip();
    const reply = device.answer(
      { context: { child_ids }, ...ON, emeter: { get_realtime: {} }, time: { get_timezone: {} } },
      'tcp',
    );
    expect(reply).toMatchObject({
      system: { set_relay_state: { err_code } },
      emeter: { get_realtime: { err_code } },
      time: { get_timezone: { err_code: 0 } },
    });
    expect(device.relays).toEqual([false, false, false]);
  });

  it('does nothing for an empty list', () => {
    const { device } = strip();
    expect(device.answer({ context: { child_ids: [] }, ...ON }, 'tcp')).toEqual({
      system: { set_relay_state: { err_code: 0 } },
    });
    expect(device.relays).toEqual([false, false, false]);
  });

  it('refuses a state that is none for all outlets alike', () => {
    const { device } = strip();
    expect(device.answer({ system: { set_relay_state: { state: 2 } } }, 'tcp')).toMatchObject({
      system: { set_relay_state: { err_code: -3 } },
    });
  });

  it('meters the outlet that is named, or else the first', () => {
    const { device } = strip();
    device.answer(ON, 'tcp');
    const power = (context: object) =>
      answerTo(device.answer({ ...context, emeter: { get_realtime: {} } }, 'tcp'), 'emeter', 'get_realtime')
        .power_mw;
    expect(power({})).toBeCloseTo(10_000, -4);
    expect(power({ context: { child_ids: [`${ID}02`] } })).toBeCloseTo(30_000, -4);
    expect(strip('KP303(UK)').device.answer({ emeter: { get_realtime: {} } }, 'tcp')).toEqual({
      emeter: { err_code: -1, err_msg: 'module not support' },
    });
  });

  it('runs the countdown of the outlet that is named', async () => {
    const { device, clock } = strip();
    device.answer(
      {
        context: { child_ids: [`${ID}01`] },
        count_down: { add_rule: { enable: 1, delay: 5, act: 1, name: 'n' } },
      },
      'tcp',
    );
    await clock.advance(5000);
    expect(device.relays).toEqual([false, true, false]);
  });

  it('names the outlet that is named, or else itself', () => {
    const { device } = strip();
    const set = (context: object) =>
      device.answer({ ...context, system: { set_dev_alias: { alias: 'New' } } }, 'tcp');
    set({ context: { child_ids: [`${ID}01`] } });
    expect(children(device)).toMatchObject([{ alias: 'Left' }, { alias: 'New' }, { alias: 'Right' }]);
    set({});
    expect(device.answer({ system: { get_sysinfo: {} } }, 'tcp')).toMatchObject({
      system: { get_sysinfo: { alias: 'New' } },
    });
    expect(set({ context: { child_ids: ['X'] } })).toMatchObject({
      system: { set_dev_alias: { err_code: -14 } },
    });
  });
});
