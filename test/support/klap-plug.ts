import type { KlapOptions } from '../../src/plug/klap-transport.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { type Credentials, loginsOf } from '../../src/protocol/klap.ts';
import { type Clock, SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import { KlapServer, type KlapServerOptions } from '../../src/simulator/klap-server.ts';
import type { PlugDevice } from '../../src/simulator/plug-device.ts';

export const ACCOUNT: Credentials = { username: 'user@example.com', password: 'correct horse' };

/** A simulated plug that speaks KLAP, and all that it was asked. */
export class KlapPlug {
  readonly device: SimulatedDevice;
  readonly server: KlapServer;
  /** Queries as they arrived, oldest first. */
  readonly queries: JsonObject[] = [];

  constructor(options: Partial<KlapServerOptions> = {}, clock: Clock = new SystemClock()) {
    this.device = new SimulatedDevice(
      { alias: 'Loom', mac: '50:C7:BF:00:00:01', hardware: '2.0', loadW: 40 },
      clock,
    );
    this.server = new KlapServer({
      device: this.device,
      host: '127.0.0.1',
      port: 0,
      version: 2,
      credentials: ACCOUNT,
      discoveryPort: undefined,
      ...options,
    });
    this.server.onQuery = (query) => this.queries.push(query);
  }

  static async started(options: Partial<KlapServerOptions> = {}): Promise<KlapPlug> {
    const plug = new KlapPlug(options);
    await plug.server.start();
    return plug;
  }

  /** Puts any other device on the network in that way. */
  static async startedFor<Device extends PlugDevice>(device: Device): Promise<KlapServer<Device>> {
    const server = new KlapServer({
      ...{ device, host: '127.0.0.1', port: 0, version: 2, credentials: ACCOUNT },
      discoveryPort: undefined,
    } as const);
    await server.start();
    return server;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: this.server.host, port: this.server.port };
  }
}

/** What a transport needs that logs in with these accounts. */
export function klapOptions(
  clock: Clock = new SystemClock(),
  ...accounts: readonly Credentials[]
): KlapOptions {
  return { logins: () => loginsOf(accounts), clock };
}
