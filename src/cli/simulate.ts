import { stringify } from 'yaml';
import { slug } from '../mqtt/topics.ts';
import type { Address } from '../plug/transport.ts';
import { aborted } from '../runtime/supervisor.ts';
import { SimulatedMuseum } from '../simulator/museum.ts';
import { PlugServer } from '../simulator/plug-server.ts';
import { RecordedDevice, readRecording } from '../simulator/recorded-device.ts';
import type { Shell } from './shell.ts';

export interface SimulateOptions {
  readonly count: number;
  readonly host: string;
  /** Of the first plug; 0 takes any free ones. */
  readonly port: number;
  /** File of a recording whose plug is simulated, instead of a museum. */
  readonly from?: string;
}

/** Simulates plugs until the shell's signal aborts, and prints the section of the configuration that names them. */
export async function simulate(shell: Shell, options: SimulateOptions): Promise<void> {
  const { clock, random } = shell;
  if (options.from === undefined) {
    const museum = new SimulatedMuseum({ ...options, clock, random });
    await show(shell, museum, museum.exhibits);
  } else {
    const device = new RecordedDevice(readRecording(options.from, shell.readFile(options.from)), clock);
    const server = new PlugServer({ ...options, device, clock, random });
    await show(shell, server, [{ path: slug(device.alias ?? ''), server }]);
  }
}

async function show(
  { print, signal }: Shell,
  simulation: { start(): Promise<void>; stop(): Promise<void> },
  exhibits: readonly { readonly path: string; readonly server: Address }[],
): Promise<void> {
  try {
    await simulation.start();
    const plugs = exhibits.map(({ path, server: { host, port } }) => ({ path, host: `${host}:${port}` }));
    print(`# simulated plugs: ${plugs.length}; Ctrl-C ends them`);
    print(stringify({ plugs }).trimEnd());
    await aborted(signal);
  } finally {
    await simulation.stop();
  }
}
