import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { Broker } from '../../src/mqtt/broker.ts';
import { brokerOptions } from '../support/broker-options.ts';
import { freePort } from '../support/free-port.ts';
import { Observer } from '../support/observer.ts';
import { Running, startBroker } from '../support/site.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What is said last and what is left running must not take longer. */
const END_MS = 2000;
const STOP_MS = 5000;

let folder: string;
let children: ChildProcess[];
let taken: Server;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hs110-mqtt-'));
  children = [];
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await new Promise((resolve) => taken.close(resolve));
  rmSync(folder, { recursive: true });
});

function takenPort(): number {
  const address = taken.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Runs the program as its users do, with what it complains of going to `stderr`. */
function launch(argv: readonly string[], stderr: 'pipe' | number = 'pipe'): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...argv], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', stderr],
  });
  children.push(child);
  return child;
}

/** Runs the bridge with a configuration file that holds `options`. */
function bridge(options: object, stderr: 'pipe' | number = 'pipe'): ChildProcess {
  const config = join(folder, 'site.yaml');
  const quiet = { discovery: { interval: 0, adopt: false }, log: { format: 'json' }, dataDir: 'off' };
  writeFileSync(config, stringify({ ...quiet, ...options }));
  return launch(['--config', config], stderr);
}

/** What a child said, how it ended, and how long that took after its last word. */
async function ending(child: ChildProcess): Promise<{ code: unknown; ms: number; said: string }> {
  const lines: string[] = [];
  let spokenAt = performance.now();
  if (child.stderr !== null)
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      spokenAt = performance.now();
    });
  const [code] = await once(child, 'exit');
  return { code, ms: performance.now() - spokenAt, said: lines.join('\n') };
}

/** Ends a child with SIGTERM, and says how it ended and how long that took. */
async function stop(child: ChildProcess): Promise<{ code: unknown; ms: number }> {
  const begun = performance.now();
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  return { code, ms: performance.now() - begun };
}

describe('a start that fails ends the program at once', () => {
  it('when the port of its broker is taken', async () => {
    const end = await ending(bridge({ broker: { listen: `127.0.0.1:${takenPort()}` } }));
    expect(end.said).toContain(`the broker cannot listen on 127.0.0.1:${takenPort()}: the port is taken`);
    expect(end.code).toBe(1);
    expect(end.ms).toBeLessThan(END_MS);
  });

  it('when the port of the demo is taken', async () => {
    const end = await ending(launch(['demo', '--count', '2', '--port', String(takenPort())]));
    expect(end.said).toContain('the port is taken');
    expect(end.code).toBe(1);
    expect(end.ms).toBeLessThan(END_MS);
  });

  it('when the broker refuses the login and that is to end it', async () => {
    let port = '';
    const broker = new Running((log) => {
      const embedded = new Broker(brokerOptions(log, { username: 'ann', password: 'hush' }));
      const run = (signal: AbortSignal, ready: () => void) =>
        embedded.run(signal, () => {
          port = new URL(embedded.url).port;
          ready();
        });
      return [{ name: 'broker', run }];
    });
    await broker.ready;
    const end = await ending(bridge({ mqtt: { url: `mqtt://127.0.0.1:${port}`, onLoginRefused: 'exit' } }));
    expect(end.said).toContain('refuses the login');
    expect(end.code).toBe(1);
    expect(end.ms).toBeLessThan(END_MS);
    await broker.stop();
  });

  it('when a certificate cannot be read, which is a mistake in the configuration', async () => {
    const end = await ending(bridge({ mqtt: { url: 'mqtts://127.0.0.1', ca: join(folder, 'no.pem') } }));
    expect(end.said).toMatch(/site\.yaml:\d+:\d+: mqtt\.ca names a file that cannot be read: ENOENT/);
    expect(end.code).toBe(2);
    expect(end.ms).toBeLessThan(END_MS);
  });

  it('when the plugs to be simulated find their port taken', async () => {
    const end = await ending(launch(['simulate', '--count', '1', '--port', String(takenPort())]));
    expect(end.said).toMatch(/in use|taken/);
    expect(end.code).toBe(1);
    expect(end.ms).toBeLessThan(END_MS);
  });
});

describe('the bridge told to stop', () => {
  it('ends in time though its broker takes connections and says nothing', async () => {
    let asked = false;
    taken.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        asked = true;
      });
    });
    const child = bridge({ mqtt: { url: `mqtt://127.0.0.1:${takenPort()}` } });
    await until(() => asked, 'the bridge to connect', 20_000);
    const { code, ms } = await stop(child);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS);
  });

  it('ends in time though its broker has fallen silent', async () => {
    const { running, url } = await startBroker(0);
    const proxy = await TcpProxy.started(Number(new URL(url).port));
    const observer = await Observer.connect(url);
    const child = bridge({ mqtt: { url: proxy.url } });
    await observer.message('museum/bridge/state', (payload) => payload === 'online');
    proxy.hold();
    const { code, ms } = await stop(child);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS);
    await observer.end();
    await proxy.stop();
    await running.stop();
  });

  it('ends at once when it is told a second time', async () => {
    const { running, url } = await startBroker(0);
    const proxy = await TcpProxy.started(Number(new URL(url).port));
    const observer = await Observer.connect(url);
    const child = bridge({ mqtt: { url: proxy.url } });
    await observer.message('museum/bridge/state', (payload) => payload === 'online');
    proxy.hold();
    child.kill('SIGTERM');
    const begun = performance.now();
    // The second signal counts once the first has arrived.
    const again = setInterval(() => child.kill('SIGTERM'), 50);
    const [code] = await once(child, 'exit');
    clearInterval(again);
    expect(code).toBe(1);
    expect(performance.now() - begun).toBeLessThan(1000);
    await observer.end();
    await proxy.stop();
    await running.stop();
  });
});

describe('a standard error that cannot be written neither ends nor stalls the bridge', () => {
  /** Starts the bridge with that, sees it come and go online, and stops it. */
  async function servesWith(stderr: 'pipe' | number, spoil: (child: ChildProcess) => void = () => {}) {
    const port = await freePort();
    const child = bridge({ broker: { listen: `127.0.0.1:${port}` }, log: { level: 'trace' } }, stderr);
    spoil(child);
    await untilListens(port, child);
    const observer = await Observer.connect(`mqtt://127.0.0.1:${port}`);
    await observer.message('museum/bridge/state', (payload) => payload === 'online');
    const after = await observer.say('museum/bridge/request/discover', '{"transaction":"t1"}');
    await observer.message('museum/bridge/response/discover', () => true, after);
    const end = await stop(child);
    await observer.end();
    return end;
  }

  async function untilListens(port: number, child: ChildProcess): Promise<void> {
    for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
      try {
        await (await Observer.connect(`mqtt://127.0.0.1:${port}`)).end();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    throw new Error('the bridge does not listen');
  }

  it('as its disk is full', async () => {
    const full = openSync('/dev/full', 'w');
    expect(await servesWith(full)).toMatchObject({ code: 0 });
    closeSync(full);
  });

  it('as its reader is gone', async () => {
    const end = await servesWith('pipe', (child) => child.stderr?.destroy());
    expect(end).toMatchObject({ code: 0 });
  });

  it('as nobody reads it', async () => {
    const fifo = join(folder, 'stderr');
    execFileSync('mkfifo', [fifo]);
    const end = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const full = () => {
      try {
        for (;;) writeSync(end, '.'.repeat(4096));
      } catch {
        // It takes no more.
      }
    };
    full();
    const { code, ms } = await servesWith(end);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(STOP_MS);
    closeSync(end);
  });
});
