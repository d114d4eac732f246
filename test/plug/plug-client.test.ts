import { afterEach, describe, expect, it } from 'vitest';
import { PlugRefusal } from '../../src/errors.ts';
import { PlugClient } from '../../src/plug/plug-client.ts';
import { TcpTransport } from '../../src/plug/tcp-transport.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { LoopbackPlug, type PlugOptions, TIMEOUT_MS } from '../support/loopback-plug.ts';
import { frameOf, RawPeer } from '../support/raw-peer.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';

const open: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()));
});

async function plugOn(options: PlugOptions = {}, port = 0): Promise<LoopbackPlug> {
  const plug = await LoopbackPlug.started(options, port);
  open.push(plug);
  return plug;
}

const MAC = '50:C7:BF:00:00:01';
const SYSINFO = { system: { get_sysinfo: {} } };
const METER = { emeter: { get_realtime: {} } };
const ON = { system: { set_relay_state: { state: 1 }, get_sysinfo: {} }, ...METER };

describe('reading a plug', () => {
  it.each(['1.0', '2.0'] as const)('with hardware %s shows relay, LED and meter', async (hardware) => {
    const plug = await plugOn({ hardware, on: true });
    await plug.clock.advance(3_600_000);
    const { sysinfo, meter } = await plug.client().read();
    expect(sysinfo).toMatchObject({
      mac: MAC,
      alias: 'Loom',
      hardware,
      relay: true,
      led: true,
      onTimeS: 3600,
    });
    expect(meter?.power).toBeGreaterThan(38);
    expect(meter?.power).toBeLessThan(42);
    expect(meter?.energy).toBeCloseTo(0.04, 6);
  });

  it('asks for the description alone first, and only then for the meter too', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    await client.read();
    expect(plug.queries).toEqual([SYSINFO, { ...SYSINFO, ...METER }, { ...SYSINFO, ...METER }]);
    expect(client.hasMeter).toBe(true);
  });

  it('keeps its one connection', async () => {
    const plug = await plugOn({ hardware: '2.0' });
    const client = plug.client();
    for (let turn = 0; turn < 5; turn++) await client.read();
    expect(plug.server.accepted).toBe(1);
  });

  it('never asks a plug without ENE for its meter', async () => {
    const plug = await plugOn({ model: 'HS100(EU)' });
    const client = plug.client();
    expect((await client.read()).meter).toBeUndefined();
    await client.read();
    await client.apply({ relay: true, led: false });
    expect(client.hasMeter).toBe(false);
    expect(plug.queries.length).toBeGreaterThan(2);
    expect(plug.queries.filter((query) => 'emeter' in query)).toEqual([]);
  });

  it('shows 0 W as 0 W', async () => {
    const plug = await plugOn({ on: false });
    expect((await plug.client().read()).meter).toMatchObject({ power: 0, current: 0 });
  });

  it('goes on without the meter where the meter refuses or says nothing', async () => {
    const plug = await plugOn();
    const client = plug.client();
    plug.device.broken.set('emeter', -1);
    expect(await client.read()).toMatchObject({ sysinfo: { mac: MAC }, meter: undefined });
    plug.device.broken.clear();
    plug.device.hideMeter = true;
    expect(await client.read()).toMatchObject({ sysinfo: { mac: MAC }, meter: undefined });
    plug.device.hideMeter = false;
    expect((await client.read()).meter).toBeDefined();
  });

  it('leaves a relay open that the plug does not report', async () => {
    const plug = await plugOn();
    plug.device.hideRelay = true;
    expect((await plug.client().read()).sysinfo.relay).toBeUndefined();
  });

  it('asks anew whether there is a meter once it was told to forget', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    client.forget();
    await client.read();
    expect(plug.queries.slice(2)).toEqual([SYSINFO, { ...SYSINFO, ...METER }]);
  });

  it('fails on an answer to another question, and the next one works', async () => {
    const plug = await plugOn();
    const client = plug.client();
    plug.server.fault = { kind: 'other-answer' };
    expect(await rejectionOf(client.read())).toMatchObject({
      reason: 'bad-answer',
      message: expect.stringContaining('another question'),
    });
    plug.server.fault = { kind: 'none' };
    expect((await client.read()).sysinfo.mac).toBe(MAC);
  });

  it.each([
    [-1, 'does not have that module'],
    [-3, 'an argument is missing or wrong'],
    [-11, 'clock is not set'],
    [-99, 'undocumented'],
  ])('fails with the err_code %d in words', async (code, words) => {
    const plug = await plugOn();
    plug.device.broken.set('system', code);
    const error = await rejectionOf(plug.client().read());
    expect(error).toBeInstanceOf(PlugRefusal);
    expect(error).toMatchObject({
      reason: 'plug-error',
      errCode: code,
      message: expect.stringContaining(words),
    });
  });

  it('replaces a kept connection that the plug closed meanwhile, without an error', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    plug.failOnce({ kind: 'close' });
    expect((await client.read()).meter).toBeDefined();
    expect(plug.server.accepted).toBe(2);
  });
});

describe('a command', () => {
  it.each([
    [{ relay: true }, { set_relay_state: { state: 1 } }, { relay: true, led: true }],
    [{ relay: false }, { set_relay_state: { state: 0 } }, { relay: false, led: true }],
    [{ led: false }, { set_led_off: { off: 1 } }, { relay: false, led: false }],
    [
      { relay: true, led: false },
      { set_relay_state: { state: 1 }, set_led_off: { off: 1 } },
      { relay: true, led: false },
    ],
  ])('for %o goes out with the question for its result in one frame', async (settings, setters, state) => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    const { sysinfo, meter } = await client.apply(settings);
    expect(plug.queries.slice(2)).toEqual([{ system: { ...setters, get_sysinfo: {} }, ...METER }]);
    expect(JSON.stringify(plug.queries[2])).toMatch(/"get_sysinfo":\{\}\},"emeter"/);
    expect(sysinfo).toMatchObject(state);
    expect(meter).toBeDefined();
    expect({ relay: plug.device.relay, led: plug.device.led }).toEqual(state);
  });

  it('returns what the plug reports, not what was wanted', async () => {
    const plug = await plugOn();
    plug.device.stuck = true;
    expect((await plug.client().apply({ relay: true })).sysinfo.relay).toBe(false);
  });

  it('to a plug that was never read identifies it first', async () => {
    const plug = await plugOn();
    await plug.client().apply({ relay: true });
    expect(plug.queries).toEqual([SYSINFO, ON]);
    expect(plug.server.accepted).toBe(1);
  });

  it('to hardware that closes after each reply identifies it first, each time', async () => {
    const plug = await plugOn({ hardware: '1.0' });
    const transport = plug.transport();
    const client = new PlugClient(transport, TIMEOUT_MS, undefined);
    await client.read();
    await until(() => !transport.connected, 'the plug to close');
    expect((await client.apply({ relay: true })).sysinfo.relay).toBe(true);
    expect(plug.queries.slice(2)).toEqual([SYSINFO, ON]);
  });

  it('on a kept connection that turns out to be closed identifies the plug on the new one first', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    plug.failOnce({ kind: 'close' });
    expect((await client.apply({ relay: true })).sysinfo.relay).toBe(true);
    expect(plug.queries.slice(2)).toEqual([ON, SYSINFO, ON]);
    expect(plug.server.accepted).toBe(2);
  });

  it('that the plug does not answer in time fails, and is not sent again', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    plug.server.fault = { kind: 'silence' };
    const failed = rejectionOf(client.apply({ relay: true }));
    await plug.asked(3);
    await plug.clock.advance(TIMEOUT_MS);
    expect(await failed).toMatchObject({ reason: 'timeout' });
    expect(plug.queries).toHaveLength(3);
  });

  it('that is given up fails, is not sent again, and the next one works', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    plug.server.fault = { kind: 'silence' };
    const failed = rejectionOf(client.apply({ relay: true }));
    await plug.asked(3);
    client.close();
    expect(await failed).toMatchObject({ reason: 'closed' });
    await until(() => plug.server.connections === 0, 'the connection to close');
    expect(plug.queries).toHaveLength(3);
    plug.server.fault = { kind: 'none' };
    expect((await client.apply({ relay: true })).sysinfo.relay).toBe(true);
  });

  it('that the plug refuses fails with its code in words, though it describes itself', async () => {
    const peer = new RawPeer();
    await peer.start();
    open.push(peer);
    const client = new PlugClient(
      new TcpTransport(peer.address, new LoopbackPlug().clock),
      TIMEOUT_MS,
      undefined,
    );
    open.push({ stop: async () => client.close() });
    const sysinfo = { mac: MAC, relay_state: 0, feature: 'TIM', err_code: 0 };
    peer.onQuestion = (socket, text) => {
      const refused = text.includes('set_relay_state')
        ? { set_relay_state: { err_code: -3, err_msg: 'no' } }
        : {};
      socket.write(frameOf({ system: { ...refused, get_sysinfo: sysinfo } }));
    };
    const { refusal, sysinfo: seen } = await client.apply({ relay: true });
    expect(seen.relay).toBe(false);
    expect(refusal).toBeInstanceOf(PlugRefusal);
    expect(refusal).toMatchObject({
      errCode: -3,
      message: expect.stringContaining('system.set_relay_state'),
    });
  });
});

describe('a device that is not a plug', () => {
  /** Asks a peer that describes itself like this, and says what it was asked. */
  async function device(sysinfo: () => JsonObject): Promise<{ client: PlugClient; questions: string[] }> {
    const peer = new RawPeer();
    await peer.start();
    open.push(peer);
    const clock = new LoopbackPlug().clock;
    const client = new PlugClient(new TcpTransport(peer.address, clock), TIMEOUT_MS, undefined);
    open.push({ stop: async () => client.close() });
    peer.onQuestion = (socket, text) => {
      const done = text.includes('set_') ? { set_relay_state: {}, set_led_off: {} } : {};
      const said = { mac: MAC, feature: 'TIM', err_code: 0, ...sysinfo() };
      socket.write(frameOf({ system: { ...done, get_sysinfo: said } }));
    };
    return { client, questions: peer.questions };
  }

  it.each([
    ['strip', { children: [{ id: '00', state: 0 }] }, 'a strip whose outlets'],
    ['strip', { children: [{ id: '00', state: 0 }], relay_state: 0 }, 'a strip whose outlets'],
    ['other', {}, 'does not report a relay'],
  ])('is read as %s, and never switched: %o', async (kind, sysinfo, words) => {
    const { client, questions } = await device(() => sysinfo);
    for (const settings of [{ relay: false }, { led: false }, { relay: true }]) {
      const error = await rejectionOf(client.apply(settings));
      expect(error).toMatchObject({ reason: 'unsupported', message: expect.stringContaining(words) });
    }
    expect((await client.read()).sysinfo.kind).toBe(kind);
    expect(questions.join()).not.toContain('set_');
  });

  it('is not switched by any other query either, and answers what does not switch it', async () => {
    const { client, questions } = await device(() => ({ children: [{ id: '00', state: 0 }] }));
    const query = { system: { set_relay_state: { state: 0 } } };
    expect(await rejectionOf(client.send(query))).toMatchObject({ reason: 'unsupported' });
    expect(questions.join()).not.toContain('set_');
    expect(await client.send(SYSINFO)).toMatchObject({ system: { get_sysinfo: { mac: MAC } } });
  });

  it('is not a plug that leaves out its relay once', async () => {
    let relay: JsonObject = { relay_state: 0 };
    const { client, questions } = await device(() => relay);
    await client.read();
    relay = {};
    expect((await client.read()).sysinfo).toMatchObject({ kind: 'plug', relay: undefined });
    await client.apply({ relay: true });
    expect(questions.filter((text) => text.includes('set_relay_state'))).toHaveLength(1);
  });
});

describe('another plug at the same address', () => {
  /** Puts another plug where `plug` was. */
  async function swapped(plug: LoopbackPlug): Promise<LoopbackPlug> {
    await plug.server.stop();
    return plugOn({ mac: '50:C7:BF:00:00:02' }, plug.server.port);
  }

  it('is never switched, and its state is not taken for the right one', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    const other = await swapped(plug);
    const error = await rejectionOf(client.apply({ relay: true }));
    expect(error).toMatchObject({
      reason: 'wrong-plug',
      message: expect.stringContaining('50:C7:BF:00:00:02'),
    });
    expect(await rejectionOf(client.read())).toMatchObject({ reason: 'wrong-plug' });
    expect(await rejectionOf(client.send({ system: { reboot: { delay: 1 } } }))).toMatchObject({
      reason: 'wrong-plug',
    });
    expect(other.device.relay).toBe(false);
    expect(JSON.stringify(other.queries)).not.toMatch(/set_|reboot/);
    await until(() => other.server.connections === 0, 'the wrong plug to be left alone');
  });

  it('is not switched either when it came while the command was under way', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    plug.server.fault = { kind: 'silence' };
    const failed = rejectionOf(client.apply({ relay: true }));
    await plug.asked(3);
    const other = await swapped(plug);
    const error = await failed;
    // Whether the new connection finds the other plug or nobody yet is a matter of moments.
    expect(error).toMatchObject({ reason: expect.stringMatching(/^(wrong-plug|refused)$/) });
    expect(other.device.relay).toBe(false);
    expect(JSON.stringify(other.queries)).not.toContain('set_');
  });

  it('is not taken where a MAC was given, from the first question on', async () => {
    const plug = await plugOn();
    const client = plug.client('50:C7:BF:00:00:99');
    expect(await rejectionOf(client.apply({ relay: true }))).toMatchObject({ reason: 'wrong-plug' });
    expect(plug.queries).toEqual([SYSINFO]);
    expect(client.mac).toBe('50:C7:BF:00:00:99');
  });

  it('does no lasting harm: when the right one is back, it is read and switched', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    const other = await swapped(plug);
    await rejectionOf(client.read());
    await other.server.stop();
    await plug.server.start();
    expect((await client.apply({ relay: true })).sysinfo.relay).toBe(true);
    expect(client.mac).toBe(MAC);
  });
});

describe('any other query', () => {
  it('is sent as it is, and its reply returned as it came', async () => {
    const plug = await plugOn();
    const query = { time: { get_timezone: {} }, nonsense: { do: {} } };
    expect(await plug.client().send(query)).toEqual({
      time: { get_timezone: { index: 39, err_code: 0 } },
      nonsense: { do: { err_code: -1, err_msg: 'module not support' } },
    });
    expect(plug.queries).toEqual([SYSINFO, query]);
  });

  it('may have the plug count down by itself, in place of an earlier countdown', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.startCountdown(60, true);
    await client.startCountdown(30, true);
    await plug.clock.advance(30_000);
    expect((await client.read()).sysinfo.relay).toBe(true);
    await client.startCountdown(30, false);
    await client.stopCountdown();
    await plug.clock.advance(60_000);
    expect((await client.read()).sysinfo.relay).toBe(true);
  });
});

describe('what changes slowly', () => {
  it.each(['1.0', '2.0'] as const)(
    'is, on hardware %s, energy by day and month, clock and cloud',
    async (hardware) => {
      const plug = await plugOn({ hardware, loadW: 100, on: true });
      const client = plug.client();
      await client.read();
      await plug.clock.advance(10 * 3_600_000);
      await client.read();
      await plug.clock.advance(24 * 3_600_000);
      const statistics = await client.readStatistics();
      expect(statistics).toMatchObject({
        time: { year: 2026, month: 1, day: 2, hour: 22, minute: 0, second: 0 },
        zone: 39,
        clockSet: true,
      });
      expect(statistics.today).toBeCloseTo(2.2, 6);
      expect(statistics.yesterday).toBeCloseTo(1.2, 6);
      expect(statistics.month).toBeCloseTo(3.4, 6);
      expect(statistics.cloud).toBeDefined();
    },
  );

  it('stays open where the plug refuses or has booked nothing', async () => {
    const plug = await plugOn();
    const client = plug.client();
    plug.device.setClock(undefined);
    await client.read();
    expect(await client.readStatistics()).toMatchObject({
      clockSet: false,
      today: undefined,
      month: undefined,
    });
    plug.device.broken.set('time', -1).set('cnCloud', -1).set('emeter', -1);
    expect(await client.readStatistics()).toMatchObject({
      time: undefined,
      zone: undefined,
      cloud: undefined,
    });
  });

  it('holds no energy while the clock is not set, whatever the plug has booked, and does not ask for it', async () => {
    const plug = await plugOn();
    const client = plug.client();
    await client.read();
    plug.device.broken.set('schedule', -11);
    expect(await client.readStatistics()).toMatchObject({
      clockSet: false,
      today: undefined,
      month: undefined,
    });
    expect(JSON.stringify(plug.queries)).not.toContain('get_daystat');
  });

  it('holds no energy of a plug without a meter, which is not asked for it', async () => {
    const plug = await plugOn({ model: 'HS100(EU)' });
    const client = plug.client();
    await client.read();
    expect(await client.readStatistics()).toMatchObject({
      clockSet: true,
      today: undefined,
      month: undefined,
    });
    expect(plug.queries.filter((query) => 'emeter' in query)).toEqual([]);
  });
});
