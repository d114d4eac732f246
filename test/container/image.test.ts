import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../support/free-port.ts';
import { Observer } from '../support/observer.ts';
import { type SitePlug, startPlug } from '../support/site.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** An image that has been built already; without it the test builds one. */
const BUILT = process.env.TEST_IMAGE;

const BUILD_MS = 420_000;

/** The engine, or why these tests cannot run. */
async function findEngine(): Promise<ContainerRuntimeClient | string> {
  if (process.platform !== 'linux') return 'they share the network of the host, which needs Docker on Linux';
  try {
    return await getContainerRuntimeClient();
  } catch {
    return 'no Docker engine answers';
  }
}

const found = await findEngine();
const missing = typeof found === 'string' ? found : undefined;
if (missing !== undefined)
  process.stderr.write(`The tests of the container image are skipped: ${missing}.\n`);

describe.skipIf(missing !== undefined)('the container image', () => {
  const tag = BUILT ?? 'hs110-mqtt:test';
  let engine: ContainerRuntimeClient;
  let plug: SitePlug;
  let broker: StartedTestContainer | undefined;
  let bridge: StartedTestContainer;
  let observer: Observer;

  beforeAll(async () => {
    if (typeof found === 'string') throw new Error(found);
    engine = found;
    if (BUILT === undefined) await build();
    plug = await startPlug('shed3', 1);
    const port = await freePort();
    const url = `mqtt://127.0.0.1:${port}`;
    broker = await startMosquitto(port);
    observer = await Observer.connect(url);
    bridge = await startBridge(url);
  }, BUILD_MS);

  afterAll(async () => {
    await observer?.end();
    for (const container of [bridge, broker]) {
      if (container !== undefined) await engine.container.getById(container.getId()).remove({ force: true });
    }
    await plug?.server.stop();
  });

  it('publishes the state of a plug', async () => {
    await observer.message('museum/bridge/state', (payload) => payload === 'online');
    await observer.message('museum/shed3/availability', (payload) => payload === 'online');
    const state = await observer.json('museum/shed3', ({ last_seen }) => last_seen !== null);
    expect(state).toMatchObject({ state: 'OFF', power: 0, led: 'ON' });
  });

  it('switches the plug and confirms', async () => {
    const after = await observer.say('museum/shed3/set', 'ON');
    const receipt = await observer.json('museum/shed3/result', () => true, after);
    expect(receipt).toMatchObject({ wanted: 'ON', outcome: 'confirmed' });
    expect(plug.device.relay).toBe(true);
    await observer.message('museum/shed3/state', (payload) => payload === 'ON', after);
  });

  it('is healthy by its own check, which says no when asked for a bridge that is not there', async () => {
    const { State } = await engine.container.getById(bridge.getId()).inspect();
    expect(State.Health?.Status).toBe('healthy');

    await observer.say('elsewhere/bridge/state', 'offline', { retain: true });
    const other = ['node', 'dist/main.js', 'health', '--mqtt-base-topic', 'elsewhere'];
    const { exitCode, output } = await bridge.exec(other);
    expect(output).toContain('elsewhere/bridge/state');
    expect(exitCode).toBe(1);
  });

  it('does not run as root, and may write nowhere but in its data', async () => {
    const { stdout } = await bridge.exec(['id', '-un']);
    expect(stdout.trim()).toBe('node');
    const writable = await bridge.exec(['find', '/app', '-maxdepth', '2', '-type', 'd', '-writable']);
    expect(writable.stdout.trim()).toBe('/app/data');
  });

  it('keeps what survives a restart in its data, and makes a backup of it while it runs', async () => {
    const { exitCode, output } = await bridge.exec(['node', 'dist/main.js', 'backup', 'data/copy.db']);
    expect(output).toMatch(/^data\/copy\.db: \d+ bytes$/m);
    expect(exitCode).toBe(0);
  });

  it('is labelled, and needs neither a root that can be written nor capabilities', async () => {
    const { Config } = await engine.image.inspect(ImageName.fromString(tag));
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'hs110-mqtt',
      'org.opencontainers.image.licenses': 'MIT',
    });
    const port = await freePort();
    const lonely = await engine.container.dockerode.createContainer({
      Image: tag,
      Env: [
        `HS110_MQTT_BROKER_LISTEN=127.0.0.1:${port}`,
        'HS110_MQTT_DISCOVERY_INTERVAL=0',
        'HS110_MQTT_WEB_LISTEN=off',
      ],
      Healthcheck: { Interval: 1e9 },
      HostConfig: {
        NetworkMode: 'host',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
      },
    });
    try {
      await lonely.start();
      const health = async () => (await lonely.inspect()).State.Health?.Status;
      const deadline = performance.now() + 15_000;
      while ((await health()) !== 'healthy' && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await health()).toBe('healthy');
    } finally {
      await lonely.remove({ force: true, v: true });
    }
  });

  it('does not end again and again over a mistake in its configuration', async () => {
    const wrong = await new GenericContainer(tag)
      .withEnvironment({ HS110_MQTT_POL: '1' })
      .withWaitStrategy(Wait.forLogMessage(/HS110_MQTT_POL is no option/))
      .start();
    const { State } = await engine.container.getById(wrong.getId()).inspect();
    expect(State.Running).toBe(true);
    await wrong.stop();
  });

  it('stops cleanly and says goodbye', async () => {
    const after = observer.seen.length;
    await bridge.stop({ remove: false, timeout: 10_000 });
    await observer.message('museum/bridge/state', (payload) => payload === 'offline', after);
    const { State } = await engine.container.getById(bridge.getId()).inspect();
    expect(State).toMatchObject({ Status: 'exited', ExitCode: 0, OOMKilled: false });
  });

  /** Builds the image; one of an earlier run must not be taken for it. */
  async function build(): Promise<void> {
    await engine.container.dockerode
      .getImage(tag)
      .remove({ force: true })
      .catch(() => {});
    await engine.image.build(ROOT, { t: tag, networkmode: 'host' });
  }

  function startMosquitto(port: number): Promise<StartedTestContainer> {
    const conf = `listener ${port} 127.0.0.1\nallow_anonymous true\n`;
    return new GenericContainer('eclipse-mosquitto:2')
      .withNetworkMode('host')
      .withCopyContentToContainer([{ content: conf, target: '/mosquitto/config/mosquitto.conf' }])
      .withWaitStrategy(Wait.forLogMessage(/mosquitto version .* running/))
      .start();
  }

  /** Runs the image as a user would, with its configuration where it looks for it; checks its health more often. */
  async function startBridge(url: string): Promise<StartedTestContainer> {
    const config = stringify({
      mqtt: { url },
      poll: { interval: '500ms' },
      plugs: [{ path: 'shed3', host: `127.0.0.1:${plug.server.port}` }],
    });
    const { Config } = await engine.image.inspect(ImageName.fromString(tag));
    const [kind, ...command] = Config.Healthcheck?.Test ?? [];
    if (kind !== 'CMD') throw new Error(`the image ${tag} has no health check`);
    return await new GenericContainer(tag)
      .withNetworkMode('host')
      .withCopyContentToContainer([{ content: config, target: '/app/config/default.yaml' }])
      .withHealthCheck({ test: ['CMD', ...command], interval: 1000, timeout: 10_000, retries: 10 })
      .withWaitStrategy(Wait.forHealthCheck())
      .withStartupTimeout(60_000)
      .start();
  }
});
