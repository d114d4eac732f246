import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type RetainedOptions, readRetained } from '../../src/mqtt/retained-message.ts';
import { rejectionOf } from '../support/thrown.ts';

const TOPIC = 'museum/bridge/state';
const OPTIONS: RetainedOptions = {
  username: undefined,
  password: undefined,
  clientId: 'reader',
  version: 4,
  tls: { rejectUnauthorized: true },
};

const never = () => new AbortController().signal;
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

async function listening(server: Server, scheme = 'mqtt'): Promise<URL> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new URL(`${scheme}://127.0.0.1:${port}`);
}

/** A broker that holds `payload`, and lets only Ann in. */
async function brokerWith(payload: string): Promise<Aedes> {
  const aedes = await Aedes.createBroker({
    authenticate: (_, name, secret, done) => done(null, name === 'ann' && secret?.toString() === 'h:u@sh'),
  });
  closing.push(() => aedes.close());
  const packet = { cmd: 'publish', topic: TOPIC, payload, qos: 1, retain: true, dup: false } as const;
  await new Promise<void>((resolve) => aedes.publish(packet, () => resolve()));
  return aedes;
}

/** A server that says `bytes` to whoever connects. */
function saying(bytes: Uint8Array): Promise<URL> {
  return listening(
    createServer((socket) => {
      socket.on('error', () => {});
      socket.write(bytes);
    }),
  );
}

describe('reading one retained message', () => {
  it('logs in with what is configured, or with what stands in the address', async () => {
    const aedes = await brokerWith('online');
    const url = await listening(createServer((socket) => void aedes.handle(socket)));
    const login = { ...OPTIONS, username: 'ann', password: 'h:u@sh' };
    expect(await readRetained(url, TOPIC, login, never())).toBe('online');
    url.username = 'ann';
    url.password = 'h:u@sh';
    expect(await readRetained(url, TOPIC, OPTIONS, never())).toBe('online');
    const wrong = { ...login, password: 'hush' };
    url.username = '';
    url.password = '';
    expect(await rejectionOf(readRetained(url, TOPIC, wrong, never()))).toMatchObject({
      message: 'Not authorized (code 5 of MQTT 3.1.1)',
    });
  });

  it('reads over TLS what a certificate vouches for, and nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = ['-subj', '/CN=broker', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const form = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
    execFileSync('openssl', [...form, ...names, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
    const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
    rmSync(folder, { recursive: true });
    const aedes = await brokerWith('offline');
    const url = await listening(
      createTlsServer({ key, cert }, (socket) => {
        socket.on('error', () => {});
        aedes.handle(socket);
      }),
      'mqtts',
    );
    const login = { ...OPTIONS, username: 'ann', password: 'h:u@sh' };
    const trusting = { ...login, tls: { ca: cert, rejectUnauthorized: true } };
    expect(await readRetained(url, TOPIC, trusting, never())).toBe('offline');
    expect(await rejectionOf(readRetained(url, TOPIC, login, never()))).toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });

  it('speaks MQTT 5 where that is wanted', async () => {
    const connack = [0x20, 0x03, 0, 0, 0];
    const suback = [0x90, 0x04, 0, 1, 0, 0];
    const body = [0, TOPIC.length, ...Buffer.from(TOPIC), 2, 0x01, 1, ...Buffer.from('online')];
    const url = await saying(Uint8Array.from([...connack, ...suback, 0x31, body.length, ...body]));
    expect(await readRetained(url, TOPIC, { ...OPTIONS, version: 5 }, never())).toBe('online');
  });

  it.each([
    [
      'refuses the subscription',
      [0x20, 2, 0, 0, 0x90, 3, 0, 1, 0x80],
      'the broker does not allow to read it',
    ],
    ['says nothing in its answer', [0x20, 0], 'Connection refused (code 128 of MQTT 3.1.1)'],
    ['is not available', [0x20, 2, 0, 3], 'Connection refused (code 3 of MQTT 3.1.1)'],
    [
      'sends without end',
      [0x31, 0xff, 0xff, 0x7f, ...new Uint8Array(70_000)],
      'it sends more than it was asked for',
    ],
  ])('fails where the broker %s', async (_, bytes, message) => {
    const url = await saying(Uint8Array.from(bytes));
    expect(await rejectionOf(readRetained(url, TOPIC, OPTIONS, never()))).toMatchObject({ message });
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const url = await saying(Uint8Array.from([0x20, 2, 0, 0]));
    const read = rejectionOf(readRetained(url, TOPIC, OPTIONS, stop.signal));
    stop.abort(new Error('late'));
    expect(await read).toMatchObject({ message: 'late' });
  });

  it('ends with a text or an error, whatever is said', async () => {
    let bytes: Uint8Array = new Uint8Array();
    const url = await listening(
      createServer((socket) => {
        socket.on('error', () => {});
        socket.end(bytes);
      }),
    );
    const framed = fc
      .tuple(fc.constantFrom(0x20, 0x30, 0x31, 0x33, 0x90, 0xd0), fc.uint8Array({ maxLength: 40 }))
      .map(([type, body]) => [type, body.length, ...body]);
    const said = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.array(framed).map((all) => Uint8Array.from(all.flat())),
    );
    await fc.assert(
      fc.asyncProperty(said, fc.constantFrom<4 | 5>(4, 5), async (given, version) => {
        bytes = given;
        const result = await readRetained(url, TOPIC, { ...OPTIONS, version }, never()).catch(
          (error: unknown) => error,
        );
        expect(typeof result === 'string' || result instanceof Error).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
