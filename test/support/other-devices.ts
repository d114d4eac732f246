import { isObject, type JsonObject } from '../../src/protocol/json.ts';
import { SimulatedBulb } from '../../src/simulator/bulb.ts';
import type { PlugDevice } from '../../src/simulator/plug-device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { SimulatedStrip } from '../../src/simulator/strip.ts';
import { SURROUNDINGS } from './site.ts';

const { clock } = SURROUNDINGS;

/** A device that the bridge does not support: it must never be told to switch. */
export interface OtherDevice {
  readonly path: string;
  readonly server: { readonly port: number; stop(): Promise<void> };
  /** How often it was told to switch its relays. */
  switched: number;
}

/** Puts strips and bulbs on the network, as somebody configures them by mistake. */
export async function startOthers(): Promise<OtherDevice[]> {
  const mac = (number: number) => `50:C7:BF:01:00:0${number}`;
  const outlets = ['Left', 'Right'].map((alias) => ({ alias, loadW: 20, on: true }));
  const strip = (number: number, model: 'HS300(US)' | 'KP303(UK)') =>
    new SimulatedStrip({ alias: `Strip ${number}`, mac: mac(number), model, outlets }, clock);
  return await Promise.all([
    started('other/strip-1', strip(1, 'HS300(US)')),
    started('other/strip-2', strip(2, 'KP303(UK)')),
    started('other/bulb', new SimulatedBulb({ alias: 'Bulb', mac: mac(3), on: true }, clock)),
  ]);
}

async function started(path: string, device: PlugDevice): Promise<OtherDevice> {
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
  await server.start();
  const other: OtherDevice = { path, server, switched: 0 };
  server.onQuery = (query) => {
    if (switches(query)) other.switched++;
  };
  return other;
}

/** Whether a query tells the relay what to be. */
export function switches({ system }: JsonObject): boolean {
  return isObject(system) && 'set_relay_state' in system;
}
