import type { JsonObject } from '../../src/protocol/json.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';
import { FakeShell, type FakeShellOptions } from './fake-shell.ts';

/** A simulated plug on any free port, and all it was asked. */
export class ShellPlug {
  readonly device: SimulatedDevice;
  readonly server: PlugServer;
  /** Queries as they arrived, oldest first. */
  readonly queries: JsonObject[] = [];

  private constructor(options: Partial<SimulatedDevice['options']>) {
    const clock = new SystemClock();
    this.device = new SimulatedDevice(
      { alias: 'Loom', mac: '50:C7:BF:00:00:01', hardware: '2.0', loadW: 40, ...options },
      clock,
    );
    this.server = new PlugServer({
      device: this.device,
      host: '127.0.0.1',
      port: 0,
      clock,
      random: () => 0.5,
    });
    this.server.onQuery = (query) => this.queries.push(query);
  }

  static async started(options: Partial<SimulatedDevice['options']> = {}): Promise<ShellPlug> {
    const plug = new ShellPlug(options);
    await plug.server.start();
    return plug;
  }

  get host(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  /** Runs `hs110-mqtt plug` on it, in a shell of its own. */
  async run(words: readonly string[], options: FakeShellOptions = {}): Promise<RunOutcome> {
    const shell = new FakeShell(options);
    const code = await shell.run('plug', this.host, ...words);
    return { code, output: shell.output, errors: shell.errors, questions: shell.questions };
  }

  /** As `run`, with the plug misbehaving. */
  async runWith(fault: Fault, words: readonly string[]): Promise<RunOutcome> {
    this.server.fault = fault;
    try {
      return await this.run(words);
    } finally {
      this.server.fault = { kind: 'none' };
    }
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}

export interface RunOutcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
  readonly questions: readonly string[];
}
