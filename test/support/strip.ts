import { isObject, type JsonObject } from '../../src/protocol/json.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { SimulatedStrip, type StripOptions } from '../../src/simulator/strip.ts';
import { SURROUNDINGS } from './site.ts';

export const STRIP_MAC = '50:C7:BF:01:00:01';

/** A simulated strip of six metered outlets. */
export function strip(options: Partial<StripOptions> = {}): SimulatedStrip {
  const outlets = Array.from({ length: 6 }, (_, index) => ({
    alias: `Lamp ${index + 1}`,
    loadW: 10 + index,
    on: true,
  }));
  const { clock } = SURROUNDINGS;
  return new SimulatedStrip(
    { alias: 'Desk', mac: STRIP_MAC, model: 'HS300(US)', outlets, ...options },
    clock,
  );
}

/** A strip on the network, and all that it was asked. */
export class StripServer {
  readonly device: SimulatedStrip;
  readonly server: PlugServer<SimulatedStrip>;
  readonly queries: JsonObject[] = [];

  constructor(device: SimulatedStrip) {
    const { clock } = SURROUNDINGS;
    this.device = device;
    this.server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
    this.server.onQuery = (query) => this.queries.push(query);
  }

  static async started(device = strip()): Promise<StripServer> {
    const server = new StripServer(device);
    await server.server.start();
    return server;
  }

  get host(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  /** How often its relays were told what to be, and how many outlets were named each time. */
  get switched(): readonly number[] {
    return this.queries.filter(switches).map(({ context }) => {
      const ids = isObject(context) ? context.child_ids : undefined;
      return Array.isArray(ids) ? ids.length : Number.NaN;
    });
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

function switches({ system }: JsonObject): boolean {
  return isObject(system) && 'set_relay_state' in system;
}
