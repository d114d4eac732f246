import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { slug } from '../mqtt/topics.ts';
import type { Address } from '../plug/transport.ts';
import { aborted } from '../runtime/supervisor.ts';
import { SimulatedMuseum } from '../simulator/museum.ts';
import { PlugServer } from '../simulator/plug-server.ts';
import { RecordedDevice, readRecording } from '../simulator/recorded-device.ts';
import { examples, wholeNumber } from './arguments.ts';
import type { Shell } from './shell.ts';

interface SimulateOptions {
  readonly count: number;
  readonly host: string;
  /** Of the first plug; 0 takes any free ones. */
  readonly port: number;
  /** File of a recording whose plug is simulated, instead of a museum. */
  readonly from?: string;
}

/** Adds `simulate`: plugs to test against. */
export function addSimulateVerb(program: Command, shell: Shell): void {
  program
    .command('simulate')
    .description('simulate plugs on this machine, for trying and testing')
    .option('--count <n>', 'how many', wholeNumber(1, 10_000), 8)
    .option('--host <address>', 'address they listen on', '127.0.0.1')
    .option('--port <port>', 'port of the first, the others follow; 0 for any', wholeNumber(0, 65_535), 9999)
    .addOption(
      new Option('--from <file>', 'play the plug of this recording (see record) instead').conflicts('count'),
    )
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt simulate --count 8 > plugs.yaml',
        'hs110-mqtt simulate --from "HS110(EU)_1.0_1.2.5.json" --port 9999',
      ),
    )
    .action((options: SimulateOptions) => simulate(shell, options));
}

/** Simulates plugs until the shell's signal aborts, and prints the section of the configuration that names them. */
async function simulate(shell: Shell, options: SimulateOptions): Promise<void> {
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
