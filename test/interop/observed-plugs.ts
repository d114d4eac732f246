import { SystemClock } from '../../src/runtime/clock.ts';
import { SimulatedDevice } from '../../src/simulator/device.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { PlugServer } from '../../src/simulator/plug-server.ts';

/**
 * Plays plugs on the loopback address until it is told to end. Prints where each one is, and then, with its port
 * in front, each question that it understood and the answer that it means to give.
 */
const PLUGS: readonly { readonly hardware: '1.0' | '2.0'; readonly fault: Fault }[] = [
  { hardware: '2.0', fault: { kind: 'none' } },
  { hardware: '1.0', fault: { kind: 'none' } },
  { hardware: '2.0', fault: { kind: 'split' } },
  { hardware: '1.0', fault: { kind: 'split' } },
];

/** Writes down what it answers. */
class ObservedDevice extends SimulatedDevice {
  port = 0;

  override answer(query: Parameters<SimulatedDevice['answer']>[0]) {
    const answer = super.answer(query);
    for (const said of [query, answer]) console.log(`${this.port}\t${JSON.stringify(said)}`);
    return answer;
  }
}

const clock = new SystemClock();
for (const [index, { hardware, fault }] of PLUGS.entries()) {
  const mac = `50:C7:BF:00:00:0${index + 1}`;
  const device = new ObservedDevice({ alias: `Lamp ${index + 1}`, mac, hardware, loadW: 40 }, clock);
  const server = new PlugServer({ device, host: '127.0.0.1', port: 0, clock, random: Math.random });
  await server.start();
  server.fault = fault;
  device.port = server.port;
  console.log(`host: ${server.host}:${server.port}`);
}
