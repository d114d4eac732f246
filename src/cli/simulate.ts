import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { slug } from '../mqtt/topics.ts';
import type { Address } from '../plug/transport.ts';
import { type Credentials, FACTORY, type KlapVersion } from '../protocol/klap.ts';
import { KLAP_DISCOVERY_PORT } from '../protocol/klap-discovery.ts';
import { aborted } from '../runtime/supervisor.ts';
import { KlapServer } from '../simulator/klap-server.ts';
import { MODEL_NAMES, simulatedModel } from '../simulator/models.ts';
import { SimulatedMuseum } from '../simulator/museum.ts';
import type { PlugDevice } from '../simulator/plug-device.ts';
import { PlugServer } from '../simulator/plug-server.ts';
import { RecordedDevice, readRecording } from '../simulator/recorded-device.ts';
import { examples, wholeNumber } from './arguments.ts';
import type { Shell } from './shell.ts';

interface SimulateOptions {
  /** Left out: a museum of eight, or one of a model. */
  readonly count?: number;
  readonly host: string;
  /** Of the first plug; 0 takes any free ones. */
  readonly port: number;
  /** Simulate this model, instead of a museum. */
  readonly model?: string;
  /** File of a recording whose plug is simulated, instead of a museum. */
  readonly from?: string;
  /** Speak KLAP, in that version of its hashes. */
  readonly klap?: KlapVersion;
  readonly username: string;
  readonly password: string;
  readonly discoveryPort: number;
}

/** What plays a device. */
interface PlayedServer extends Address {
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Exhibit {
  readonly path: string;
  readonly server: PlayedServer;
}

/** How many are played of a museum. */
const MUSEUM = 8;

/** Adds `simulate`: plugs to test against. */
export function addSimulateVerb(program: Command, shell: Shell): void {
  program
    .command('simulate')
    .description('simulate plugs on this machine, for trying and testing')
    .addOption(
      new Option('--count <n>', 'how many; 8 unless said otherwise, or 1 of a model').argParser(
        wholeNumber(1, 10_000),
      ),
    )
    .option('--host <address>', 'address they listen on', '127.0.0.1')
    .option('--port <port>', 'port of the first, the others follow; 0 for any', wholeNumber(0, 65_535), 9999)
    .addOption(new Option('--model <model>', 'what they are').choices(MODEL_NAMES))
    .addOption(
      new Option('--from <file>', 'play the plug of this recording (see record) instead').conflicts([
        'count',
        'model',
      ]),
    )
    .addOption(
      new Option('--klap [version]', 'speak KLAP as newer firmware does, with hashes of version 1 or 2')
        .choices(['1', '2'])
        .preset('2')
        .argParser((text) => (text === '1' ? 1 : 2)),
    )
    .option('--username <name>', 'with --klap: the account they are bound to', FACTORY.username)
    .option('--password <password>', 'with --klap: its password', FACTORY.password)
    .option(
      '--discovery-port <port>',
      'with --klap: UDP port on which they are found; 0 for any',
      wholeNumber(0, 65_535),
      KLAP_DISCOVERY_PORT,
    )
    .addHelpText(
      'after',
      examples(
        'hs110-mqtt simulate --count 8 > plugs.yaml',
        'hs110-mqtt simulate --model HS300 --klap --port 8080',
        'hs110-mqtt simulate --from "HS110(EU)_1.0_1.2.5.json" --port 9999',
      ),
    )
    .action((options: SimulateOptions) => simulate(shell, options));
}

/** Simulates plugs until the shell's signal aborts, and prints the section of the configuration that names them. */
async function simulate(shell: Shell, options: SimulateOptions): Promise<void> {
  const { username, password } = options;
  await show(shell, exhibitsOf(shell, options), options.klap && { username, password });
}

function exhibitsOf(shell: Shell, options: SimulateOptions): readonly Exhibit[] {
  const { clock, random } = shell;
  const { from, model, klap, count } = options;
  if (from !== undefined) {
    const device = new RecordedDevice(readRecording(from, shell.readFile(from)), clock);
    return [{ path: slug(device.alias ?? ''), server: serverOf(device, 0, options, shell) }];
  }
  if (model === undefined && klap === undefined)
    return new SimulatedMuseum({ ...options, count: count ?? MUSEUM, clock, random }).exhibits;
  const name = model ?? 'HS110';
  return Array.from({ length: count ?? 1 }, (_, index) => index).flatMap((index) => {
    const device = simulatedModel(name, index + 1, clock);
    if (device === undefined) return [];
    return [{ path: slug(`${name} ${index + 1}`), server: serverOf(device, index, options, shell) }];
  });
}

/** What plays a device: in the older protocol, or in KLAP. */
function serverOf(
  device: PlugDevice,
  index: number,
  { klap, host, port: first, username, password, discoveryPort }: SimulateOptions,
  { clock, random }: Shell,
): PlayedServer {
  const port = first === 0 ? 0 : first + index;
  if (klap === undefined) return new PlugServer({ device, host, port, clock, random });
  const credentials = { username, password };
  return new KlapServer({ device, host, port, version: klap, credentials, discoveryPort });
}

async function show(
  { print, signal }: Shell,
  exhibits: readonly Exhibit[],
  kasa: Credentials | undefined,
): Promise<void> {
  try {
    for (const { server } of exhibits) await server.start();
    const plugs = exhibits.map(({ path, server: { host, port } }) => ({ path, host: `${host}:${port}` }));
    print(`# simulated plugs: ${plugs.length}; Ctrl-C ends them`);
    print(stringify({ ...(kasa === undefined ? {} : { kasa }), plugs }).trimEnd());
    await aborted(signal);
  } finally {
    await Promise.all(exhibits.map(({ server }) => server.stop()));
  }
}
