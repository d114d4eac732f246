import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { buildApp } from '../../src/app/app.ts';
import { LiveConfig } from '../../src/config/live-config.ts';
import { Broker } from '../../src/mqtt/broker.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { supervise, type Task } from '../../src/runtime/supervisor.ts';
import { type DeviceOptions, SimulatedDevice } from '../../src/simulator/device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { brokerOptions } from './broker-options.ts';
import { type LogLine, memoryLog } from './memory-log.ts';
import { Observer } from './observer.ts';

const clock = new SystemClock();

/** Runs tasks as the program does, until `stop` is called; `ended` tells how they ended. */
export class Running {
  readonly #stop = new AbortController();
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  readonly lines: LogLine[];

  constructor(tasks: (log: ReturnType<typeof memoryLog>['log']) => readonly Task[]) {
    const { log, lines } = memoryLog();
    this.lines = lines;
    let ready = () => {};
    this.ready = new Promise((resolve) => {
      ready = resolve;
    });
    this.ended = supervise(tasks(log), this.#stop.signal, { clock, log, stopMs: 5000, onReady: ready });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }
}

/** A simulated plug on a free port, and where it is in the topic tree. */
export interface SitePlug {
  readonly path: string;
  readonly server: PlugServer;
  readonly device: SimulatedDevice;
}

/** A whole site for one test: plugs, a broker, the bridge, and a client that watches. */
export class Site {
  readonly plugs: Map<string, SitePlug>;
  readonly observer: Observer;
  readonly url: string;
  broker: Running;
  bridge: Running;
  /** The file that a bridge started from now on is configured by. */
  file: string | undefined;
  #options: SiteOptions;

  private constructor(
    plugs: Map<string, SitePlug>,
    observer: Observer,
    url: string,
    broker: Running,
    options: SiteOptions,
  ) {
    this.plugs = plugs;
    this.observer = observer;
    this.url = url;
    this.broker = broker;
    this.#options = options;
    this.bridge = this.#runBridge();
  }

  /** Starts plugs at `paths`, an embedded broker and the bridge with `options` as its configuration file has them. */
  static async open(
    paths: readonly string[],
    options: SiteOptions = {},
    device: Partial<DeviceOptions> = {},
  ): Promise<Site> {
    const plugs = new Map<string, SitePlug>();
    for (const path of paths) plugs.set(path, await startPlug(path, plugs.size + 1, device));
    const { running, url } = await startBroker(0);
    const site = new Site(plugs, await Observer.connect(url), url, running, options);
    await site.bridge.ready;
    return site;
  }

  /** One more plug in the network; a bridge started from now on is to know it. */
  async addPlug(path: string, device: Partial<DeviceOptions> = {}, port = 0): Promise<void> {
    this.plugs.set(path, await startPlug(path, this.plugs.size + 1, device, port));
  }

  plug(path: string): SitePlug {
    const plug = this.plugs.get(path);
    if (plug === undefined) throw new Error(`the test has no plug ${path}`);
    return plug;
  }

  /** Starts a broker on the port of the one before; it has forgotten everything. */
  async startBroker(): Promise<void> {
    this.broker = (await startBroker(Number(new URL(this.url).port))).running;
  }

  /** Starts the bridge anew, perhaps with other options than before. */
  async startBridge(options: SiteOptions = {}): Promise<void> {
    this.#options = { ...this.#options, ...options };
    this.bridge = this.#runBridge();
    await this.bridge.ready;
  }

  #runBridge(): Running {
    return new Running((log) => buildApp(this.config(), { ...SURROUNDINGS, log }));
  }

  /** The configuration as a user would write it, read as the program reads it: from a file if the test has one. */
  config(): LiveConfig {
    const { file } = this;
    const readFile = SURROUNDINGS.readFile;
    if (file !== undefined) {
      const sources = () => ({
        file: { name: file, text: readFile(file) },
        env: {},
        flags: new Map(),
        readFile,
      });
      return new LiveConfig({ sources, isFile: true });
    }
    return LiveConfig.of({
      file: { name: 'test.yaml', text: this.text() },
      env: {},
      flags: new Map(),
      readFile,
    });
  }

  /** What would be in the file. */
  text(options: SiteOptions = {}): string {
    const plugs = [...this.plugs.values()].map(({ path, server }) => ({
      path,
      host: `${server.host}:${server.port}`,
    }));
    return stringify({
      poll: { interval: '100ms', timeout: '1s' },
      plugs,
      dataDir: 'off',
      web: { listen: 'off' },
      ...this.#options,
      ...options,
      mqtt: { url: this.url, ...this.#options.mqtt },
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    await this.bridge.stop();
    await this.observer.end();
    await this.broker.stop();
    await Promise.all([...this.plugs.values()].map(({ server }) => server.stop()));
  }
}

/** What a test writes into the bridge's configuration file. */
export interface SiteOptions {
  readonly mqtt?: object;
  readonly [section: string]: unknown;
}

/** Starts an embedded broker; port 0 takes any. */
export async function startBroker(port: number): Promise<{ running: Running; url: string }> {
  let url = '';
  const running = new Running((log) => {
    const broker = new Broker(brokerOptions(log, {}, { port }));
    return [
      {
        name: 'broker',
        run: (signal, ready) =>
          broker.run(signal, () => {
            url = broker.url;
            ready();
          }),
      },
    ];
  });
  await running.ready;
  return { running, url };
}

export const SURROUNDINGS = {
  clock,
  // No chance: waits are as short as they can be.
  random: () => 0,
  version: '0.0.0-test',
  readFile: (path: string) => readFileSync(path, 'utf8'),
};

/** Starts one simulated plug on a port of the loopback address; 0 takes any that is free. */
export async function startPlug(
  path: string,
  number: number,
  options: Partial<DeviceOptions> = {},
  port = 0,
): Promise<SitePlug> {
  const mac = `50:C7:BF:00:00:${number.toString(16).toUpperCase().padStart(2, '0')}`;
  const device = new SimulatedDevice(
    { alias: `Lamp ${number}`, mac, hardware: '2.0', loadW: 40, ...options },
    clock,
  );
  const server = new PlugServer({ device, host: '127.0.0.1', port, clock, random: Math.random });
  await server.start();
  return { path, server, device };
}
