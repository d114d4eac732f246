import { isObject, type JsonObject } from '../../src/protocol/json.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import type { PlugDevice } from '../../src/simulator/plug-device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { SURROUNDINGS } from './site.ts';

const { clock } = SURROUNDINGS;

/** A device that the bridge does not support: it must never be told to switch. */
export interface OtherDevice {
  readonly path: string;
  readonly server: { readonly port: number; stop(): Promise<void> };
  /** How often it was told to switch its relays. */
  switched: number;
}

/** Puts cameras on the network, as somebody configures them by mistake: they have no relay. */
export async function startOthers(): Promise<OtherDevice[]> {
  const camera = (number: number) => {
    const mac = `50:C7:BF:01:00:0${number}`;
    const options = {
      alias: `Camera ${number}`,
      mac,
      hardware: '2.0',
      model: 'KC105(EU)',
      loadW: 0,
    } as const;
    const device = new SimulatedDevice(options, clock);
    device.hideRelay = true;
    return device;
  };
  return await Promise.all([started('other/camera-1', camera(1)), started('other/camera-2', camera(2))]);
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
