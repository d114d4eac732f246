import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { encodeDatagram } from '../../src/protocol/frame.ts';
import type { Credentials } from '../../src/protocol/klap.ts';
import { KLAP_DISCOVERY_PORT } from '../../src/protocol/klap-discovery.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { type DeviceOptions, SimulatedDevice } from '../../src/simulator/device.ts';
import type { KlapServer } from '../../src/simulator/klap-server.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { ACCOUNT, KlapPlug } from '../support/klap-plug.ts';

const clock = new SystemClock();
const opened: { stop(): Promise<unknown> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.stop()));
});

async function plugAt(host: string, last: number, options: Partial<DeviceOptions> = {}): Promise<PlugServer> {
  const mac = `50:C7:BF:00:00:${String(last).padStart(2, '0')}`;
  const device = new SimulatedDevice(
    { alias: `Lamp ${last}`, mac, hardware: '1.0', loadW: 40, ...options },
    clock,
  );
  const server = new PlugServer({ device, host, port: 0, clock, random: Math.random });
  await server.start();
  opened.push(server);
  return server;
}

/** A plug that answers datagrams on this address and port, and takes no connections. */
async function deafPlug(host: string, port: number, answer: Buffer): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (_, sender) => socket.send(answer, sender.port, sender.address));
  await new Promise<void>((resolve) => socket.bind(port, host, resolve));
  opened.push({ stop: () => new Promise<void>((resolve) => socket.close(() => resolve())) });
  return socket.address().port;
}

async function klapPlugAt(host: string, credentials: Credentials): Promise<KlapServer> {
  const { server } = await KlapPlug.started({ host, credentials, discoveryPort: KLAP_DISCOVERY_PORT });
  opened.push(server);
  return server;
}

/** Runs `discover` at these plugs, for as short as it may take. */
async function discover(targets: readonly string[], ...more: string[]): Promise<FakeShell> {
  const shell = new FakeShell();
  const flags = targets.flatMap((target) => ['--target', target]);
  expect(await shell.run('discover', '--timeout', '200ms', ...flags, ...more)).toBe(0);
  return shell;
}

const at = ({ host, port }: PlugServer) => `${host}:${port}`;

describe('the verb discover', () => {
  it('prints a table of the plugs found, sorted by address', async () => {
    const second = await plugAt('127.0.1.10', 2, { on: true, model: 'HS100(EU)' });
    const first = await plugAt('127.0.1.9', 1, { hardware: '2.0' });
    const { printed } = await discover([at(second), at(first)]);
    expect(printed.map((line) => line.split(/ {2,}/))).toEqual([
      [
        'MODEL',
        'HARDWARE',
        'FIRMWARE',
        'ALIAS',
        'ADDRESS',
        'MAC',
        'PROTOCOL',
        'SIGNAL',
        'RELAY',
        'CLOUD',
        'NOTE',
      ],
      [
        'HS110(EU)',
        '2.0',
        '1.5.4',
        'Lamp 1',
        at(first),
        '50:C7:BF:00:00:01',
        'XOR',
        '-52 dBm',
        'OFF',
        'not bound',
      ],
      [
        'HS100(EU)',
        '1.0',
        '1.2.5',
        'Lamp 2',
        at(second),
        '50:C7:BF:00:00:02',
        'XOR',
        '-52 dBm',
        'ON',
        'not bound',
      ],
    ]);
  });

  it('prints the same for scripts', async () => {
    const plug = await plugAt('127.0.1.11', 1);
    const { output } = await discover([at(plug)], '--json');
    expect(JSON.parse(output)).toEqual([
      {
        model: 'HS110(EU)',
        hardware: '1.0',
        firmware: '1.2.5 Build 171213 Rel.101523',
        alias: 'Lamp 1',
        host: '127.0.1.11',
        port: plug.port,
        mac: '50:C7:BF:00:00:01',
        rssi: -52,
        relay: 'OFF',
        cloud: { bound: false, connected: false },
        protocol: 'xor',
        tcp: 'open',
        joined: true,
      },
    ]);
  });

  it('prints a section that config check accepts, with a path of its own for each plug', async () => {
    const one = await plugAt('127.0.1.12', 1, { alias: 'Große Halle' });
    const two = await plugAt('127.0.1.13', 2, { alias: 'Lamp # 1' });
    const three = await plugAt('127.0.1.14', 3, { alias: 'lamp-1' });
    const { output } = await discover([at(one), at(two), at(three)], '--yaml');
    expect(parse(output)).toEqual({
      plugs: [
        { path: 'grosse-halle', mac: '50:C7:BF:00:00:01', host: at(one) },
        { path: 'lamp-1-0002', mac: '50:C7:BF:00:00:02', host: at(two) },
        { path: 'lamp-1-0003', mac: '50:C7:BF:00:00:03', host: at(three) },
      ],
    });
    const shell = new FakeShell({ files: { 'found.yaml': output } });
    expect(await shell.run('config', 'check', 'found.yaml')).toBe(0);
  });

  it('asks plugs with newer firmware who they are, and says of those that refuse the login what they want', async () => {
    await klapPlugAt('127.0.1.15', ACCOUNT);
    const { printed, output } = await discover(['127.0.1.15']);
    expect(printed[1]).toMatch(/^HS110\(EU\) +2\.0 .* 127\.0\.1\.15:\d+ .* KLAP .* login refused$/);
    expect(output).toContain('login refused: it wants the name and password of the Kasa account');
    expect(output).not.toContain('Loom');
  });

  it('shows a plug with newer firmware that accepts the login like any other, in the section too', async () => {
    const { port } = await klapPlugAt('127.0.1.23', { username: '', password: '' });
    const { printed } = await discover(['127.0.1.23']);
    expect(printed[1]).toMatch(/^HS110\(EU\) +2\.0 +1\.5\.4 +Loom .* KLAP +-52 dBm +OFF +not bound$/);
    const section = (await discover(['127.0.1.23'], '--yaml')).output;
    expect(parse(section)).toEqual({
      plugs: [{ path: 'loom', mac: '50:C7:BF:00:00:01', host: `127.0.1.23:${port}` }],
    });
  });

  it('says of a strip how many of its outlets are on, and has it in the section', async () => {
    const children = [0, 1, 2].map((index) => ({
      id: `0${index}`,
      alias: `Lamp ${index}`,
      state: index > 0 ? 1 : 0,
    }));
    const strip = { mac: '50:C7:BF:00:00:09', alias: 'Desk', model: 'HS300(US)', children };
    const answer = { system: { get_sysinfo: { err_code: 0, ...strip } } };
    const port = await deafPlug('127.0.1.24', 0, encodeDatagram(JSON.stringify(answer)));
    const { printed } = await discover([`127.0.1.24:${port}`]);
    expect(printed[1]).toMatch(/^HS300\(US\) .* Desk .* 2 of 3 ON/);
    const { output } = await discover([`127.0.1.24:${port}`], '--json');
    expect(JSON.parse(output)[0].outlets[0]).toEqual({ alias: 'Lamp 0', relay: 'OFF' });
    expect(parse((await discover([`127.0.1.24:${port}`], '--yaml')).output).plugs[0].path).toBe('desk');
  });

  it('says of a strip whose outlets cannot be told apart that it is not a plug, and leaves it out of the section', async () => {
    const strip = { mac: '50:C7:BF:00:00:09', model: 'HS300(US)', children: [{ state: 1 }] };
    const answer = { system: { get_sysinfo: { err_code: 0, ...strip } } };
    const port = await deafPlug('127.0.1.22', 0, encodeDatagram(JSON.stringify(answer)));
    const { printed, output } = await discover([`127.0.1.22:${port}`]);
    expect(printed[1]).toMatch(/^HS300\(US\) .* not a plug/);
    expect(output).toContain('not a plug: it is of another family');
    const section = (await discover([`127.0.1.22:${port}`], '--yaml')).output;
    expect(section).toMatch(/^# left out: HS300.* not a plug$/m);
  });

  it('says of a plug that takes no TCP connections that its port is closed', async () => {
    const answer = { system: { get_sysinfo: { err_code: 0, mac: '50:C7:BF:00:00:08', relay_state: 1 } } };
    const port = await deafPlug('127.0.1.16', 0, encodeDatagram(JSON.stringify(answer)));
    const { printed } = await discover([`127.0.1.16:${port}`]);
    expect(printed[1]).toMatch(/ON +unknown +TCP closed$/);
  });

  it('does not know the cloud of a plug that answers something else', async () => {
    const plug = await plugAt('127.0.1.17', 1);
    plug.device.broken.set('cnCloud', -1);
    const other = await plugAt('127.0.1.18', 2);
    other.fault = { kind: 'garbage' };
    const { printed } = await discover([at(plug), at(other)]);
    expect(printed[1]).toMatch(/OFF +unknown$/);
    expect(printed[2]).toMatch(/OFF +unknown$/);
  });

  it('shows an alias that would act upon the terminal as an escape', async () => {
    const plug = await plugAt('127.0.1.19', 1, { alias: 'a\u001b[2Jb\nc' });
    const { printed } = await discover([at(plug)]);
    expect(printed).toHaveLength(2);
    expect(printed[1]).toContain('a\\u001b[2Jb\\nc');
    const section = (await discover([at(plug)], '--yaml')).output;
    expect(parse(section)).toMatchObject({ plugs: [{ path: 'a-2jb-c' }] });
  });

  it('says what to try when nobody answers', async () => {
    const { output } = await discover(['127.0.1.20:9']);
    expect(output).toContain('No plug answered');
    expect((await discover(['127.0.1.20:9'], '--json')).output).toBe('[]');
  });

  it('prints what it has when it is interrupted', async () => {
    const plug = await plugAt('127.0.1.21', 1);
    const shell = new FakeShell();
    plug.onQuery = () => setImmediate(() => shell.interrupt());
    expect(await shell.run('discover', '--timeout', '600', '--target', at(plug))).toBe(0);
  });

  it('fails when the only target is a name that does not resolve', async () => {
    const shell = new FakeShell();
    expect(await shell.run('discover', '--timeout', '1', '--target', 'no-such-host.invalid')).toBe(1);
    expect(shell.errors).toContain('no-such-host.invalid could not be asked');
  });

  it.each([
    [['--target', 'a b']],
    [['--target', '127.0.0.1:0']],
    [['--timeout', 'soon']],
    [['--timeout', '1ms']],
    [['--json', '--yaml']],
  ])('refuses %j', async (argv) => {
    const shell = new FakeShell();
    expect(await shell.run('discover', ...argv)).toBe(2);
    expect(shell.errors).toContain('error: ');
  });
});
