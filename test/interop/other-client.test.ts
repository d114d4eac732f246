import { Client, type Plug } from 'tplink-smarthome-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HOUR_MS = 3_600_000;

const servers: PlugServer[] = [];
let clock: ManualClock;
let client: Client;

beforeEach(() => {
  clock = new ManualClock('2026-03-05T12:00:00Z');
  client = new Client({ logLevel: 'silent' });
});

afterEach(async () => {
  client.stopDiscovery();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** Puts a simulated plug on the network; its clock and meter stand still until a test moves them. */
async function start(hardware: '1.0' | '2.0', number = 1): Promise<PlugServer> {
  const mac = `50:C7:BF:00:00:0${number}`;
  const device = new SimulatedDevice({ alias: `Lamp ${number}`, mac, hardware, loadW: 40 }, clock);
  const options = { host: '127.0.0.1', port: 0, clock: new SystemClock(), random: Math.random };
  const server = new PlugServer({ device, ...options });
  servers.push(server);
  await server.start();
  return server;
}

describe.each([
  ['1.0', 'tcp'],
  ['1.0', 'udp'],
  ['2.0', 'tcp'],
  ['2.0', 'udp'],
] as const)(
  'the client of tplink-smarthome-api with the simulated hardware %s over %s',
  (hardware, transport) => {
    let server: PlugServer;
    let plug: Plug;

    beforeEach(async () => {
      server = await start(hardware);
      const { host, port } = server;
      const defaultSendOptions = { transport, timeout: 5000 };
      const sysInfo = await client.getSysInfo(host, port, defaultSendOptions);
      const device = await client.getDevice({ host, port, defaultSendOptions }, defaultSendOptions);
      if (device.deviceType !== 'plug') throw new Error(`it takes the plug for a ${device.deviceType}`);
      plug = device;
      expect(plug.sysInfo).toEqual(sysInfo);
    });

    it('takes it for a plug with a meter, and reads who it is', () => {
      expect(plug.model).toBe('HS110(EU)');
      expect(plug.alias).toBe('Lamp 1');
      expect(plug.mac).toBe('50:C7:BF:00:00:01');
      expect(plug.hardwareVersion).toBe(hardware);
      expect(plug.supportsEmeter).toBe(true);
      expect(plug.relayState).toBe(false);
      expect(server.accepted > 0).toBe(transport === 'tcp');
    });

    it('switches it on and off', async () => {
      await expect(plug.setPowerState(true)).resolves.toBe(true);
      expect(server.device.relay).toBe(true);
      await expect(plug.getPowerState()).resolves.toBe(true);

      await expect(plug.togglePowerState()).resolves.toBe(false);
      expect(server.device.relay).toBe(false);
      await expect(plug.getPowerState()).resolves.toBe(false);
    });

    it('switches its LED off and on', async () => {
      await plug.setLedState(false);
      expect(server.device.led).toBe(false);
      await expect(plug.getLedState()).resolves.toBe(false);

      await plug.setLedState(true);
      expect(server.device.led).toBe(true);
      await expect(plug.getLedState()).resolves.toBe(true);
    });

    it('reads its meter: nothing while it is off, its load while it is on, the energy of an hour', async () => {
      await plug.emeter.getRealtime();
      expect(plug.emeter.realtime).toMatchObject({ power: 0, current: 0, total: 0 });

      await plug.setPowerState(true);
      await clock.advance(HOUR_MS);
      await plug.emeter.getRealtime();
      const { power = 0, current = 0, voltage = 0, total } = plug.emeter.realtime;
      expect(Math.abs(power - 40)).toBeLessThan(1);
      expect(Math.abs(voltage - 230)).toBeLessThan(3);
      expect(Math.abs(current - power / voltage)).toBeLessThan(0.01);
      expect(total).toBeCloseTo(0.04, 6);
    });

    it('reads the energy of the day and of the month', async () => {
      await plug.setPowerState(true);
      await clock.advance(HOUR_MS);

      const energy = hardware === '1.0' ? { energy: expect.closeTo(0.04, 6) } : { energy_wh: 40 };
      await expect(plug.emeter.getDayStats(2026, 3)).resolves.toMatchObject({
        day_list: [{ year: 2026, month: 3, day: 5, ...energy }],
      });
      await expect(plug.emeter.getDayStats(2026, 2)).resolves.toMatchObject({ day_list: [] });
      await expect(plug.emeter.getMonthStats(2026)).resolves.toMatchObject({
        month_list: [{ year: 2026, month: 3, ...energy }],
      });
    });

    it('reads description, cloud, meter and schedule in one question', async () => {
      const { sysInfo, cloud, emeter, schedule } = await plug.getInfo();
      expect(sysInfo).toMatchObject({ alias: 'Lamp 1', err_code: 0 });
      expect(cloud.info).toMatchObject({ binded: 0, err_code: 0 });
      expect(emeter.realtime).toMatchObject({ power: 0, err_code: 0 });
      expect(schedule.nextAction).toMatchObject({ type: -1, err_code: 0 });
    });

    it('reads its clock', async () => {
      await expect(plug.time.getTime()).resolves.toMatchObject({ year: 2026, month: 3, mday: 5, hour: 12 });
    });
  },
);

describe('the discovery of tplink-smarthome-api', () => {
  it('finds simulated plugs by UDP, and switches what it found', async () => {
    const old = await start('1.0', 1);
    const young = await start('2.0', 2);
    const found = new Promise<Map<string, Plug>>((resolve, reject) => {
      const plugs = new Map<string, Plug>();
      client.on('error', reject);
      client.on('plug-new', (plug) => {
        plugs.set(plug.mac, plug);
        if (plugs.size === 2) resolve(plugs);
      });
    });
    client.startDiscovery({
      address: '127.0.0.1',
      broadcast: '127.0.0.1',
      devices: [old, young].map(({ host, port }) => ({ host, port })),
      devicesUseDiscoveryPort: true,
      macAddresses: ['50:C7:BF:00:00:01', '50:C7:BF:00:00:02'],
    });

    const plugs = await found;
    expect([...plugs.values()].map(({ port }) => port).sort()).toEqual([old.port, young.port].sort());
    await plugs.get('50:C7:BF:00:00:02')?.setPowerState(true);
    expect([old.device.relay, young.device.relay]).toEqual([false, true]);
  });
});
