import { isObject, type JsonObject, numberAt } from '../../src/protocol/json.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { SURROUNDINGS } from '../support/site.ts';

const { clock } = SURROUNDINGS;

/** A plug that keeps a log of all it was told about its relay, with the time in ms since 1970. */
class LoggingDevice extends SimulatedDevice {
  readonly writes: { readonly at: number; readonly on: boolean }[] = [];

  override answer(query: JsonObject): JsonObject {
    const { system } = query;
    const state = isObject(system) && isObject(system.set_relay_state) ? system.set_relay_state : undefined;
    if (state !== undefined) this.writes.push({ at: clock.date(), on: numberAt(state, 'state') === 1 });
    return super.answer(query);
  }
}

/** A plug of the kill trial, and where it is. */
export interface LoggedPlug {
  readonly path: string;
  readonly device: LoggingDevice;
  readonly server: PlugServer;
}

/** Puts plug number `number` on the network. */
export async function startLoggedPlug(number: number): Promise<LoggedPlug> {
  const digits = number.toString(16).toUpperCase().padStart(2, '0');
  const device = new LoggingDevice(
    { alias: `Lamp ${number}`, mac: `50:C7:BF:00:00:${digits}`, hardware: '2.0', loadW: 40 },
    clock,
  );
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
  await server.start();
  return { path: `wing-${number % 2}/lamp-${number}`, device, server };
}
