import process from 'node:process';
import type { JsonObject } from '../../src/protocol/json.ts';
import { SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';

// The plugs of the kernel trial, in a process and a network of their own. They tell their parent when they are
// there and each time a relay is switched.

const clock = new SystemClock();
const tell = (message: object) => process.send?.(message);

/** A plug and the addresses at which it answers. */
interface Listening {
  readonly mac: string;
  readonly hosts: readonly string[];
  readonly port: number;
}

/** A plug that tells when its relay changes. */
class TellingDevice extends SimulatedDevice {
  override answer(query: JsonObject): JsonObject {
    const before = this.relay;
    const reply = super.answer(query);
    if (this.relay !== before) tell({ mac: this.options.mac, relay: this.relay, at: clock.date() });
    return reply;
  }
}

process.on('message', (plugs: Listening[]) => void listen(plugs));
process.on('disconnect', () => process.exit());
tell({ runs: true });

async function listen(plugs: readonly Listening[]): Promise<void> {
  for (const { mac, hosts, port } of plugs) {
    const device = new TellingDevice({ alias: mac, mac, hardware: '2.0', loadW: 40 }, clock);
    for (const host of hosts)
      await new PlugServer({ device, host, port, clock, random: Math.random }).start();
  }
  tell({ listens: true });
}
