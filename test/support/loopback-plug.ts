import { PlugClient } from '../../src/plug/plug-client.ts';
import { TcpTransport } from '../../src/plug/tcp-transport.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { ManualClock } from './manual-clock.ts';
import { until } from './until.ts';

export const TIMEOUT_MS = 1000;

/** What a test may want to be special about its plug. */
export type PlugOptions = Partial<SimulatedDevice['options']>;

/** A simulated plug on a real socket, and all that it was asked. Time stands still on both sides. */
export class LoopbackPlug {
  readonly clock: ManualClock;
  readonly device: SimulatedDevice;
  readonly server: PlugServer;
  /** Queries as they arrived, oldest first. */
  readonly queries: JsonObject[] = [];
  readonly #transports: TcpTransport[] = [];

  constructor(options: PlugOptions = {}, port = 0) {
    this.clock = new ManualClock();
    this.device = new SimulatedDevice(
      { alias: 'Loom', mac: '50:C7:BF:00:00:01', hardware: '2.0', loadW: 40, ...options },
      this.clock,
    );
    this.server = new PlugServer({
      device: this.device,
      host: '127.0.0.1',
      port,
      clock: this.clock,
      random: () => 0.999,
    });
    this.server.onQuery = (query) => this.queries.push(query);
  }

  static async started(options: PlugOptions = {}, port = 0): Promise<LoopbackPlug> {
    const plug = new LoopbackPlug(options, port);
    await plug.server.start();
    return plug;
  }

  transport(): TcpTransport {
    const transport = new TcpTransport({ host: this.server.host, port: this.server.port }, this.clock);
    this.#transports.push(transport);
    return transport;
  }

  client(mac?: string): PlugClient {
    return new PlugClient(this.transport(), TIMEOUT_MS, mac);
  }

  /** Resolves once the plug was asked `count` times in all. */
  async asked(count: number): Promise<void> {
    await until(() => this.queries.length >= count, `question ${count}`);
  }

  /** Behaves well again after the next question. */
  failOnce(fault: PlugServer['fault']): void {
    this.server.fault = { kind: 'none' };
    this.server.onQuery = (query) => {
      this.queries.push(query);
      this.server.fault = fault;
      this.server.onQuery = (next) => {
        this.queries.push(next);
        this.server.fault = { kind: 'none' };
      };
    };
  }

  /** Takes the plug off the network and makes sure that nothing is left open. */
  async stop(): Promise<void> {
    for (const transport of this.#transports) transport.close();
    await until(() => this.server.connections === 0, 'all connections to close');
    await this.server.stop();
  }
}
