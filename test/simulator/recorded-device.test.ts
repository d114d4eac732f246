import { afterEach, describe, expect, it } from 'vitest';
import { PlugRefusal } from '../../src/errors.ts';
import { PlugClient } from '../../src/plug/plug-client.ts';
import { TcpTransport } from '../../src/plug/tcp-transport.ts';
import { isObject, type JsonObject } from '../../src/protocol/json.ts';
import { answerTo, readSysinfo } from '../../src/protocol/replies.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { RecordedDevice, readRecording } from '../../src/simulator/recorded-device.ts';
import { FIXTURES, fixture } from '../support/fixtures.ts';
import { ManualClock } from '../support/manual-clock.ts';

const clock = new SystemClock();
const servers: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** Puts the recording on the network, and a client in front of it. */
async function played(recording: JsonObject): Promise<PlugClient> {
  const device = new RecordedDevice(recording, clock);
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
  await server.start();
  servers.push(server);
  return new PlugClient(new TcpTransport({ host: server.host, port: server.port }, clock), 5000, undefined);
}

const V1 = {
  recording: { format: 1 },
  system: {
    get_sysinfo: {
      err_code: 0,
      hw_ver: '1.0',
      model: 'HS110(EU)',
      mac: '50:C7:BF:00:00:01',
      alias: 'Lamp',
      relay_state: 1,
      on_time: 1234,
      feature: 'TIM:ENE',
      led_off: 0,
    },
  },
  emeter: {
    get_realtime: { current: 0.25, voltage: 231.5, power: 52.75, total: 1.5, err_code: 0 },
    get_daystat: { err_code: -11, err_msg: 'time not sync' },
  },
  anti_theft: { err_code: -1, err_msg: 'module not support' },
};

describe('a recorded plug', () => {
  it.each(FIXTURES)('$name says over the network what was recorded', async ({ reply }) => {
    const client = await played(reply);
    const { sysinfo } = await client.read();
    expect(sysinfo).toEqual(readSysinfo(answerTo(reply, 'system', 'get_sysinfo')));
    for (const [module, methods] of Object.entries(reply)) {
      if (!isObject(methods) || module === 'recording') continue;
      const names = Object.keys(methods).filter((name) => isObject(methods[name]));
      const query = { [module]: Object.fromEntries(names.map((name) => [name, {}])) };
      expect(await client.send(query)).toEqual({ [module]: methods });
    }
    client.close();
  });

  it.each(FIXTURES.filter(({ name }) => !name.startsWith('HS300')))(
    '$name can be switched',
    async ({ reply }) => {
      const client = await played(reply);
      expect((await client.apply({ relay: true, led: false })).sysinfo).toMatchObject({
        relay: true,
        led: false,
      });
      expect((await client.apply({ relay: false, led: true })).sysinfo).toMatchObject({
        relay: false,
        led: true,
      });
      client.close();
    },
  );

  it('draws nothing while it is off, and what was recorded while it is on', async () => {
    const client = await played(V1);
    await client.read();
    expect((await client.apply({ relay: false })).meter).toMatchObject({
      power: 0,
      current: 0,
      voltage: 231.5,
    });
    expect((await client.apply({ relay: true })).meter).toMatchObject({ power: 52.75, current: 0.25 });
    client.close();
  });

  it('takes a new name', async () => {
    const device = new RecordedDevice(V1, clock);
    expect(device.answer({ system: { set_dev_alias: { alias: 'Kiosk' } } })).toEqual({
      system: { set_dev_alias: { err_code: 0 } },
    });
    expect(device.alias).toBe('Kiosk');
  });

  it('counts its on time from the moment it was switched', async () => {
    const manual = new ManualClock();
    const device = new RecordedDevice(V1, manual);
    const onTime = () =>
      readSysinfo(answerTo(device.answer({ system: { get_sysinfo: {} } }), 'system', 'get_sysinfo')).onTimeS;
    const set = (state: number) => device.answer({ system: { set_relay_state: { state } } });
    set(1);
    expect(onTime()).toBe(1234);
    set(0);
    expect(onTime()).toBe(0);
    set(1);
    await manual.advance(90_000);
    expect(onTime()).toBe(90);
  });

  it('repeats the errors that were recorded, of methods and of modules', () => {
    const device = new RecordedDevice(V1, clock);
    const days = device.answer({ emeter: { get_daystat: { year: 2026, month: 1 } } });
    expect(() => answerTo(days, 'emeter', 'get_daystat')).toThrow(/clock is not set/);
    expect(device.answer({ anti_theft: { get_rules: {} } })).toEqual({ anti_theft: V1.anti_theft });
  });

  it.each([
    ['a module that was not recorded', { cnCloud: { get_info: {} } }, 'cnCloud', 'get_info', -1],
    ['the head of the recording', { recording: { format: {} } }, 'recording', 'format', -1],
    [
      'a method that was not recorded',
      { emeter: { erase_emeter_stat: {} } },
      'emeter',
      'erase_emeter_stat',
      -2,
    ],
    ['an argument that makes no sense', { system: { set_relay_state: {} } }, 'system', 'set_relay_state', -3],
  ])('refuses %s', (_, query, module, method, errCode) => {
    const reply = new RecordedDevice(V1, clock).answer(query);
    try {
      answerTo(reply, module, method);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PlugRefusal);
      expect(error).toMatchObject({ errCode });
    }
  });

  it('switches the outlets of a strip that are named, or all of them', () => {
    const device = new RecordedDevice(fixture('HS300(US)_1.0_1.0.6'), clock);
    const outlets = () => {
      const { children } = answerTo(device.answer({ system: { get_sysinfo: {} } }), 'system', 'get_sysinfo');
      return Array.isArray(children) ? children : [];
    };
    device.answer({ system: { set_relay_state: { state: 1 } } });
    expect(outlets().map(({ state }) => state)).toEqual([1, 1]);
    const ids = [outlets()[1].id];
    device.answer({ context: { child_ids: ids }, system: { set_relay_state: { state: 0 } } });
    expect(outlets().map(({ state }) => state)).toEqual([1, 0]);
    expect(device.relay).toBeUndefined();
  });

  it('refuses outlets that a strip does not have, and switches none then', () => {
    const device = new RecordedDevice(fixture('HS300(US)_1.0_1.0.6'), clock);
    const set = (child_ids: unknown) =>
      device.answer({ context: { child_ids }, system: { set_relay_state: { state: 1 } } });
    expect(set(['X'])).toMatchObject({ system: { set_relay_state: { err_code: -14 } } });
    expect(set('X')).toMatchObject({ system: { set_relay_state: { err_code: -3 } } });
    expect(device.answer({ system: { get_sysinfo: {} } })).toMatchObject({
      system: { get_sysinfo: { children: [{ state: 1 }, { state: 0 }] } },
    });
  });

  it('that is a bulb has no relay to switch', () => {
    const device = new RecordedDevice({ system: { get_sysinfo: { mic_type: 'IOT.SMARTBULB' } } }, clock);
    expect(device.answer({ system: { set_relay_state: { state: 1 } } })).toMatchObject({
      system: { set_relay_state: { err_code: -2001 } },
    });
  });

  it.each([
    [{ hw_ver: '1.0' }, true],
    [{ hw_ver: '2.1' }, false],
    [{}, false],
  ])('ends connections as its hardware does: %j', (sysinfo, closes) => {
    expect(new RecordedDevice({ system: { get_sysinfo: sysinfo } }, clock).closesAfterReply).toBe(closes);
  });
});

describe('a recording', () => {
  it('without sysinfo is refused', () => {
    expect(() => new RecordedDevice({ emeter: {} }, clock)).toThrow('must have system.get_sysinfo');
  });

  it.each(['', '[]', 'not JSON', '{"system":'])('that is %j is refused by the name of its file', (text) => {
    expect(() => readRecording('plug.json', text)).toThrow(/^plug\.json is no recording of a plug: /);
  });
});
