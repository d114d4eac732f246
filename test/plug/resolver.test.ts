import type { LookupAddress } from 'node:dns';
import { afterEach, describe, expect, it } from 'vitest';
import { Networks } from '../../src/plug/networks.ts';
import { Resolver } from '../../src/plug/resolver.ts';
import { TcpTransport } from '../../src/plug/tcp-transport.ts';
import { GET_SYSINFO } from '../../src/protocol/requests.ts';
import { ManualClock, settled } from '../support/manual-clock.ts';
import { frameOf, RawPeer } from '../support/raw-peer.ts';
import { rejectionOf } from '../support/thrown.ts';

const open: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()));
});

const DEAD_MS = 20_000;

/** A machine whose names resolve as a test says: to an address, to nothing (`null`), or not for 20 s (`dead`). */
class Names {
  readonly clock = new ManualClock();
  readonly known = new Map<string, string | null | 'dead'>();
  /** What DNS alone knows. */
  readonly dns = new Map<string, string>();
  /** What the system was asked, oldest first. */
  readonly asked: string[] = [];
  inFlight = 0;
  mostInFlight = 0;
  readonly resolver = new Resolver(this.clock, () => 0, {
    system: (host) => this.#system(host),
    dns: async (host) => addressesOf(host, this.dns.get(host)),
  });

  async #system(host: string): Promise<readonly LookupAddress[]> {
    this.asked.push(host);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    const known = this.known.get(host);
    if (known === 'dead') {
      await new Promise<void>((resolve) => this.clock.timer(resolve).set(DEAD_MS));
    }
    this.inFlight--;
    return addressesOf(host, known === 'dead' ? null : known);
  }

  /** How often the system was asked for `host`. */
  count(host: string): number {
    return this.asked.filter((asked) => asked === host).length;
  }
}

function addressesOf(host: string, address: string | null | undefined): LookupAddress[] {
  if (address) return [{ address, family: 4 }];
  throw Object.assign(new Error(`ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
}

const found = (address: string) => [{ address, family: 4 }];

describe('the name of a plug', () => {
  it('is looked up once for all who ask at a time, and for a minute after', async () => {
    const names = new Names();
    names.known.set('lamp', '192.0.2.1');
    const answers = await Promise.all(Array.from({ length: 10 }, () => names.resolver.resolve('lamp')));
    expect(answers).toEqual(Array.from({ length: 10 }, () => found('192.0.2.1')));
    await names.clock.advance(59_999);
    await names.resolver.resolve('lamp');
    expect(names.asked).toEqual(['lamp']);
    expect(names.clock.armed).toBe(0);
  });

  it('is refreshed in the background: nobody waits for it again', async () => {
    const names = new Names();
    names.known.set('lamp', '192.0.2.1');
    await names.resolver.resolve('lamp');
    await names.clock.advance(60_000);
    names.known.set('lamp', '192.0.2.2');
    expect(await names.resolver.resolve('lamp')).toEqual(found('192.0.2.1'));
    await settled();
    expect(await names.resolver.resolve('lamp')).toEqual(found('192.0.2.2'));
    expect(names.count('lamp')).toBe(2);
  });

  it('keeps its address while the name service is gone', async () => {
    const names = new Names();
    names.known.set('lamp', '192.0.2.1');
    await names.resolver.resolve('lamp');
    for (const state of [null, 'dead'] as const) {
      names.known.set('lamp', state);
      await names.clock.advance(60_000);
      for (let turn = 0; turn < 3; turn++) {
        expect(await names.resolver.resolve('lamp')).toEqual(found('192.0.2.1'));
        await settled();
      }
    }
  });

  it('that is not found is asked for again later and later, and meanwhile fails at once', async () => {
    const names = new Names();
    const askedAt: number[] = [];
    for (let second = 0; second <= 300; second++) {
      const before = names.asked.length;
      expect(await rejectionOf(names.resolver.resolve('gone'))).toMatchObject({ code: 'ENOTFOUND' });
      if (names.asked.length > before) askedAt.push(second);
      await names.clock.advance(1000);
    }
    expect(askedAt).toEqual([0, 5, 15, 35, 75, 135, 195, 255]);
    names.known.set('gone', '192.0.2.9');
    await names.clock.advance(60_000);
    expect(await names.resolver.resolve('gone')).toEqual(found('192.0.2.9'));
  });

  it('that nobody answers for is given up after 3 s, and found all the same when the answer comes', async () => {
    const names = new Names();
    names.known.set('slow', 'dead');
    const failed = rejectionOf(names.resolver.resolve('slow'));
    await names.clock.advance(3000);
    expect(await failed).toMatchObject({ code: 'EAI_AGAIN' });
    names.known.set('slow', '192.0.2.3');
    await names.clock.advance(60_000);
    expect(await names.resolver.resolve('slow')).toEqual(found('192.0.2.3'));
    expect(names.clock.armed).toBe(0);
  });

  it('does not wait for dead names: DNS is asked beside the system, of which one thread is used', async () => {
    const names = new Names();
    const dead = Array.from({ length: 20 }, (_, index) => `dead-${index}`);
    for (const host of dead) names.known.set(host, 'dead');
    for (const host of dead) void rejectionOf(names.resolver.resolve(host));
    names.known.set('lamp', '192.0.2.1');
    names.dns.set('lamp', '192.0.2.1');
    let address: unknown;
    void names.resolver.resolve('lamp').then((addresses) => {
      address = addresses;
    });
    await names.clock.advance(500);
    expect(address).toEqual(found('192.0.2.1'));
    await names.clock.advance(600_000);
    expect(names.mostInFlight).toBe(1);
  });

  it('that has not failed yet goes before those that have', async () => {
    const names = new Names();
    for (const host of ['dead-1', 'dead-2', 'dead-3']) names.known.set(host, 'dead');
    const ask = (host: string) => rejectionOf(names.resolver.resolve(host));
    for (const host of ['dead-1', 'dead-2', 'dead-3']) void ask(host);
    await names.clock.advance(3 * DEAD_MS);
    names.asked.length = 0;
    for (const host of ['dead-1', 'dead-2', 'dead-3']) void ask(host);
    names.known.set('hosts-file', '192.0.2.4');
    const answer = names.resolver.resolve('hosts-file').catch(() => undefined);
    await names.clock.advance(DEAD_MS);
    await answer;
    expect(names.asked.slice(0, 2)).toEqual(['dead-1', 'hosts-file']);
    expect(await names.resolver.resolve('hosts-file')).toEqual(found('192.0.2.4'));
  });
});

describe('an address', () => {
  it.each([
    ['192.0.2.1', 4],
    ['::1', 6],
  ])('needs no name service: %s', async (address, family) => {
    const names = new Names();
    expect(await names.resolver.resolve(address)).toEqual([{ address, family }]);
    expect(names.asked).toEqual([]);
  });
});

describe('a connection', () => {
  async function transportTo(host: string, names: Names): Promise<TcpTransport> {
    const peer = new RawPeer();
    await peer.start();
    peer.onQuestion = (socket) => socket.write(frameOf({ system: {} }));
    open.push(peer);
    const { port } = peer.address;
    const transport = new TcpTransport({ host, port }, names.clock, names.resolver.lookup);
    open.push({ stop: async () => transport.close() });
    return transport;
  }

  it('to a name goes to the address that was found', async () => {
    const names = new Names();
    names.known.set('lamp.museum.example', '127.0.0.1');
    const transport = await transportTo('lamp.museum.example', names);
    expect(await transport.exchange(GET_SYSINFO, 1000)).toEqual({ system: {} });
    transport.close();
    expect(await transport.exchange(GET_SYSINFO, 1000)).toEqual({ system: {} });
    expect(names.asked).toEqual(['lamp.museum.example']);
  });

  it('to an address asks no name service', async () => {
    const names = new Names();
    const transport = await transportTo('127.0.0.1', names);
    expect(await transport.exchange(GET_SYSINFO, 1000)).toEqual({ system: {} });
    expect(names.asked).toEqual([]);
  });

  it('to a name that is not found fails as an unknown host', async () => {
    const names = new Names();
    const transport = await transportTo('gone.museum.example', names);
    expect(await rejectionOf(transport.exchange(GET_SYSINFO, 1000))).toMatchObject({
      reason: 'unknown-host',
      message: expect.stringContaining('is a name that does not resolve'),
    });
  });
});

describe('a name of a plug that stands for an address outside of its networks', () => {
  it('is as good as none', async () => {
    const networks = new Networks([{ address: '192.168.0.0', prefix: 16 }]);
    const found = [
      { address: '93.184.216.34', family: 4 },
      { address: '192.168.1.7', family: 4 },
    ];
    const services = { system: async () => found, dns: async () => found };
    const resolver = new Resolver(new ManualClock(), () => 0, services, networks);
    const lookup = () =>
      new Promise((resolve, reject) => {
        resolver.lookup('lamp', { all: true }, (error, addresses) =>
          error ? reject(error) : resolve(addresses),
        );
      });
    expect(await lookup()).toEqual([{ address: '192.168.1.7', family: 4 }]);
    found.pop();
    await expect(lookup()).rejects.toThrow('ENOTFOUND lamp');
  });
});
