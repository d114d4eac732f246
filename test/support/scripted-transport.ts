import { PlugError } from '../../src/errors.ts';
import type { Address, Transport } from '../../src/plug/transport.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { Query, Request } from '../../src/protocol/requests.ts';
import type { SimulatedDevice } from '../../src/simulator/device.ts';
import type { PlugDevice } from '../../src/simulator/plug-device.ts';

/** What a scripted exchange does: answers, fails, or leaves the answer to the test. */
export type Behaviour = 'answer' | 'hang' | PlugError;

/** A transport without a network: a simulated device answers at once, unless the test has it do otherwise. */
export class ScriptedTransport<Device extends PlugDevice = SimulatedDevice> implements Transport {
  address: Address | undefined = { host: '192.0.2.1', port: 9999 };
  device: Device;
  behaviour: Behaviour = 'answer';
  /** Every query that was sent, oldest first. */
  readonly queries: Query[] = [];
  readonly protocol = 'xor';
  connection = 1;
  connected = true;
  hungUp = false;
  /** Exchanges under way at the moment, and the most there ever were. */
  inFlight = 0;
  mostInFlight = 0;
  #hanging: { reject: (error: PlugError) => void; answer: () => void } | undefined;

  constructor(device: Device) {
    this.device = device;
  }

  async exchange(request: Request): Promise<JsonObject> {
    this.queries.push(request.query);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      return await this.#exchange(request);
    } finally {
      this.inFlight--;
    }
  }

  /** Lets the exchange that hangs end with an answer. */
  finish(): void {
    this.#hanging?.answer();
  }

  /** Lets the exchange that hangs end with an error. */
  fail(error: PlugError): void {
    this.#hanging?.reject(error);
  }

  moveTo(address: Address): void {
    this.address = { ...address };
  }

  close(): void {
    this.fail(new PlugError('closed', 'given up'));
  }

  #exchange(request: Request): Promise<JsonObject> {
    if (this.behaviour === 'answer') return Promise.resolve(this.device.answer(request.query, 'tcp'));
    if (this.behaviour !== 'hang') return Promise.reject(this.behaviour);
    return new Promise((resolve, reject) => {
      this.#hanging = { reject, answer: () => resolve(this.device.answer(request.query, 'tcp')) };
    });
  }
}
