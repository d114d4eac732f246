import type { PlugState } from '../bridge/plug-state.ts';
import type { BridgeView } from '../bridge/view.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { aborted, type Task } from '../runtime/supervisor.ts';
import type { MqttSession } from './session.ts';
import type { Topics } from './topics.ts';

export interface InventoryOptions {
  readonly bridge: BridgeView;
  readonly session: MqttSession;
  readonly topics: Topics;
  readonly clock: Clock;
}

/** Changes of a large site come in crowds: one inventory for all that changes within this time, more per plug. */
const WAIT_MS = 500;
const WAIT_PER_PLUG_MS = 1;

/** Publishes the list of all plugs: what each is, where it is, and what is wrong with it. */
export class Inventory implements Task {
  readonly name = 'inventory';
  readonly #options: InventoryOptions;
  readonly #timer: Timer;
  #waiting = false;
  #last = '';

  constructor(options: InventoryOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#publish());
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { bridge, session } = this.#options;
    const unsubscribe = [
      bridge.on('removed', () => this.#later()),
      bridge.on('plug', ({ before, after }) => {
        if (isNews(before, after)) this.#later();
      }),
    ];
    session.onConnect(() => {
      this.#last = '';
      this.#later();
    });
    ready();
    await aborted(signal);
    for (const end of unsubscribe) end();
    this.#timer.clear();
  }

  #later(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#timer.set(WAIT_MS + WAIT_PER_PLUG_MS * [...this.#options.bridge.plugs()].length);
  }

  #publish(): void {
    this.#waiting = false;
    const { bridge, session, topics } = this.#options;
    const payload = JSON.stringify([...bridge.plugs()].map((plug) => entry(plug, bridge)));
    if (payload === this.#last) return;
    this.#last = payload;
    session.publish({ topic: topics.bridgePlugs, payload, retain: true, qos: 0 });
  }
}

function isNews(before: PlugState, after: PlugState): boolean {
  return (
    before.availability !== after.availability ||
    before.problem !== after.problem ||
    before.info !== after.info ||
    before.cloud !== after.cloud ||
    before.clock !== after.clock
  );
}

function entry(plug: PlugState, bridge: BridgeView) {
  const { path, availability, problem, info, rssi, cloud, clock } = plug;
  const address = bridge.address(path);
  return {
    path,
    availability,
    problem,
    model: info?.model ?? null,
    hardware: info?.hardware ?? null,
    firmware: info?.firmware ?? null,
    alias: info?.alias ?? null,
    mac: info?.mac ?? null,
    address: address === undefined ? null : `${address.host}:${address.port}`,
    rssi,
    cloud,
    clock,
    warning: warningFor(info?.hardware ?? null),
  };
}

/** Hardware 4.x of the HS100 and HS110 has got firmware 1.1.0, which closed port 9999 overnight. */
function warningFor(hardware: string | null): string | null {
  if (hardware === null || !hardware.startsWith('4.')) return null;
  return 'an update of the firmware (1.1.0) closes port 9999 on this hardware: do not accept updates';
}
