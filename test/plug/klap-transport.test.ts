import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PlugError } from '../../src/errors.ts';
import { KlapTransport } from '../../src/plug/klap-transport.ts';
import { answerTo, readSysinfo } from '../../src/protocol/replies.ts';
import { GET_SYSINFO, GET_SYSINFO_AND_METER, setAndConfirm } from '../../src/protocol/requests.ts';
import type { KlapServerOptions } from '../../src/simulator/klap-server.ts';
import { ACCOUNT, KlapPlug, klapOptions } from '../support/klap-plug.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { rejectionOf } from '../support/thrown.ts';
import { until } from '../support/until.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function plugOn(options: Partial<KlapServerOptions> = {}): Promise<KlapPlug> {
  const plug = await KlapPlug.started(options);
  closing.push(() => plug.server.stop());
  return plug;
}

function transportTo(address: KlapPlug['address'], options = klapOptions(undefined, ACCOUNT)): KlapTransport {
  const transport = new KlapTransport(address, options);
  closing.push(() => transport.close());
  return transport;
}

async function aliasOver(transport: KlapTransport): Promise<string | undefined> {
  return readSysinfo(answerTo(await transport.exchange(GET_SYSINFO, 1000), 'system', 'get_sysinfo')).alias;
}

async function reasonOf(exchange: Promise<unknown>): Promise<string> {
  const error = await rejectionOf(exchange);
  return error instanceof PlugError ? error.reason : String(error);
}

describe('an exchange', () => {
  it.each([1, 2] as const)('in version %i logs in once, and then only asks', async (version) => {
    const plug = await plugOn({ version });
    const transport = transportTo(plug.address);
    for (let count = 0; count < 3; count++) expect(await aliasOver(transport)).toBe('Loom');
    expect(plug.server.handshakes).toBe(1);
    expect(transport.connection).toBe(1);
    expect(transport.connected).toBe(true);
  });

  it.each([
    ['the account of the site', ACCOUNT],
    ['that of the Kasa app in the factory', { username: 'kasa@tp-link.net', password: 'kasaSetup' }],
    ['that of other devices in the factory', { username: 'test@tp-link.net', password: 'test' }],
    ['none', { username: '', password: '' }],
  ])('finds by one handshake that the plug knows %s', async (_, credentials) => {
    const plug = await plugOn({ credentials });
    expect(await aliasOver(transportTo(plug.address))).toBe('Loom');
    expect([plug.server.handshakes, plug.server.wrongHashes]).toEqual([1, 0]);
  });

  it('sends text that is not ASCII as it is', async () => {
    const plug = await plugOn();
    plug.device.answer({ system: { set_dev_alias: { alias: 'Webstuhl ☃ Süd' } } });
    expect(await aliasOver(transportTo(plug.address))).toBe('Webstuhl ☃ Süd');
  });

  it('is made again in a new session where the phone app has taken the old one', async () => {
    const plug = await plugOn();
    const transport = transportTo(plug.address);
    await aliasOver(transport);
    plug.server.dropSession();
    expect(await aliasOver(transport)).toBe('Loom');
    expect(transport.connection).toBe(2);
  });

  it('that must stay on its connection is not made in another session', async () => {
    const plug = await plugOn();
    const transport = transportTo(plug.address);
    await aliasOver(transport);
    plug.server.dropSession();
    const set = setAndConfirm({ relay: true }, false);
    expect(await reasonOf(transport.exchange(set, 1000, true))).toBe('closed');
    expect(transport.hungUp).toBe(true);
    expect(plug.device.relay).toBe(false);
  });

  it('goes on in its session where only the connection was closed', async () => {
    const plug = await plugOn();
    const transport = transportTo(plug.address);
    await aliasOver(transport);
    plug.server.closeConnections();
    expect(await aliasOver(transport)).toBe('Loom');
    expect(plug.server.handshakes).toBe(1);
  });

  it('ends in time where the plug does not answer', async () => {
    const plug = await plugOn();
    const transport = transportTo(plug.address);
    plug.server.silent = true;
    expect(await reasonOf(transport.exchange(GET_SYSINFO, 50))).toBe('timeout');
    plug.server.silent = false;
    expect(await aliasOver(transport)).toBe('Loom');
  });

  it('ends at once when it is given up', async () => {
    const plug = await plugOn();
    const transport = transportTo(plug.address);
    plug.server.silent = true;
    const asked = reasonOf(transport.exchange(GET_SYSINFO, 60_000));
    transport.close();
    expect(await asked).toBe('closed');
  });

  it('fails as refused where nothing listens', async () => {
    const plug = await plugOn();
    await plug.server.stop();
    expect(await reasonOf(transportTo(plug.address).exchange(GET_SYSINFO, 1000))).toBe('refused');
  });

  it.each([
    ['no HTTP', Buffer.from('D0F2')],
    ['another status', Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')],
    ['a short answer', Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc')],
    ['an endless header', Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(10_000)}`)],
    ['an endless body', Buffer.from(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`)],
  ])('fails as a bad answer where a stranger answers with %s', async (_, bytes) => {
    const stranger = createServer((socket) => {
      socket.on('data', () => socket.write(bytes));
      socket.on('error', () => socket.destroy());
      closing.push(() => socket.destroy());
    });
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    closing.push(() => stranger.close());
    const { port } = stranger.address() as AddressInfo;
    const transport = transportTo({ host: '127.0.0.1', port });
    expect(await reasonOf(transport.exchange(GET_SYSINFO, 5000))).toBe('bad-answer');
  });
});

describe('a session', () => {
  it('is renewed before the plug would end it', async () => {
    const clock = new ManualClock();
    const plug = await plugOn();
    const transport = transportTo(plug.address, klapOptions(clock, ACCOUNT));
    await aliasOver(transport);
    clock.sleep(23 * 3_600_000);
    await aliasOver(transport);
    expect(plug.server.handshakes).toBe(1);
    clock.sleep(3_600_000);
    expect(transport.connected).toBe(false);
    await aliasOver(transport);
    expect(plug.server.handshakes).toBe(2);
  });
});

describe('a login that is refused', () => {
  it('says what to do, and never sends a hash that is wrong', async () => {
    const plug = await plugOn({ credentials: { username: 'User@example.com', password: 'else' } });
    const error = await rejectionOf(transportTo(plug.address).exchange(GET_SYSINFO, 1000));
    expect(error).toMatchObject({ reason: 'login-refused' });
    expect(String(error)).toContain('kasa.username');
    expect(String(error)).not.toContain(ACCOUNT.password);
    expect(plug.server.wrongHashes).toBe(0);
  });

  it('is not tried again within a minute, however often the plug is asked', async () => {
    const clock = new ManualClock();
    const plug = await plugOn({ credentials: { username: 'else', password: 'else' } });
    const transport = transportTo(plug.address, klapOptions(clock, ACCOUNT));
    for (let count = 0; count < 5; count++) {
      expect(await reasonOf(transport.exchange(GET_SYSINFO, 1000))).toBe('login-refused');
      clock.sleep(11_000);
    }
    expect(plug.server.handshakes).toBe(1);
    clock.sleep(5000);
    plug.server.credentials = ACCOUNT;
    expect(await aliasOver(transport)).toBe('Loom');
    expect(plug.server.handshakes).toBe(2);
  });
});

describe('a plug that bears one question in a session', () => {
  it('is found out, and then asked each module in a session of its own', async () => {
    const plug = await plugOn({ version: 1, singly: true });
    const learnt: string[] = [];
    const options = {
      ...klapOptions(undefined, ACCOUNT),
      learnt: (protocol: string) => learnt.push(protocol),
    };
    const transport = transportTo(plug.address, options);
    const reply = await transport.exchange(GET_SYSINFO_AND_METER, 1000);
    expect(Object.keys(reply)).toEqual(['system', 'emeter']);
    expect(learnt).toEqual(['klap-singly']);
    const before = plug.server.handshakes;
    await transport.exchange(GET_SYSINFO_AND_METER, 1000);
    expect(plug.server.handshakes - before).toBe(2);
  });

  it('is asked that way from the start where that is known', async () => {
    const plug = await plugOn({ version: 1, singly: true });
    const transport = transportTo(plug.address, { ...klapOptions(undefined, ACCOUNT), singly: true });
    await transport.exchange(GET_SYSINFO_AND_METER, 1000);
    expect(plug.server.handshakes).toBe(2);
  });

  it('costs no failed question each time once its way is known', async () => {
    const plug = await plugOn({ singly: true });
    const transport = transportTo(plug.address);
    for (let count = 0; count < 10; count++) expect(await aliasOver(transport)).toBe('Loom');
    await until(() => plug.queries.length === 10, 'ten questions');
    expect(plug.server.handshakes).toBe(10);
  });
});
