import { afterEach, describe, expect, it } from 'vitest';
import { recordingName } from '../../src/cli/record.ts';
import { type Observation, PlugClient } from '../../src/plug/plug-client.ts';
import { TcpTransport } from '../../src/plug/tcp-transport.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { type DeviceOptions, SimulatedDevice } from '../../src/simulator/device.ts';
import { MODEL_NAMES, simulatedModel } from '../../src/simulator/models.ts';
import type { PlugDevice } from '../../src/simulator/plug-device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { RecordedDevice } from '../../src/simulator/recorded-device.ts';
import { FakeShell } from '../support/fake-shell.ts';

const clock = new SystemClock();
const servers: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function served<Device extends PlugDevice>(device: Device): Promise<PlugServer<Device>> {
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
  await server.start();
  servers.push(server);
  return server;
}

function simulated(options: Partial<DeviceOptions> = {}): Promise<PlugServer> {
  return served(
    new SimulatedDevice(
      { alias: 'Kitchen of Ann', mac: '50:C7:BF:12:34:56', hardware: '1.0', loadW: 40, ...options },
      clock,
    ),
  );
}

const at = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;

/** Records the plug into memory and returns what was written. */
async function recorded(server: { host: string; port: number }, ...more: string[]): Promise<JsonObject> {
  const shell = new FakeShell();
  expect(await shell.run('record', at(server), '--output', 'plug.json', ...more)).toBe(0);
  return JSON.parse(shell.readFile('plug.json'));
}

describe('the verb record', () => {
  it('writes all that a plug says of itself to a file named by model, hardware and firmware', async () => {
    const server = await simulated();
    const shell = new FakeShell();
    expect(await shell.run('record', at(server))).toBe(0);
    expect([...shell.files.keys()]).toEqual(['HS110(EU)_1.0_1.2.5.json']);
    expect(shell.output).toMatch(/^HS110\(EU\)_1\.0_1\.2\.5\.json: \d+ answers, redacted\. Read it/);
    const { recording, ...modules } = JSON.parse(shell.readFile('HS110(EU)_1.0_1.2.5.json'));
    expect(recording).toMatchObject({ by: 'hs110-mqtt 0.0.0-test', unanswered: {} });
    expect(Object.keys(modules)).toEqual([
      'system',
      'time',
      'emeter',
      'cnCloud',
      'schedule',
      'count_down',
      'anti_theft',
      'netif',
    ]);
    expect(modules.emeter.get_realtime).toMatchObject({ power: 0, err_code: 0 });
    expect(modules.system.get_dev_icon).toMatchObject({ err_code: 0 });
    expect(modules.system.get_sysinfo).toMatchObject({
      mac: '50:C7:BF:00:00:00',
      alias: 'Plug',
      deviceId: '0'.repeat(40),
    });
  });

  it('asks for the sysinfo alone first, then one module at a time', async () => {
    const server = await simulated();
    const asked: JsonObject[] = [];
    server.onQuery = (query) => asked.push(query);
    await recorded(server);
    expect(asked[0]).toEqual({ system: { get_sysinfo: {} } });
    expect(asked.map((query) => Object.keys(query).length)).toEqual(asked.map(() => 1));
  });

  it('changes nothing', async () => {
    const server = await simulated();
    const methods: string[] = [];
    server.onQuery = (query) =>
      methods.push(...Object.values(query).flatMap((each) => Object.keys(each ?? {})));
    await recorded(server);
    expect(methods.filter((method) => !method.startsWith('get_'))).toEqual([]);
  });

  it('does not ask a plug without a meter for its meter', async () => {
    const server = await simulated({ model: 'HS100(EU)' });
    expect(await recorded(server)).not.toHaveProperty('emeter');
  });

  it('keeps the errors of the plug as they are, of methods and of modules', async () => {
    const server = await simulated();
    server.device.setClock(undefined);
    server.device.broken.set('anti_theft', -1);
    const { schedule, anti_theft } = await recorded(server);
    expect(schedule).toMatchObject({ get_rules: { err_code: -11, err_msg: 'time not sync' } });
    expect(anti_theft).toEqual({ err_code: -1, err_msg: 'simulated' });
  });

  it('asks the methods one by one where a whole module is too much, and notes what stays unanswered', async () => {
    const server = await simulated();
    server.onQuery = ({ netif }) => {
      server.fault =
        netif !== undefined && 'get_scaninfo' in Object(netif) ? { kind: 'close' } : { kind: 'none' };
    };
    const shell = new FakeShell();
    expect(await shell.run('record', at(server), '--output', 'plug.json')).toBe(0);
    const { recording, netif } = JSON.parse(shell.readFile('plug.json'));
    expect(recording.unanswered).toEqual({ 'netif.get_scaninfo': 'closed' });
    expect(Object.keys(netif)).toEqual(['get_stainfo']);
    expect(shell.errors).toBe('not answered: netif.get_scaninfo (closed)');
  });

  it('notes a module that is left out of the answer', async () => {
    const server = await simulated();
    server.device.hideMeter = true;
    const { recording } = await recorded(server);
    expect(recording).toMatchObject({ unanswered: { 'emeter.get_realtime': 'bad-answer' } });
  });

  it('asks for the statistics of the month that the clock of the plug shows', async () => {
    const server = await simulated();
    server.device.setClock(Date.UTC(2021, 10, 14) - clock.date());
    const asked: JsonObject[] = [];
    server.onQuery = (query) => asked.push(query);
    const { recording } = await recorded(server);
    expect(recording).toMatchObject({ statistics: { year: 2021, month: 11 } });
    expect(asked).toContainEqual({
      emeter: expect.objectContaining({
        get_daystat: { year: 2021, month: 11 },
        get_monthstat: { year: 2021 },
      }),
    });
  });

  it('lets nothing out that tells whose plug it is, or where', async () => {
    const secrets = {
      alias: 'Ann',
      mac: '50:C7:BF:AB:CD:EF',
      deviceId: `8006${'AB'.repeat(18)}`,
      hwId: 'BC'.repeat(16),
      fwId: 'CD'.repeat(16),
      oemId: 'DE'.repeat(16),
      latitude: 52.520008,
      longitude: 13.404954,
      latitude_i: 525200,
      longitude_i: 134049,
    };
    const server = await served(
      new RecordedDevice(
        {
          system: { get_sysinfo: { err_code: 0, model: 'HS110(EU)', feature: 'TIM', ...secrets } },
          cnCloud: { get_info: { username: 'ann@home.example', binded: 1, err_code: 0 } },
          schedule: { get_rules: { rule_list: [{ id: '12', name: 'Ann away', smin: 400 }], err_code: 0 } },
          netif: {
            get_stainfo: { ssid: 'AnnAtHome', rssi: -50, err_code: 0 },
            get_scaninfo: { ap_list: [{ ssid: 'NeighbourBob', key_type: 3 }], err_code: 0 },
          },
        },
        clock,
      ),
    );
    const text = JSON.stringify(await recorded(server));
    const leaks = [
      ...Object.values(secrets).map(String),
      'Ann',
      'home.example',
      'Bob',
      'AB:CD:EF',
      'ABAB',
      '52.5',
      '134049',
    ].filter((secret) => text.includes(secret));
    expect(leaks).toEqual([]);
    expect(text).toContain('"binded":1');
    expect(text).toContain('"smin":400');
    expect(text).toContain('"rssi":-50');
  });

  it('does not write over a file unless told so', async () => {
    const server = await simulated();
    const name = 'HS110(EU)_1.0_1.2.5.json';
    const shell = new FakeShell({ files: { [name]: 'mine' } });
    expect(await shell.run('record', at(server))).toBe(1);
    expect(shell.errors).toContain(`${name} is there already; give --output ${name} to replace it`);
    expect(shell.readFile(name)).toBe('mine');
    expect(await shell.run('record', at(server), '--output', name)).toBe(0);
    expect(shell.readFile(name)).not.toBe('mine');
  });

  it('prints the recording when it is told to write to -', async () => {
    const shell = new FakeShell();
    expect(await shell.run('record', at(await simulated()), '--output', '-')).toBe(0);
    expect(JSON.parse(shell.output)).toHaveProperty('system.get_sysinfo');
    expect(shell.files.size).toBe(0);
  });

  it('fails with a sentence when nobody answers there', async () => {
    const server = await simulated();
    await server.stop();
    const shell = new FakeShell();
    expect(await shell.run('record', at(server))).toBe(1);
    expect(shell.errors).toBe(`hs110-mqtt: ${at(server)} refuses connections`);
  });

  it('notes the rest as unanswered when the plug goes away', async () => {
    const server = await simulated();
    server.onQuery = ({ cnCloud }) => {
      if (cnCloud !== undefined) void server.stop();
    };
    const { recording, emeter } = await recorded(server);
    expect(emeter).toBeDefined();
    expect(recording).toMatchObject({ unanswered: { 'netif.get_stainfo': 'refused' } });
  });

  it('ends at once when it is interrupted', async () => {
    const server = await simulated();
    const shell = new FakeShell();
    server.fault = { kind: 'silence' };
    server.onQuery = () => setImmediate(() => shell.interrupt());
    expect(await shell.run('record', at(server))).toBe(1);
    expect(shell.errors).toBe('');
    expect(shell.files.size).toBe(0);
  });
});

describe('a recording of any device', () => {
  /** What the bridge sees of a device: its own answers, but for what is redacted and what the time does to them. */
  async function seen(device: PlugDevice): Promise<object> {
    const { host, port } = await served(device);
    const client = new PlugClient(new TcpTransport({ host, port }, clock), 5000, undefined);
    await client.read();
    const { sysinfo, meter, meters, sensors }: Observation = await client.read();
    const { kind, model, hasMeter, light } = sysinfo;
    const { today, month, time } = await client.readStatistics();
    client.close();
    return {
      ...{ kind, model, hasMeter, light, sensors },
      outlets: sysinfo.outlets.map(({ id, relay }) => ({ id, relay })),
      isMetered: [
        meter?.power !== undefined,
        [...(meters?.values() ?? [])].map((one) => one?.power !== undefined),
      ],
      isCounted: [today !== undefined, month !== undefined],
      hasClock: time !== undefined,
    };
  }

  it.each(MODEL_NAMES)('is played as the device is: %s', async (name) => {
    const device = simulatedModel(name, 1, clock);
    if (device === undefined) throw new Error(`there is no ${name}`);
    const recording = await recorded(await served(device));
    expect(recording.recording).toMatchObject({ unanswered: {} });
    expect(await seen(new RecordedDevice(recording, clock))).toEqual(await seen(device));
  });

  it('can be dimmed by the ways that other clients use', async () => {
    const device = simulatedModel('HS220', 1, clock);
    if (device === undefined) throw new Error('there is no HS220');
    const played = new RecordedDevice(await recorded(await served(device)), clock);
    const dimmer = (methods: JsonObject) => played.answer({ 'smartlife.iot.dimmer': methods });
    const state = () => played.answer({ system: { get_sysinfo: {} } }).system;
    dimmer({ set_dimmer_transition: { brightness: 30, duration: 1000, mode: 'gentle_on_off' } });
    expect(state()).toMatchObject({ get_sysinfo: { relay_state: 1, brightness: 30 } });
    dimmer({ set_switch_state: { state: 0 } });
    expect(state()).toMatchObject({ get_sysinfo: { relay_state: 0, brightness: 30 } });
    dimmer({ set_dimmer_transition: { brightness: 0 } });
    expect(state()).toMatchObject({ get_sysinfo: { relay_state: 0, brightness: 30 } });
  });
});

describe('the name of a recording', () => {
  it.each([
    [
      { model: 'HS110(EU)', hw_ver: '1.0', sw_ver: '1.2.5 Build 171213 Rel.101523' },
      'HS110(EU)_1.0_1.2.5.json',
    ],
    [{}, 'unknown_unknown_unknown.json'],
    [{ model: '../../etc/passwd', hw_ver: '..', sw_ver: '/ 1' }, 'etc-passwd_unknown_unknown.json'],
    [{ model: '-rf\u0000 \n', hw_ver: 2, sw_ver: 'x'.repeat(999) }, `rf_unknown_${'x'.repeat(40)}.json`],
  ])('is a safe name of a file: %j', (sysinfo, name) => {
    expect(recordingName(sysinfo)).toBe(name);
  });
});
