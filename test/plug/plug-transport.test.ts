import { afterEach, describe, expect, it } from 'vitest';
import { PlugClient } from '../../src/plug/plug-client.ts';
import { PlugTransport, type PlugTransportOptions } from '../../src/plug/plug-transport.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { ACCOUNT, KlapPlug, klapOptions } from '../support/klap-plug.ts';
import { LoopbackPlug } from '../support/loopback-plug.ts';
import { rejectionOf } from '../support/thrown.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function klapPlug(port = 0): Promise<KlapPlug> {
  const plug = await KlapPlug.started({ port });
  closing.push(() => plug.server.stop());
  return plug;
}

/** A plug with the older firmware, whose inside is that of `plug`. */
async function xorServer(plug: KlapPlug, port: number): Promise<PlugServer> {
  const { device } = plug;
  const clock = new SystemClock();
  const server = new PlugServer({ device, host: '127.0.0.1', port, clock, random: Math.random });
  await server.start();
  closing.push(() => server.stop());
  return server;
}

function transportTo(
  address: { readonly host: string; readonly port: number },
  more: Partial<PlugTransportOptions> = {},
): PlugTransport {
  const transport = new PlugTransport(address, { ...klapOptions(undefined, ACCOUNT), ...more });
  closing.push(() => transport.close());
  return transport;
}

describe('a plug whose protocol is not known', () => {
  it('is asked in KLAP where it answers with HTTP, and from then on at once', async () => {
    const plug = await klapPlug();
    const learnt: string[] = [];
    const transport = transportTo(plug.address, { learnt: (protocol) => learnt.push(protocol) });
    const client = new PlugClient(transport, 1000, undefined);
    for (let count = 0; count < 3; count++) expect((await client.read()).sysinfo.alias).toBe('Loom');
    expect(transport.protocol).toBe('klap');
    expect(learnt).toEqual(['klap']);
    expect(plug.server.handshakes).toBe(1);
  });

  it('is asked in XOR where it understands that, and nothing else is tried', async () => {
    const plug = await LoopbackPlug.started();
    closing.push(() => plug.stop());
    const transport = transportTo({ host: plug.server.host, port: plug.server.port });
    const client = new PlugClient(transport, 1000, undefined);
    await client.read();
    await client.read();
    expect([transport.protocol, plug.server.accepted]).toEqual(['xor', 1]);
  });

  it('fails as it did in the first protocol where it speaks neither', async () => {
    const plug = await klapPlug();
    await plug.server.stop();
    const error = await rejectionOf(new PlugClient(transportTo(plug.address), 1000, undefined).read());
    expect(error).toMatchObject({ reason: 'refused' });
  });

  it('is said to refuse the login where it speaks KLAP and does', async () => {
    const plug = await klapPlug();
    plug.server.credentials = { username: 'else', password: 'else' };
    const transport = transportTo(plug.address);
    const error = await rejectionOf(new PlugClient(transport, 1000, undefined).read());
    expect(error).toMatchObject({ reason: 'login-refused' });
    expect(transport.protocol).toBe('klap');
  });
});

describe('a plug whose protocol is remembered', () => {
  it('is asked in it at once', async () => {
    const plug = await klapPlug();
    const transport = transportTo(plug.address, { protocol: 'klap' });
    await new PlugClient(transport, 1000, undefined).read();
    expect(plug.server.handshakes).toBe(1);
  });

  it.each(['xor', 'klap'] as const)(
    'is followed when its firmware leaves %s for the other',
    async (before) => {
      const plug = await klapPlug();
      const { address } = plug;
      const transport = transportTo(address, { protocol: before });
      const client = new PlugClient(transport, 1000, undefined);
      let server: { stop(): Promise<void> } = plug.server;
      if (before === 'xor') {
        await server.stop();
        server = await xorServer(plug, address.port);
      }
      await client.read();
      const connection = transport.connection;
      await server.stop();
      if (before === 'xor') await plug.server.start();
      else await xorServer(plug, address.port);

      const applied = await client.apply({ relay: true }).catch(() => client.apply({ relay: true }));
      expect(applied.sysinfo.relay).toBe(true);
      expect(transport.protocol).toBe(before === 'xor' ? 'klap' : 'xor');
      expect(transport.connection).toBeGreaterThan(connection);
    },
  );
});

describe('an address', () => {
  it('stays what it is when only the port of the protocol is another', () => {
    const transport = transportTo({ host: '192.0.2.1', port: 9999 });
    transport.moveTo({ host: '192.0.2.1', port: 80, protocol: 'klap' });
    expect(transport.address).toEqual({ host: '192.0.2.1', port: 9999 });
    expect(transport.protocol).toBe('klap');
    transport.moveTo({ host: '192.0.2.2', port: 80, protocol: 'klap' });
    expect(transport.address?.host).toBe('192.0.2.2');
  });
});
