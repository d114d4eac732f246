import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/errors.ts';
import {
  broadcastAddresses,
  type DiscoveryOptions,
  discover,
  type FoundPlug,
  readAnswer,
} from '../../src/plug/discovery.ts';
import { Resolver } from '../../src/plug/resolver.ts';
import type { Address } from '../../src/plug/transport.ts';
import { decodeBody, encodeDatagram } from '../../src/protocol/frame.ts';
import { KLAP_DISCOVERY_REQUEST } from '../../src/protocol/klap-discovery.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

const clock = new SystemClock();
const opened: { stop(): Promise<unknown> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.stop()));
});

async function plugAt(host: string, mac: string, port = 0): Promise<PlugServer> {
  const device = new SimulatedDevice(
    { alias: `Lamp ${mac.slice(-2)}`, mac, hardware: '1.0', loadW: 40 },
    clock,
  );
  const server = new PlugServer({ device, host, port, clock, random: Math.random });
  await server.start();
  opened.push(server);
  return server;
}

/** A socket of the test's own that answers each datagram with whatever `answers` returns. */
async function responder(
  answers: (datagram: Buffer) => readonly Buffer[],
  host = '127.0.0.1',
): Promise<Address> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (datagram, sender) => {
    for (const answer of answers(datagram)) socket.send(answer, sender.port, sender.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  opened.push({ stop: () => new Promise<void>((resolve) => socket.close(() => resolve())) });
  return { host, port: socket.address().port };
}

function sysinfoAnswer(mac: string, more: object = {}): Buffer {
  return encodeDatagram(
    JSON.stringify({ system: { get_sysinfo: { err_code: 0, model: 'HS110(EU)', mac, ...more } } }),
  );
}

function klapAnswer(mac: string, more: object = {}): Buffer {
  const result = {
    device_id: '0'.repeat(32),
    owner: '0'.repeat(32),
    device_type: 'IOT.SMARTPLUGSWITCH',
    device_model: 'HS110(UK)',
    ip: '127.0.0.1',
    mac,
    hw_ver: '4.1',
    factory_default: false,
    mgt_encrypt_schm: { is_support_https: false, encrypt_type: 'KLAP', http_port: 80 },
    ...more,
  };
  const json = Buffer.from(JSON.stringify({ result, error_code: 0 }));
  const header = Buffer.from('02000001000000000000000000000000', 'hex');
  header.writeUInt16BE(json.length, 4);
  return Buffer.concat([header, json]);
}

async function search(
  targets: readonly Address[],
  more: Partial<DiscoveryOptions> = {},
): Promise<FoundPlug[]> {
  const found: FoundPlug[] = [];
  for await (const plug of discover({ targets, timeoutMs: 400, clock, random: Math.random, ...more })) {
    found.push(plug);
  }
  return found;
}

/** Looks until so many plugs have been found. */
async function searchFor(
  count: number,
  targets: readonly Address[],
  more: Partial<DiscoveryOptions> = {},
): Promise<FoundPlug[]> {
  const found: FoundPlug[] = [];
  const options = { targets, timeoutMs: 10_000, clock, random: Math.random, ...more };
  for await (const plug of discover(options)) {
    if (found.push(plug) === count) break;
  }
  return found;
}

describe('discovery', () => {
  it('finds each plug with its address, MAC and state', async () => {
    const one = await plugAt('127.0.0.2', '50:C7:BF:00:00:01');
    const two = await plugAt('127.0.0.3', '50:C7:BF:00:00:02');
    two.device.press();
    const found = await searchFor(2, [one, two]);
    const byMac = new Map(found.map((plug) => [plug.mac, plug]));
    expect(byMac.get('50:C7:BF:00:00:01')).toMatchObject({
      address: { host: '127.0.0.2', port: one.port },
      protocol: 'xor',
      joined: true,
      sysinfo: { alias: 'Lamp 01', model: 'HS110(EU)', hardware: '1.0', relay: false, rssi: -52 },
    });
    expect(byMac.get('50:C7:BF:00:00:02')).toMatchObject({ sysinfo: { relay: true } });
  });

  it('asks targets by name too, and waits for no name that does not resolve', async () => {
    const plug = await plugAt('127.0.0.1', '50:C7:BF:00:00:01');
    const resolver = new Resolver(clock, Math.random, {
      system: () => new Promise(() => {}),
      dns: (host) =>
        host === 'lamp.example'
          ? Promise.resolve([{ address: '127.0.0.1', family: 4 }])
          : new Promise(() => {}),
    });
    const targets = ['dead.example', 'lamp.example'].map((host) => ({ host, port: plug.port }));
    const [found] = await searchFor(1, targets, { resolver });
    expect(found).toMatchObject({ address: { host: '127.0.0.1', port: plug.port } });
  });

  it('names a plug once, however often it answers', async () => {
    const at = await responder(() => [
      sysinfoAnswer('50:C7:BF:00:00:01'),
      sysinfoAnswer('50:C7:BF:00:00:01'),
    ]);
    expect(await search([at])).toHaveLength(1);
  });

  it('names a plug again when it turns out to be elsewhere', async () => {
    let moved = false;
    const answer = [sysinfoAnswer('50:C7:BF:00:00:01')];
    const here = await responder(() => (moved ? [] : answer), '127.0.0.2');
    const there = await responder(() => (moved ? answer : []), '127.0.0.3');
    const manual = new ManualClock();
    const places: string[] = [];
    for await (const { address } of discover({ targets: [here, there], clock: manual, random: () => 0 })) {
      if (places.push(address.host) === 2) break;
      moved = true;
      await manual.advance(1250);
    }
    expect(places).toEqual(['127.0.0.2', '127.0.0.3']);
  });

  it('asks four times over its time, for sysinfo and nothing else', async () => {
    const manual = new ManualClock();
    const asked: string[] = [];
    const at = await responder((datagram) => {
      asked.push(decodeBody(datagram));
      return [];
    });
    const running = search([at], { clock: manual, random: () => 0, timeoutMs: 4000, klapPort: 9 });
    for (let round = 1; round <= 4; round++) {
      await until(() => asked.length === round, `round ${round}`);
      await manual.advance(1000);
    }
    expect(await running).toEqual([]);
    expect(asked).toEqual(Array(4).fill('{"system":{"get_sysinfo":{}}}'));
    expect(manual.armed).toBe(0);
  });

  it('goes on until its signal aborts when it has no end', async () => {
    const manual = new ManualClock();
    const stop = new AbortController();
    const at = await responder(() => [sysinfoAnswer('50:C7:BF:00:00:01')]);
    const options = { targets: [at], clock: manual, random: () => 0, signal: stop.signal };
    const found: string[] = [];
    for await (const { mac } of discover(options)) {
      found.push(mac);
      await manual.advance(3_600_000);
      stop.abort();
    }
    expect(found).toEqual(['50:C7:BF:00:00:01']);
    expect(manual.armed).toBe(0);
  });

  it('finds nobody and asks nobody when its signal has aborted already', async () => {
    const at = await responder(() => [sysinfoAnswer('50:C7:BF:00:00:01')]);
    expect(await search([at], { signal: AbortSignal.abort() })).toEqual([]);
  });

  it('reports a plug that answers on port 20002 only as newer firmware', async () => {
    const klap = await responder(
      (datagram) => (datagram.equals(KLAP_DISCOVERY_REQUEST) ? [klapAnswer('50-C7-BF-00-00-07')] : []),
      '127.0.0.4',
    );
    const [found] = await searchFor(1, [{ host: '127.0.0.4', port: 9 }], { klapPort: klap.port });
    expect(found).toMatchObject({
      mac: '50:C7:BF:00:00:07',
      protocol: 'klap',
      address: { host: '127.0.0.4', port: 80 },
      sysinfo: { model: 'HS110(UK)', hardware: '4.1', relay: undefined },
    });
  });

  it('prefers the older protocol where a plug speaks both', async () => {
    const plug = await plugAt('127.0.0.5', '50:C7:BF:00:00:08');
    const klap = await responder(() => [klapAnswer('50-C7-BF-00-00-08')], '127.0.0.5');
    const found = await search([plug], { klapPort: klap.port });
    expect(found.at(-1)?.protocol).toBe('xor');
  });

  it('passes over echoes, nonsense and what is too long', async () => {
    const at = await responder((datagram) => [
      datagram,
      Buffer.alloc(0),
      Buffer.from('nonsense'),
      encodeDatagram('[]'),
      encodeDatagram('{"system":{"get_sysinfo":{"err_code":-1}}}'),
      encodeDatagram('{"system":{"get_sysinfo":{"mac":"not a MAC"}}}'),
      sysinfoAnswer('50:C7:BF:00:00:09', { alias: 'x'.repeat(9000) }),
      Buffer.from('0200000100', 'hex'),
      klapAnswer('nobody'),
      sysinfoAnswer('50:C7:BF:00:00:01'),
    ]);
    expect((await search([at])).map(({ mac }) => mac)).toEqual(['50:C7:BF:00:00:01']);
  });

  it('finds a thousand plugs that answer at once', async () => {
    const answers = Array.from({ length: 1000 }, (_, index) => {
      const digits = index.toString(16).padStart(4, '0');
      return sysinfoAnswer(`50:C7:BF:00:${digits.slice(0, 2)}:${digits.slice(2)}`, {
        alias: 'x'.repeat(400),
      });
    });
    const at = await responder(() => answers);
    const found = await searchFor(1000, [at]);
    expect(new Set(found.map(({ mac }) => mac)).size).toBe(1000);
  });

  /** Answers for `count` plugs, of which each round hears only the next so many. */
  function heardInParts(count: number, perRound: number): () => Buffer[] {
    const all = Array.from({ length: count }, (_, index) =>
      sysinfoAnswer(`50:C7:BF:00:00:${index.toString(16).padStart(2, '0')}`),
    );
    return () => all.splice(0, perRound);
  }

  /** Searches in rounds of one second, of which `count` are seen to the end. */
  async function searchInRounds(
    count: number,
    answers: () => readonly Buffer[],
    more: Partial<DiscoveryOptions> = {},
  ): Promise<{ found: FoundPlug[]; rounds: number }> {
    const manual = new ManualClock();
    let rounds = 0;
    let sent = 0;
    const at = await responder((datagram) => {
      if (datagram.equals(KLAP_DISCOVERY_REQUEST)) return [];
      rounds++;
      const heard = answers();
      sent += heard.length;
      return heard;
    });
    const found: FoundPlug[] = [];
    const running = (async () => {
      const options = { targets: [at], clock: manual, random: () => 0, timeoutMs: 4000, ...more };
      for await (const plug of discover(options)) found.push(plug);
    })();
    for (let round = 1; round <= count; round++) {
      await until(() => rounds === round && found.length === sent, `what was sent in round ${round}`);
      await manual.advance(1000);
    }
    await running;
    return { found, rounds };
  }

  it('goes on beyond its time until a round brings nothing new', async () => {
    const { found, rounds } = await searchInRounds(7, heardInParts(60, 10));
    expect({ found: found.length, rounds }).toEqual({ found: 60, rounds: 7 });
  });

  it('comes to an end though strangers make up new plugs for ever', async () => {
    let made = 0;
    const answers = () => [sysinfoAnswer(`50:C7:BF:00:00:${(made++).toString(16).padStart(2, '0')}`)];
    const { rounds } = await searchInRounds(16, answers);
    expect(rounds).toBe(16);
  });

  it('hears no more strangers than its limit, and all the same the plugs that are looked for', async () => {
    const macs = Array.from({ length: 9 }, (_, index) => `50:C7:BF:00:00:0${index + 1}`);
    const at = await responder(() => macs.map((mac) => sysinfoAnswer(mac)));
    const found = await search([at], { limit: 5, expected: new Set(macs.slice(7)) });
    expect(found.map(({ mac }) => mac)).toEqual([...macs.slice(0, 5), ...macs.slice(7)]);
  });

  it('says how to make room for answers where a crowd was not heard at once for want of it', async () => {
    const hints: string[] = [];
    const more = { lossy: (hint: string) => hints.push(hint), receiveBufferBytes: 2 ** 30 };
    await searchInRounds(4, heardInParts(200, 100), more);
    expect(hints).toEqual([expect.stringMatching(/keeps \d+ bytes.*net\.core\.rmem_max=1073741824/)]);
  });

  it.each([
    ['few plugs', 60, 20, 2 ** 30],
    ['plugs that were heard at once', 200, 200, 2 ** 30],
    ['a buffer that is large enough', 200, 100, 128 * 1024],
  ])('says nothing of it with %s', async (_, count, perRound, receiveBufferBytes) => {
    const hints: string[] = [];
    await searchInRounds(4, heardInParts(count, perRound), {
      lossy: (hint) => hints.push(hint),
      receiveBufferBytes,
    });
    expect(hints).toEqual([]);
  });

  it('says which target could not be asked, and goes on with the others', async () => {
    const plug = await plugAt('127.0.0.6', '50:C7:BF:00:00:01');
    const unsent: string[] = [];
    const found = await search([{ host: 'no-such-host.invalid', port: 9999 }, plug], {
      unsent: ({ host }) => unsent.push(host),
    });
    expect(unsent).toEqual(['no-such-host.invalid']);
    expect(found).toHaveLength(1);
  });

  it('fails when no address could be asked', async () => {
    const nowhere = search([{ host: 'no-such-host.invalid', port: 9999 }]);
    await expect(nowhere).rejects.toThrow(BridgeError);
    await expect(nowhere).rejects.toThrow(/no address could be asked for plugs: .*no-such-host\.invalid/);
  });
});

describe('an answer', () => {
  it('from the address of the set-up Wi-Fi is that of a plug not yet joined', () => {
    const answer = sysinfoAnswer('50:C7:BF:00:00:01');
    expect(readAnswer(answer, { host: '192.168.0.1', port: 9999 })?.joined).toBe(false);
  });

  it.each([
    ['IOT.SMARTPLUGSWITCH', 'HS110(UK)', 'plug'],
    ['IOT.SMARTBULB', 'KL130', 'bulb'],
    ['SMART.TAPOPLUG', 'P110', 'other'],
    ['SMART.KASAPLUG', 'EP25', 'other'],
    [undefined, 'P100', 'other'],
  ])('of newer firmware with the type %s (%s) is that of a %s', (device_type, device_model, kind) => {
    const answer = klapAnswer('50-C7-BF-00-00-01', { device_type, device_model });
    const found = readAnswer(answer, { host: '192.0.2.1', port: 20002 });
    expect(found?.sysinfo).toMatchObject({ kind, model: device_model });
  });

  it('of a plug that wants another encryption than KLAP is one of another protocol', () => {
    const answer = klapAnswer('50-C7-BF-00-00-01', {
      mgt_encrypt_schm: { encrypt_type: 'AES', http_port: 80 },
    });
    expect(readAnswer(answer, { host: '192.0.2.1', port: 20002 })?.protocol).toBe('other');
  });

  it('that nests as deep as a datagram allows is none', () => {
    const deep = `{"system":${'{"a":'.repeat(1000)}{}${'}'.repeat(1000)}}`;
    expect(readAnswer(encodeDatagram(deep), { host: '192.0.2.1', port: 9999 })).toBeUndefined();
  });

  it('of newer firmware without a usable port is taken to mean port 80', () => {
    const answer = klapAnswer('50-C7-BF-00-00-01', { mgt_encrypt_schm: { http_port: 1e9 } });
    expect(readAnswer(answer, { host: '192.0.2.1', port: 20002 })?.address).toEqual({
      host: '192.0.2.1',
      port: 80,
      protocol: 'klap',
    });
  });
});

describe('a broadcast', () => {
  it('goes to every IPv4 network of the machine but the loopback, and to 255.255.255.255', () => {
    const common = { mac: '00:00:00:00:00:00', cidr: null };
    const v4 = (address: string, netmask: string, internal = false) =>
      ({ ...common, family: 'IPv4', address, netmask, internal }) as const;
    expect(
      broadcastAddresses({
        lo: [v4('127.0.0.1', '255.0.0.0', true)],
        eth0: [
          v4('192.168.1.17', '255.255.255.0'),
          { ...common, family: 'IPv6', address: 'fe80::1', netmask: 'ffff::', internal: false, scopeid: 2 },
        ],
        wlan0: [v4('10.1.130.4', '255.255.128.0'), v4('192.168.1.18', '255.255.255.0')],
        tunnel: [v4('10.8.0.2', '255.255.255.255')],
      }),
    ).toEqual(['192.168.1.255', '10.1.255.255', '255.255.255.255']);
  });
});
