import type { Clock } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import { SimulatedDevice } from './device.ts';
import { PlugServer } from './plug-server.ts';
import { SimulatedStrip } from './strip.ts';

export interface MuseumOptions {
  readonly count: number;
  readonly host: string;
  /** Port of the first plug, the others follow; 0 takes any free ones. */
  readonly port: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A simulated plug and where it hangs. */
export interface Exhibit {
  readonly path: string;
  readonly server: PlugServer;
}

/** The first plugs of a simulated museum; beyond them lamps are numbered. */
const NAMED: readonly (readonly [path: string, alias: string, loadW: number])[] = [
  ['shed1', 'Shed 1', 40],
  ['shed2', 'Shed 2', 40],
  ['shed3', 'Shed 3', 61],
  ['barn/loft', 'Barn loft', 120],
  ['barn/workshop', 'Barn workshop', 95],
  ['east-wing/lamp-1', 'East wing lamp 1', 18],
  ['east-wing/lamp-2', 'East wing lamp 2', 18],
  ['east-wing/entrance', 'East wing entrance', 36],
];

/** The strip on the workbench of the museum, and what is on its outlets. */
export const WORKBENCH: readonly (readonly [name: string, loadW: number])[] = [
  ['lamp', 12],
  ['magnifier', 9],
  ['soldering-iron', 60],
  ['oscilloscope', 85],
  ['radio', 7],
  ['kettle', 0],
];

/** Puts the workbench's strip on the network once it is started, on any free port. */
export function workbench({ host, clock, random }: Pick<MuseumOptions, 'host' | 'clock' | 'random'>) {
  const outlets = WORKBENCH.map(([alias, loadW], index) => ({ alias, loadW, on: index < 2 }));
  const options = { alias: 'Workbench', mac: '50:C7:BF:FF:00:01', model: 'HS300(US)', outlets };
  return new PlugServer({ device: new SimulatedStrip(options, clock), host, port: 0, clock, random });
}

/** A museum full of simulated plugs, old and new hardware in turn. */
export class SimulatedMuseum implements Task {
  readonly name = 'simulator';
  readonly exhibits: readonly Exhibit[];

  constructor(options: MuseumOptions) {
    this.exhibits = Array.from({ length: options.count }, (_, index) => exhibit(index, options));
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    await this.start();
    ready();
    await aborted(signal);
    await this.stop();
  }

  /** Puts all plugs on the network; rejects if a port cannot be had. */
  async start(): Promise<void> {
    for (const { server } of this.exhibits) await server.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.exhibits.map(({ server }) => server.stop()));
  }
}

function exhibit(index: number, { host, port, clock, random }: MuseumOptions): Exhibit {
  const [path, alias, loadW] = NAMED[index] ?? [`hall/lamp-${index + 1}`, `Hall lamp ${index + 1}`, 25];
  const digits = (index + 1).toString(16).toUpperCase().padStart(6, '0');
  const device = new SimulatedDevice(
    {
      alias,
      mac: `50:C7:BF:${(digits.match(/../g) ?? []).join(':')}`,
      hardware: index % 2 === 0 ? '2.0' : '1.0',
      loadW,
      on: index % 3 === 0,
    },
    clock,
  );
  const own = port === 0 ? 0 : port + index;
  return { path, server: new PlugServer({ device, host, port: own, clock, random }) };
}
