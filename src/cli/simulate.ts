import { stringify } from 'yaml';
import { aborted } from '../runtime/supervisor.ts';
import { SimulatedMuseum } from '../simulator/museum.ts';
import type { Shell } from './shell.ts';

export interface SimulateOptions {
  readonly count: number;
  readonly host: string;
  readonly port: number;
}

/** Simulates plugs until the shell's signal aborts, and prints the section of the configuration that names them. */
export async function simulate(shell: Shell, options: SimulateOptions): Promise<void> {
  const { clock, random, print, signal } = shell;
  const museum = new SimulatedMuseum({ ...options, clock, random });
  try {
    await museum.start();
    const plugs = museum.exhibits.map(({ path, server }) => ({
      path,
      host: `${server.host}:${server.port}`,
    }));
    print(`# ${plugs.length} simulated plugs; Ctrl-C ends them`);
    print(stringify({ plugs }).trimEnd());
    await aborted(signal);
  } finally {
    await museum.stop();
  }
}
